"""Additions in config.yaml: checked before, backed up, and nothing else is touched."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from claude_tier import config
from claude_tier.errors import UserError
from claude_tier.routing.setup import writing
from claude_tier_hooks import policy

ADDED = {"providers": {"ollama": {"kind": "ollama", "free": True}}}
NOW = 1_780_000_000.0


@pytest.fixture
def file(home: Path) -> Path:
    """Where config.yaml is; nothing is there yet."""
    folder = home / ".claude/claude-tier"
    folder.mkdir(parents=True, mode=0o700)
    return folder / "config.yaml"


def backups(file: Path) -> list[bytes]:
    return [copy.read_bytes() for copy in sorted(file.parent.glob("backups/config.yaml.*"))]


def test_a_missing_file_is_made_private(file: Path) -> None:
    """And is a configuration that loads."""
    writing.write(ADDED, NOW)
    assert config.load(file).config.providers["ollama"].kind == "ollama"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert backups(file) == []


def test_a_file_of_the_users_is_backed_up_and_compiled(file: Path) -> None:
    """What it said before is in the backup, what it says now in the policy."""
    file.write_text("preset: budget  # mine\n")
    change = writing.write(ADDED, NOW)
    assert file.read_text().startswith("preset: budget  # mine\nproviders:\n")
    assert backups(file) == [b"preset: budget  # mine\n"]
    assert policy.load()["preset"] == "budget"
    assert policy.load()["hosts"]["127.0.0.1:11434"]["free"] is True
    assert [line for line in change.diff if line.startswith("-") and "config" not in line] == []


def test_twice_equals_once(file: Path) -> None:
    """The second time there is nothing to write, and no backup."""
    writing.write(ADDED, NOW)
    once = file.read_bytes(), file.stat().st_mtime_ns
    assert writing.write(ADDED, NOW + 5).diff == []
    assert (file.read_bytes(), file.stat().st_mtime_ns) == once
    assert backups(file) == []


def test_showing_a_change_makes_none(file: Path) -> None:
    """A dry run reads only."""
    file.write_text("preset: budget\n")
    assert "+providers:" in writing.change(ADDED).diff
    assert file.read_text() == "preset: budget\n"
    assert [path.name for path in file.parent.iterdir()] == ["config.yaml"]


def test_a_link_stays_a_link(file: Path, tmp_path: Path) -> None:
    """Dotfiles are often links into a repository."""
    real = tmp_path / "dotfiles.yaml"
    real.write_text("preset: budget\n")
    file.symlink_to(real)
    writing.write(ADDED, NOW)
    assert file.is_symlink()
    assert "ollama" in real.read_text()


def test_the_file_of_a_project_is_refused(file: Path, tmp_path: Path) -> None:
    """A clone may not name providers, not even by way of a link."""
    real = tmp_path / ".claude/claude-tier.yaml"
    real.parent.mkdir()
    real.write_text("assign: {}\n")
    file.symlink_to(real)
    with pytest.raises(UserError, match="file of a project"):
        writing.write(ADDED, NOW)
    assert real.read_text() == "assign: {}\n"


@pytest.mark.parametrize(
    "text",
    [
        "providers: ~\n",
        "log: {}\n...\n",
        "providers:\n  lan: {base_url: 'http://127.0.0.1:11434'}\n",
    ],
)
def test_what_cannot_be_put_in_safely_is_left_to_the_user(file: Path, text: str) -> None:
    """An unusual file, or one that would not load any more; the lines to add are told."""
    file.write_text(text)
    with pytest.raises(UserError) as caught:
        writing.write(ADDED, NOW)
    assert "was not changed" in caught.value.message
    assert caught.value.hint
    assert "kind: ollama" in caught.value.hint
    assert file.read_text() == text


def test_a_file_that_was_changed_meanwhile_keeps_that_change(file: Path) -> None:
    """What is written is made from the file as it is then, not as it was shown."""
    file.write_text("preset: budget\n")
    writing.change(ADDED)
    file.write_text("preset: premium\nproviders: {ollama: {kind: ollama, local: false}}\n")
    writing.write(ADDED, NOW)
    assert file.read_text() == (
        "preset: premium\nproviders: {ollama: {free: true, kind: ollama, local: false}}\n"
    )

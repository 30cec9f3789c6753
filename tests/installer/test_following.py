"""A command shows what config.yaml says now, or why it does not hold."""

from __future__ import annotations

from pathlib import Path

import pytest
from claude_tier import cli
from claude_tier_hooks import policy, state


@pytest.fixture
def file(home: Path) -> Path:
    """config.yaml of somebody who has enabled the plugin and nothing else."""
    path = home / ".claude/claude-tier/config.yaml"
    path.parent.mkdir(parents=True)
    path.write_text("preset: budget\n")
    return path


@pytest.mark.parametrize("command", [["status"], ["budget", "check"], ["log"], ["prices"]])
def test_a_configuration_never_compiled_comes_into_force(file: Path, command: list[str]) -> None:
    """The hooks of a plugin find it, and the command to compile with, from then on."""
    assert policy.load()["preset"] == "balanced"

    cli.main(command)

    assert policy.load()["preset"] == "budget"
    assert (state.read_json(state.path("policy.json")) or {})["command"]
    file.write_text("preset: premium\n")
    cli.main(command)
    assert policy.load()["preset"] == "premium"


def test_a_mistake_is_a_warning_each_time(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With file, line, column and key; the command goes on with the policy before it."""
    cli.main(["status"])
    capsys.readouterr()
    file.write_text("budgts: []\n")

    for _ in range(2):
        assert cli.main(["status"]) == 0
        warned = capsys.readouterr().err
        assert f"{file}:1:1: budgts: unknown key; did you mean budgets?" in warned
    assert policy.load()["preset"] == "budget"


def test_switches_do_without_it(file: Path) -> None:
    """Turning off must work whatever the configuration is like."""
    file.write_text("budgts: []\n")

    assert cli.main(["off"]) == 0

    assert not Path(state.path("compile-error.json")).exists()


def test_nothing_is_made_where_nothing_is_configured(home: Path) -> None:
    """Looking leaves no trace."""
    cli.main(["status"])

    assert not (home / ".claude/claude-tier/policy.json").exists()


def test_a_projects_own_file_is_followed_as_well(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The project that the command is run in."""
    (tmp_path / ".claude").mkdir()
    (tmp_path / ".claude/claude-tier.yaml").write_text("assign: {architect: haiku}\n")
    monkeypatch.chdir(tmp_path)

    cli.main(["status"])

    assert file.exists()
    assert policy.load(str(tmp_path))["assign"]["architect"]["tier"] == "haiku"

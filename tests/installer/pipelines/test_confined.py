"""What a pipeline may read and write: below its folder, and nothing hidden."""

from __future__ import annotations

from pathlib import Path

import pytest
from claude_tier.errors import UserError
from claude_tier.pipelines import confined

HIDDEN = [".git/config", ".claude/settings.json", ".bashrc", "a/.env", ".claude", "a/.git/hooks/x"]
OUTSIDE = ["/etc/passwd", "../x", "a/../../x", "~/x", "..", "a\\b", "", ".", "a\nb"]


@pytest.mark.parametrize("name", [*HIDDEN, *OUTSIDE])
def test_no_spelling_leads_out_or_to_what_is_hidden(name: str, work: Path) -> None:
    """Neither for reading nor for writing."""
    for use in (confined.locate, confined.writable):
        with pytest.raises(UserError):
            use(work, name)


@pytest.mark.parametrize("name", ["a.py", "src/a.py", "a.b/c..d", "größe.md"])
def test_a_plain_path_is_below_the_folder(name: str, work: Path) -> None:
    """Whether it is there or not."""
    assert confined.writable(work, name) == work.resolve() / name


def test_links_are_not_followed_out(work: Path, home: Path) -> None:
    """A link in a clone may point anywhere; one that stays inside may be read, not written."""
    (home / "secret").write_text("x")
    (work / "out").symlink_to(home / "secret")
    (work / "folder").symlink_to(home)
    (work / ".hidden").write_text("x")
    (work / "in").symlink_to(work / ".hidden")
    (work / "real").write_text("x")
    (work / "good").symlink_to(work / "real")
    for name in ("out", "folder/secret", "in"):
        with pytest.raises(UserError, match="leads"):
            confined.locate(work, name)
    assert confined.read(work, "good") == "x"
    with pytest.raises(UserError, match="is a link"):
        confined.writable(work, "good")


@pytest.mark.parametrize("name", [".git", ".git/hooks", ".claude", ".claude/agents"])
def test_nothing_is_written_where_git_and_claude_keep_their_own(name: str, home: Path) -> None:
    """Even if the pipeline is run right there."""
    folder = home / name
    folder.mkdir(parents=True)
    with pytest.raises(UserError, match="no pipeline writes in"):
        confined.writable(folder, "x.md")


@pytest.mark.parametrize("name", [".claude/agents", ".claude/skills/x", "a/.claude/hooks"])
def test_nothing_is_written_among_a_projects_settings(name: str, work: Path) -> None:
    """An agent or a hook would be obeyed; the worktrees in there are projects."""
    for folder in (work / name, work / ".claude" / "worktrees" / "mine"):
        folder.mkdir(parents=True)
    with pytest.raises(UserError, match="no pipeline writes in"):
        confined.writable(work / name, "x.md")

    assert confined.writable(work / ".claude" / "worktrees" / "mine", "x.md")


def test_a_file_beyond_the_memory_is_not_read(work: Path) -> None:
    """Its size is looked at first."""
    with (work / "endless").open("wb") as file:
        file.truncate(1 << 42)

    with pytest.raises(UserError, match="is larger than"):
        confined.read(work, "endless")


def test_what_is_no_text_is_refused(work: Path) -> None:
    """Missing, too large, not UTF-8, or a folder."""
    (work / "large").write_bytes(b"x" * (confined.LARGEST + 1))
    (work / "binary").write_bytes(b"\xff\xfe")
    (work / "folder").mkdir()
    for name in ("large", "binary", "folder", "missing"):
        with pytest.raises(UserError):
            confined.read(work, name)

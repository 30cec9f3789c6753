"""`claude-tier compile`, as the hooks run it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import cast

import pytest
from claude_tier import cli
from claude_tier_hooks import policy, state


def test_it_says_what_is_in_force_where_nothing_changed(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first run names the file it made; the second had nothing to do."""
    assert cli.main(["compile"]) == 0
    assert capsys.readouterr() == (f"Compiled {state.path('policy.json')}\n", "")
    assert cli.main(["compile"]) == 0
    assert capsys.readouterr().out == "There is no config.yaml: the defaults are in force.\n"
    (home / ".claude/claude-tier/config.yaml").write_text("# nothing\n")
    for out in (f"Compiled {state.path('policy.json')}\n", "config.yaml is in force.\n"):
        assert cli.main(["compile"]) == 0
        assert capsys.readouterr() == (out, "")


def test_quiet_says_nothing_at_all(capsys: pytest.CaptureFixture[str]) -> None:
    """A hook's own output must not be mixed with it."""
    assert cli.main(["compile", "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


def test_a_mistake_ends_with_1_and_every_fault(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On stderr, one a line, with the place first."""
    file = home / ".claude" / "claude-tier" / "config.yaml"
    file.parent.mkdir(parents=True)
    file.write_text("week_start: mon\nasign: {}\n")
    assert cli.main(["compile", "--quiet"]) == 1
    first, second, hint = capsys.readouterr().err.splitlines()
    assert first.startswith(f"claude-tier: {file}:1:1: week_start: must be 'monday'")
    assert second.startswith(f"{file}:2:1: asign: unknown key; did you mean assign?")
    assert hint == "Nothing was changed; the previous configuration stays in effect."


def test_a_link_that_leads_nowhere_is_a_mistake(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Somebody meant a file; without it their configuration would silently be the defaults."""
    file = home / ".claude/claude-tier/config.yaml"
    file.parent.mkdir(parents=True)
    file.symlink_to(home / "dotfiles/config.yaml")
    for _ in range(2):
        assert cli.main(["compile"]) == 1
        printed = capsys.readouterr()
        assert f"{file}: is a link to a file that does not exist" in printed.err
        assert printed.out == ""
    (home / "dotfiles").mkdir()
    (home / "dotfiles/config.yaml").write_text("preset: budget\n")
    assert cli.main(["compile"]) == 0


def test_a_project_is_compiled_beside_the_user(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What of it has no effect is a message, not a failure."""
    (tmp_path / ".claude").mkdir()
    file = tmp_path / ".claude" / "claude-tier.yaml"
    file.write_text("assign: {Explore: opus}\n")
    assert cli.main(["compile", "--project", str(tmp_path)]) == 0
    printed = capsys.readouterr()
    assert printed.out == f"Compiled {policy.overlay_file(str(tmp_path))}\n"
    assert printed.err.startswith(f"claude-tier: {file}:1:10: assign.Explore: may only lower")
    assert Path(state.path("policy.json")).is_file()


def test_the_recorded_command_runs(home: Path) -> None:
    """What policy.json names is what a hook can start, from any folder."""
    assert cli.main(["compile"]) == 0
    recorded = state.read_json(state.path("policy.json")) or {}
    command = cast("list[str]", recorded["command"])
    (home / ".claude" / "claude-tier" / "config.yaml").write_text("preset: budget\n")
    path = os.pathsep.join(entry for entry in sys.path if entry)
    environment = {**os.environ, "PYTHONPATH": path}
    subprocess.run([*command, "compile", "--quiet"], cwd="/", env=environment, check=True)
    assert policy.load()["preset"] == "budget"


@pytest.mark.parametrize("inside", [".", "src/deep"])
def test_a_projects_folder_is_found_as_the_hooks_find_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inside: str
) -> None:
    """`--project .` means the project around it, by its whole path."""
    (tmp_path / ".git").mkdir()
    (tmp_path / ".claude").mkdir()
    (tmp_path / ".claude/claude-tier.yaml").write_text("assign: {Plan: haiku}\n")
    (tmp_path / "src/deep").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / inside)

    assert cli.main(["compile", "--project", "."]) == 0

    assert policy.load(str(tmp_path))["assign"]["Plan"]["tier"] == "haiku"

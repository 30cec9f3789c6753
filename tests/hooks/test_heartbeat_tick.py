"""The tick of every minute: it costs next to nothing where nothing is due."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from claude_tier_hooks import state, tick

from .process import FOUND, HOOKS
from .test_imports import imported

SCRIPT = str(HOOKS / "heartbeat_tick.py")
LEAN = "import __future__, json, os, sys, time"
TELLS = "import json, os, sys; print(json.dumps([sys.argv[1:], os.environ['PYTHONSAFEPATH']]))"


def plan(home: Path, **fields: object) -> Path:
    """As `heartbeat tick` leaves it: a file watched, and nothing due for an hour."""
    watched = home / "HEARTBEAT.md"
    watched.write_text("- look\n")
    now = time.time()
    due = {
        "version": 1,
        "at": now - 1,
        "next": now + 3600,
        "files": {str(watched): tick.version(str(watched)), str(home / "none"): None},
        **fields,
    }
    state.ensure()
    folder = Path(state.path("heartbeat"))
    folder.mkdir(exist_ok=True)
    Path(tick.due_file()).write_text(json.dumps(due))
    return watched


def record(*command: str) -> None:
    state.ensure()
    Path(state.path("policy.json")).write_text(json.dumps({"command": command}))


def run(home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-S", "-E", SCRIPT],
        env={"HOME": str(home), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("python", FOUND.values(), ids=FOUND.keys())
def test_an_idle_tick_imports_nothing_dear(python: str, home: Path) -> None:
    """Neither sqlite3 nor anything that a bare interpreter with json has not."""
    plan(home)
    found = imported(python, SCRIPT)
    ours = {module for module in found if module.partition(".")[0] == "claude_tier_hooks"}
    assert ours == {"claude_tier_hooks", "claude_tier_hooks.tick", "claude_tier_hooks.state"}
    assert found - ours <= imported(python, "-c", LEAN)


def test_a_thousand_ticks_with_nothing_to_do_start_nothing(home: Path) -> None:
    """There is no command to start, which a single one that found something would say."""
    plan(home, next=None)
    assert {tick.main() for _ in range(1000)} == {0}
    assert sorted(os.listdir(state.path("heartbeat"))) == ["alive", "due.json"]  # noqa: PTH208
    assert not Path(state.path("ledger.db")).exists()


def test_an_idle_tick_says_that_ticks_come(home: Path) -> None:
    """By the time of a file, and by nothing else."""
    plan(home)
    Path(tick.alive_file()).touch()
    os.utime(tick.alive_file(), (1, 1))
    done = run(home)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert Path(tick.alive_file()).stat().st_mtime > 1


def test_what_is_due_starts_the_recorded_command(home: Path) -> None:
    """In this very process, where nothing is imported from the folder it is in."""
    plan(home, next=time.time() - 1)
    record(sys.executable, "-c", TELLS)
    assert json.loads(run(home).stdout) == [["heartbeat", "tick"], "1"]


@pytest.mark.parametrize(
    "change",
    [
        {"next": 1.0},
        {"at": 1e12},  # the clock was set back
        {"files": {"/etc/passwd": [1, 1]}},
        {"files": {"/nowhere/at/all": [1, 1]}},
        {"files": {"/etc/passwd": None}},
        {"files": None},
        {"at": None},
        {"next": "soon"},
    ],
)
def test_another_plan_than_one_of_now_is_looked_at(home: Path, change: dict[str, object]) -> None:
    """Whatever does not fit: better a look too many than a beat too few."""
    plan(home, **change)
    assert tick.is_due(time.time())


@pytest.mark.parametrize("content", [None, "", "[]", "{", "{}"])
def test_no_plan_is_looked_at(home: Path, content: str | None) -> None:
    """The first tick, and what a full disk left."""
    plan(home)
    assert not tick.is_due(time.time())
    Path(tick.due_file()).unlink()
    if content is not None:
        Path(tick.due_file()).write_text(content)
    assert tick.is_due(time.time())


def test_a_file_that_changes_is_seen(home: Path) -> None:
    """By its size, or by its time where that is the same."""
    watched = plan(home)
    os.utime(watched, ns=(1, 1))
    assert tick.is_due(time.time())


def test_a_command_that_is_gone_is_said(home: Path) -> None:
    """On stderr, for whoever reads the scheduler's mail, and in the log."""
    record("/nowhere/python")
    done = run(home)
    assert done.returncode == 1
    assert "/nowhere/python cannot be started" in done.stderr
    assert "heartbeat FileNotFoundError" in Path(state.path("hooks.log")).read_text()
    assert not Path(tick.alive_file()).exists()


def test_without_a_compiled_policy_the_way_to_one_is_said(home: Path) -> None:
    """There is nothing to start."""
    done = run(home)
    assert (done.returncode, done.stdout) == (1, "")
    assert "claude-tier compile" in done.stderr

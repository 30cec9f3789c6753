"""What the doctor says of the heartbeat: nothing, until a HEARTBEAT.md may run."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from claude_tier.heartbeat import receipts, scheduling
from claude_tier.heartbeat.processes import Worker
from claude_tier.heartbeat.receipts import End
from claude_tier.install.doctor.report import Finding
from claude_tier_hooks import ledger, tick
from heartbeats import Home, made
from stand_ins import recorder

from .conftest import Diagnose

CHECK = "heartbeat"
FILE = "---\nname: disk\nevery: 1h\n---\n- Look.\n"


@pytest.fixture
def here(home: Path, install: Callable[..., None]) -> Home:
    install()
    found = made(home)
    found.add(FILE)
    return found


@pytest.fixture
def scheduled(here: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A timer of a systemd that only writes down how it is called."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in ("systemctl", "loginctl"):
        recorder(folder / name, tmp_path / f"{name}.log")
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    scheduling.install("systemd")
    tick.mark_alive()
    return here


def only(found: dict[str, list[Finding]]) -> Finding:
    (finding,) = found[CHECK]
    return finding


def test_nothing_is_said_where_nothing_may_run(
    install: Callable[..., None], diagnose: Diagnose
) -> None:
    """Most users have no heartbeat."""
    install()
    assert CHECK not in diagnose()


def test_files_without_a_scheduler_are_a_warning(here: Home, diagnose: Diagnose) -> None:
    """With the command that gets one."""
    found = only(diagnose())
    assert (found.verdict, found.todo) == ("warning", "Run `claude-tier heartbeat install`.")


def test_ticks_that_come_are_well(scheduled: Home, diagnose: Diagnose) -> None:
    """From the scheduler that was installed."""
    found = only(diagnose())
    assert (found.verdict, found.what) == ("ok", "ticks come from systemd")


def test_ticks_that_stay_away_are_a_fault(scheduled: Home, diagnose: Diagnose) -> None:
    """With where to look."""
    ago = time.time() - 3600
    for name in ("alive", "scheduler.json"):
        file = scheduled.folder / ".claude/claude-tier/heartbeat" / name
        os.utime(file, (ago, ago))
    found = only(diagnose())
    assert (found.verdict, found.what) == ("fault", "no tick for 60 min")
    assert "systemctl --user status" in str(found.todo)


def test_an_entry_that_is_gone_is_a_fault(scheduled: Home, diagnose: Diagnose) -> None:
    """Also while its last tick is fresh."""
    for unit in (scheduled.folder / ".config/systemd/user").glob("*.*"):
        unit.unlink()
    first, _ = diagnose()[CHECK]
    assert (first.verdict, first.what) == ("fault", "its entry for systemd is gone")


def test_a_missing_script_is_a_fault(scheduled: Home, diagnose: Diagnose) -> None:
    """The scheduler would start nothing, every minute."""
    (scheduled.folder / ".claude/claude-tier/hooks/heartbeat_tick.py").unlink()
    first, *_ = diagnose()[CHECK]
    assert first.verdict == "fault"
    assert "heartbeat_tick.py is gone" in first.what


def test_a_beat_that_fails_is_a_warning(scheduled: Home, diagnose: Diagnose) -> None:
    """By its name."""
    beat, now = f"{scheduled.file}#disk", time.time()
    with closing(ledger.connect(patience=10)) as db, ledger.Writing(db):
        receipts.begin(db, beat, "", now)
        receipts.claim(db, beat, now, run="r", origin="planned", worker=Worker(1, "then"))
        receipts.finish(db, "r", End("failed", "key"), now)
    _, found = diagnose()[CHECK]
    assert (found.verdict, found.what) == ("warning", "disk fails")


def test_a_file_with_a_mistake_is_a_warning(scheduled: Home, diagnose: Diagnose) -> None:
    """Nothing in it runs, which nobody would notice."""
    scheduled.file.write_text("---\nevry: 1h\n---\n- Look.\n")
    _, found = diagnose()[CHECK]
    assert "nothing of that file runs" in found.what


def test_a_key_that_a_scheduler_does_not_have_is_a_warning(
    home: Path, install: Callable[..., None], diagnose: Diagnose, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable of the shell is not there at night; a file is."""
    monkeypatch.setenv("OPENROUTER_API_KEY", "k")
    install()
    provider = "providers: {openrouter: {kind: openrouter, models: {x/y: {window: 8192}}}}\n"
    made(home, provider).add("---\nname: it\nmodel: openrouter/x/y\n---\n- Look.\n")
    tick.mark_alive()
    assert "OPENROUTER_API_KEY" in diagnose()[CHECK][-1].what

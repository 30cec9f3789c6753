"""Whether the heartbeat lives, as lines and screens say it in a few words."""

from __future__ import annotations

import json
import os
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from claude_tier_hooks import ledger, liveness, state, status_line, tick

from .process import sample

NOON = 1795780800.0  # 2026-11-27 12:00 UTC
FILE = "/repo/HEARTBEAT.md"


@pytest.fixture
def folder(home: Path) -> Path:
    found = Path(state.path("heartbeat"))
    found.mkdir(parents=True)
    return found


@pytest.fixture
def added(folder: Path) -> None:
    """A HEARTBEAT.md may run on this machine."""
    text = json.dumps({"version": 1, "files": {FILE: {"at": 1, "beats": {}}}})
    (folder / "files.json").write_text(text)


def ticked(at: float) -> None:
    tick.mark_alive()
    os.utime(tick.alive_file(), (at, at))


def beat(name: str, file: str = FILE, *, failures: int = 0, at: float = NOON) -> None:
    """One whose last receipt is of that time."""
    with closing(ledger.connect(patience=10)) as db, ledger.Writing(db):
        number = ledger.name_id(db, f"{file}#{name}")
        values = (number, at, failures, at if failures > 9 else None)
        db.execute("INSERT INTO beat (beat, mark, schedule, failures, disabled)"
                   " VALUES (?, ?, '', ?, ?)", values)  # fmt: skip
        db.execute("INSERT INTO receipt (beat, slot, last, slots, origin, status)"
                   " VALUES (?1, ?2, ?2, 1, 'planned', 'failed')", (number, at))  # fmt: skip


def standing(now: float = NOON) -> dict[str, Any] | None:
    with closing(ledger.connect(patience=10)) as db:
        return liveness.standing(db, now)


def test_where_nothing_may_run_nothing_is_said(folder: Path) -> None:
    """Whatever else is in its folder."""
    ticked(NOON - 3600)
    assert standing() is None


def test_ticks_that_stay_away_are_a_dead_scheduler(added: None) -> None:
    """One that never was is none; one that was installed just now has its first minute."""
    assert liveness.scheduler(NOON) == "none"
    Path(state.path("heartbeat", "scheduler.json")).write_text("{}")
    os.utime(state.path("heartbeat", "scheduler.json"), (NOON - 30, NOON - 30))
    assert liveness.scheduler(NOON) == "alive"
    assert liveness.scheduler(NOON + 200) == "dead"
    ticked(NOON + 190)
    assert liveness.scheduler(NOON + 200) == "alive"


def test_beats_in_trouble_are_named(added: None) -> None:
    """Those of files that may run, and that were due within a week."""
    beat("well")
    beat("bad", failures=2)
    beat("off", failures=10)
    beat("elsewhere", "/other/HEARTBEAT.md", failures=1)
    beat("long gone", failures=1, at=NOON - 8 * 86400)
    found = standing()
    assert found
    assert (found["failing"], found["disabled"]) == (["bad"], ["off"])


def test_alerts_count_until_a_session_has_shown_them(added: None, folder: Path) -> None:
    """Which it does at its start, once."""
    (folder / "alerts").mkdir()
    for number in (1, 2, 3):
        (folder / f"alerts/{number}.json").write_text("{}")
    (folder / "told").write_text("1.json\n")
    found = standing()
    assert found
    assert found["alerts"] == 2


def line(home: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(status_line.time, "time", lambda: NOON)  # type: ignore[attr-defined]
    return status_line.answer(json.dumps(sample("StatusLine", home)).encode())


def test_the_status_line_speaks_of_it_only_where_something_is_wrong(
    home: Path, added: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a few words."""
    ticked(NOON - 30)
    assert "heartbeat" not in line(home, monkeypatch)
    ticked(NOON - 600)
    beat("bad", failures=2)
    assert "heartbeat dead, 1 failing" in line(home, monkeypatch)

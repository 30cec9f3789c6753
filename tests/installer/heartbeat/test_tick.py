"""A tick as a process: how many beats at once, what it does about those that do not end."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from pathlib import Path

import pytest
from beats import HOUR
from claude_tier.heartbeat import (
    alerts,
    known,
    linting,
    listing,
    places,
    planning,
    processes,
    receipts,
    tick,
    trust,
)
from claude_tier.heartbeat.processes import Worker
from claude_tier_hooks import ledger
from claude_tier_hooks import tick as hook
from heartbeats import NINE, NOWHERE, TESTS, made, tasks

# How many are at work together, counted by the names of those that have not ended.
TOGETHER = "mkdir -p at && mkdir at/$$ && ls at | wc -l >> most; rmdir at/$$; exit 1"


def test_forty_beats_of_one_minute_run_a_few_at_once(home: Path) -> None:
    """All of them, once, and never more than were allowed; one waits for a place."""
    here = made(home, f"{NOWHERE}heartbeat: {{parallel: 3}}\n")
    here.add(tasks(40, TOGETHER))
    here.plan(NINE - 1)

    here.tick_here(NINE + 5)

    rows = here.rows()
    assert len(rows) == 40
    assert {(row["slot"], row["reason"]) for row in rows} == {(NINE, "its check found nothing")}
    counts = [int(line) for line in (here.project / "most").read_text().split()]
    assert len(counts) == 40
    assert max(counts) <= 3


def test_the_time_that_a_list_shows_for_a_new_beat_is_its_first(home: Path) -> None:
    """Although no tick had seen it by then."""
    here = made(home, NOWHERE)
    here.add(tasks(1, "exit 1"))
    here.record("/bin/true")
    for file in map(Path, known.versions()):
        if file.is_relative_to(home) and file.exists():
            os.utime(file, (NINE - 20, NINE - 20))
    with closing(ledger.connect()) as db:
        (listed,) = listing.files(db, linting.usual(), NINE - 10)

    tick.Tick(clock=lambda: NINE + 5).run()

    assert [row["slot"] for row in here.rows()] == [each.next for each in listed.beats] == [NINE]


def test_places_are_counted_over_all_ticks(home: Path) -> None:
    """As long as its process is there, a place is taken."""
    taken = [places.take(2), places.take(2)]
    assert None not in taken
    assert places.take(2) is None
    os.close(taken[0] or 0)
    again = places.take(2)
    assert again is not None
    for one in (taken[1], again):
        os.close(one or 0)


def test_two_ticks_at_once_start_each_beat_once(home: Path) -> None:
    """Whoever has the lock plans; the other finds it done."""
    here = made(home, NOWHERE)
    here.add(tasks(3, "echo x >> ran; exit 1"))
    here.plan(NINE - 1)
    command = [sys.executable, str(TESTS / "killing_beats.py"), "none", str(NINE + 5)]
    here.record(*command)
    started = [here.start(*command, "heartbeat", "tick") for _ in range(3)]
    for process in started:
        with process:
            assert process.communicate()[0] == b""

    assert (here.project / "ran").read_text() == "x\n" * 3
    assert len(here.rows()) == 3


def test_a_beat_that_does_not_end_is_ended(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the request to end, then by force, with what it started; the receipt says so."""
    here = made(home, NOWHERE)
    here.add(tasks(1, "exit 1", "timeout: 1s"))
    here.plan(NINE - 1)
    # A process that never comes to its receipt, and does not listen.
    deaf = "trap '' TERM; sleep 1000 & echo $! > pid; wait; wait; sleep 1000"
    here.record("/bin/sh", "-c", f"cd {here.project}; {deaf}")
    monkeypatch.setattr(planning, "MARGIN", 0)
    monkeypatch.setattr(tick, "GRACE", 0.2)

    tick.Tick(clock=lambda: NINE + 5).run()

    (row,) = here.rows()
    assert (row["status"], row["reason"]) == ("failed", tick.TOO_LONG)
    assert processes.started(int((here.project / "pid").read_text())) is None


def test_a_process_that_ends_without_a_receipt_gets_one(home: Path) -> None:
    """With its exit code."""
    here = made(home, NOWHERE)
    here.add(tasks(1, "exit 1"))
    here.plan(NINE - 1)
    here.record("/bin/sh", "-c", "exit 7")

    tick.Tick(clock=lambda: NINE + 5).run()

    (row,) = here.rows()
    assert (row["status"], row["reason"]) == ("failed", "its process ended with exit code 7")


def test_a_command_that_is_gone_fails_the_run(home: Path) -> None:
    """And the tick goes on."""
    here = made(home, NOWHERE)
    here.add(tasks(2, "exit 1"))
    here.plan(NINE - 1)
    here.record("/nowhere/python")

    tick.Tick(clock=lambda: NINE + 5).run()

    reasons = {row["reason"] for row in here.rows()}
    assert reasons == {"it cannot be started: No such file or directory"}


def test_a_run_whose_tick_is_gone_is_ended_past_its_time(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By any later tick."""
    here = made(home, NOWHERE)
    (beat,) = here.add(tasks(1, "exit 1"))
    monkeypatch.setattr(tick, "GRACE", 0.2)
    with here.start("/bin/sleep", "1000", **{processes.MARK: "r"}) as sleeping:
        worker = Worker(sleeping.pid, processes.started(sleeping.pid) or "")
        with closing(ledger.connect(patience=10)) as db, ledger.Writing(db):
            receipts.claim(db, beat.id, NINE, run="r", origin="planned", worker=worker)
            assert receipts.take(db, "r", worker, now=NINE, deadline=NINE + 300)

        tick.Tick(clock=lambda: NINE + 300 + planning.MARGIN + 1).run()

        assert sleeping.wait(60) == -9
    assert (here.rows()[0]["status"], here.rows()[0]["reason"]) == ("failed", tick.TOO_LONG)


def test_a_file_with_a_mistake_is_said_and_the_others_run(home: Path) -> None:
    """Nothing of it runs until it is mended."""
    here = made(home, NOWHERE)
    here.add(tasks(1, "exit 1"))
    broken = home / "other/HEARTBEAT.md"
    broken.parent.mkdir()
    broken.write_text("---\nevery: sometimes\n---\nlook\n")
    trust.add(broken, [], 1.0)
    here.plan(NINE - 1)

    tick.Tick(clock=lambda: NINE + 5).run()

    assert len(here.rows()) == 1
    (alert,) = alerts.listed()
    assert (alert.kind, alert.beat, alert.file) == ("file", None, str(broken))
    assert f"{broken}:2:1: every" in alert.text


def test_a_mistake_in_the_configuration_is_said_and_waits_for_the_file(home: Path) -> None:
    """The next ticks are idle until it changes."""
    here = made(home, NOWHERE)
    here.add(tasks(1, "exit 1"))
    (home / ".claude/claude-tier/config.yaml").write_text("nonsense: 1\n")

    assert tick.Tick(clock=lambda: NINE).run() == 0

    assert "config.yaml:1:1: nonsense" in alerts.listed()[0].text
    assert not hook.is_due(NINE + 1e6)
    (home / ".claude/claude-tier/config.yaml").write_text("")
    assert hook.is_due(NINE + 1)


def test_a_plan_is_left_for_the_ticks_to_come(home: Path) -> None:
    """They are idle until the next planned time, or until a file changes."""
    here = made(home, NOWHERE)
    here.add(tasks(1, "exit 1"))
    assert hook.is_due(NINE + 5)

    assert tick.Tick(clock=lambda: NINE + 5).run() == 0

    assert not hook.is_due(NINE + 6)
    assert not hook.is_due(NINE + HOUR - 1)
    assert hook.is_due(NINE + HOUR)
    here.file.write_text(tasks(2, "exit 1"))
    assert hook.is_due(NINE + 6)


def test_a_beat_without_anything_to_do_says_what_was_saved(home: Path) -> None:
    """Nothing is started for it, and its row counts."""
    here = made(home)
    here.add("---\nevery: 1h\n---\n# Checks\n- [ ]\n<!-- later -->\n")
    here.plan(NINE - 1)

    started = [tick.Tick(clock=lambda at=at: NINE + at).run() for at in (5, HOUR + 5)]  # type: ignore[misc]

    (row,) = here.rows()
    assert started == [0, 0]
    assert (row["slots"], row["reason"]) == (2, known.EMPTY)
    size, usd = row["saved_bytes"], row["saved_usd"]
    assert isinstance(size, int)
    assert size > 2 * 1500
    assert usd == pytest.approx(size // 3 * 0.1e-6, rel=0.01)


def test_what_a_mistake_in_the_configuration_kept_from_running_says_so(home: Path) -> None:
    """From the tick that met it until it is mended, and nothing that was missed before."""
    here = made(home, NOWHERE)
    here.add(tasks(1, "exit 1"))
    here.plan(NINE - 2 * HOUR)
    file = home / ".claude/claude-tier/config.yaml"
    for at in (NINE + 5, NINE + HOUR + 5):
        file.write_text("heartbeet: {}\n")
        tick.Tick(clock=lambda at=at: at).run()  # type: ignore[misc]
    assert here.rows() == []
    file.write_text(NOWHERE)
    tick.Tick(clock=lambda: NINE + 2 * HOUR + 600).run()

    assert [(row["slot"], row["slots"], row["reason"]) for row in here.rows()] == [
        (NINE - HOUR, 1, receipts.MISSED),
        (NINE, 3, "config.yaml had a mistake"),
    ]
    (alert,) = alerts.listed()
    assert "heartbeet" in alert.text
    assert alert.text.endswith("No beat runs until that is mended")

    tick.Tick(clock=lambda: NINE + 3 * HOUR + 600).run()
    assert here.rows()[-1]["reason"] == receipts.MISSED


def test_a_clock_that_was_set_back_is_said(home: Path) -> None:
    """With the way out."""
    here = made(home, NOWHERE)
    here.add(tasks(1, "exit 1"))
    here.plan(NINE + HOUR)

    tick.Tick(clock=lambda: NINE).run()

    (alert,) = alerts.listed()
    assert alert.kind == "clock"
    assert "`claude-tier heartbeat enable t0`" in alert.text


def test_a_tick_that_cannot_have_the_lock_leaves_it_to_the_other(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It plans nothing beside it."""
    monkeypatch.setattr(tick, "LOCK_WAIT", 0.0)
    here = made(home, NOWHERE)
    here.add(tasks(1, "exit 1"))
    here.plan(NINE - 1)
    with tick.locked(0.0) as mine:
        assert mine
        assert tick.Tick(clock=lambda: NINE + 5).run() == 0
    assert here.rows() == []

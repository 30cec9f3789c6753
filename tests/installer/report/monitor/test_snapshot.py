"""What the monitor reads: the right figures, at a cost that does not grow with the ledger."""

from __future__ import annotations

import json
import sqlite3
import time
from pathlib import Path

import pytest
from books import HAIKU, HOUR, NOON, OPUS, answer, budget, charge, cool, decide, policy
from claude_tier.report import ledger_file, status
from claude_tier.report.monitor import feed, screen, snapshot
from claude_tier.report.monitor.snapshot import Snapshot
from claude_tier.routing import by_hand
from claude_tier_hooks import ledger, reservations
from claude_tier_hooks import policy as rules

GROWING = {"usage", "bucket", "span", "run", "decision", "session", "name", "cost_state", "offset"}


def looked(now: float = NOON) -> Snapshot:
    loaded = rules.load()
    with ledger_file.up_to_date(loaded) as db:
        return snapshot.query(db, loaded, "/repo/app", now)


def test_hours_are_those_of_the_clock_and_today_begins_at_midnight(home: Path) -> None:
    """24 of them, the present one last; what is older is not in."""
    policy(home)
    for hours in (30, 14, 2, 0):
        answer(home, OPUS, at=NOON - hours * HOUR + 60)
    found = looked(NOON + 1800)

    assert [hour.since for hour in found.hours] == [NOON - n * HOUR for n in range(23, -1, -1)]
    used = [n for n, hour in enumerate(found.hours) if hour.usd]
    assert used == [9, 21, 23]
    one = found.hours[23].usd
    assert found.today.usd == pytest.approx(2 * one)
    assert found.today.tokens == 6000
    assert found.today.since == NOON - 12 * HOUR


def test_hours_of_a_zone_between_hours(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In India an hour begins at half past ours."""
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    policy(home)
    answer(home, OPUS, at=NOON - 1500)
    answer(home, OPUS, at=NOON - 2100)
    found = looked()
    assert [hour.since - NOON for hour in found.hours[-2:]] == [-1800 - HOUR, -1800]
    assert all(hour.usd for hour in found.hours[-2:])


def test_what_has_no_transcript_row_is_counted_and_what_has_no_price_is_told(home: Path) -> None:
    """As in budgets."""
    policy(home)
    answer(home, OPUS, at=NOON - 60)
    answer(home, "mystery-1", at=NOON - 60)
    before = looked().today
    charge(home, OPUS, 2.0, inputTokens=50_000)
    after = looked().today
    assert before.unpriced_requests == after.unpriced_requests == 1
    assert after.usd > before.usd


def test_what_has_no_price_is_unknown_and_not_nothing(home: Path) -> None:
    """Neither on the screen nor in the JSON is it 0."""
    policy(home)
    answer(home, "mystery-1", at=NOON - 60)
    found = looked()
    assert (found.today.usd, found.today.unpriced_requests) == (None, 1)
    assert found.hours[-2].usd is None
    assert found.hours[-3].usd == 0
    text = screen.render(found, now=NOON, size=screen.Size(80, 24)).plain
    assert "today unpriced, 3,000 tokens" in text


def test_running_subagents_are_those_that_answered_lately_and_did_not_end(home: Path) -> None:
    """With the model that answered, and the tier it was put on."""
    policy(home)
    answer(home, HAIKU, at=NOON - 30, agent="Explore")
    answer(home, HAIKU, at=NOON - 40, agent="Plan")
    answer(home, HAIKU, at=NOON - 2 * HOUR, agent="old")
    decide("toolu_Explore", at=NOON - 50)
    looked()
    with ledger_file.up_to_date(rules.load()) as db, ledger.Writing(db):
        db.execute("UPDATE run SET ended = last WHERE agent_id LIKE '%Plan'")
    (run,) = looked().runs
    assert (run.agent, run.model, run.set, run.tokens) == ("Explore", HAIKU, "haiku", 3000)
    assert (run.at, run.last) == (NOON - 50, NOON - 30)


def test_a_subagent_without_an_answer_is_starting(home: Path) -> None:
    """Known by what is held for it; then by its answers."""
    policy(home)
    answer(home, OPUS, at=NOON - 60)
    decide("toolu_Explore", at=NOON - 50)
    with ledger_file.up_to_date(rules.load()) as db, ledger.Writing(db):
        row = {"session": "11111111-aaaa", "tool_use_id": "toolu_Explore", "at": NOON - 50}
        held = {"agent_id": None, "usd": 0.1, "tokens": 9}
        reservations.hold(db, {**row, "agent": "Explore"}, held, -1)
    (run,) = looked().runs
    assert (run.agent, run.model, run.set, run.last) == ("Explore", None, "haiku", None)

    answer(home, HAIKU, at=NOON - 10, agent="Explore")
    (run,) = looked().runs
    assert (run.model, run.last) == (HAIKU, NOON - 10)


def test_json_is_strict_and_holds_every_part(home: Path) -> None:
    """No infinity, whatever the switch says."""
    policy(home, budgets=[budget()])
    answer(home)
    decide("t1")
    (home / ".claude/claude-tier/off").write_text(json.dumps({"until": None}))
    fields = json.loads(json.dumps(looked().fields(), allow_nan=False))
    assert (fields["on"], fields["off_until"], fields["notice"]) == (False, None, None)
    assert fields["budgets"][0]["name"] == "daily"
    assert len(fields["spent_by_hour"]) == 24
    assert fields["decisions"][0]["tool_use_id"] == "t1"


def test_the_router_is_told_as_status_tells_it(home: Path) -> None:
    """Under the same names."""
    policy(home)
    assert (looked().fields()["cooldowns"], looked().fields()["emergency"]) == ([], None)
    cool("openrouter", "x/y:free", cause="billing")
    by_hand.turn_on(NOON, 3600)
    found, loaded = looked().fields(), rules.load()
    with ledger_file.up_to_date(loaded) as db:
        shown = status.query(db, loaded, "/repo/app", NOON).fields()
    assert found["cooldowns"]
    assert found["cooldowns"] == shown["cooldowns"]
    assert found["emergency"] == shown["emergency"]
    assert looked(NOON + HOUR).fields()["emergency"] is None


def test_no_look_scans_a_table_that_grows(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading what is new included, with budgets of every kind of sum."""
    policy(
        home,
        budgets=[
            budget(),
            budget("p", scope={"kind": "project", "name": None}, unit="tokens"),
            budget("a", scope={"kind": "agent", "name": "Explore"}, period="month"),
        ],
    )
    answer(home, at=NOON - 60)
    answer(home, HAIKU, at=NOON - 60, agent="Explore")
    decide("toolu_Explore", at=NOON - 70)
    look = feed.Feed("/repo/app", clock=lambda: NOON)
    look()
    answer(home, at=NOON - 30)
    said: list[str] = []
    connect = ledger.connect

    def heard(*arguments: object, **named: object) -> sqlite3.Connection:
        db = connect(*arguments, **named)  # type: ignore[arg-type]
        db.set_trace_callback(said.append)
        return db

    monkeypatch.setattr(ledger, "connect", heard)
    look()

    db = sqlite3.connect(ledger.file())
    scans = {f"SCAN {name}" for name in GROWING | {"r", "own", "d"}}
    reads = {one for one in said if one.startswith(("SELECT", "UPDATE", "DELETE"))}
    assert any("FROM span" in one for one in reads)
    for statement in {one for one in reads if "LIMIT" not in one}:
        for row in db.execute("EXPLAIN QUERY PLAN " + statement):
            assert row[3].split(" USING")[0] not in scans, f"{statement}: {row[3]}"
    (last,) = (one for one in reads if "FROM decision d LEFT JOIN" in one)
    plan = next(iter(db.execute("EXPLAIN QUERY PLAN " + last)))[3]
    assert plan == "SCAN d USING INDEX decision_by_time"  # and no further than the limit
    db.close()

"""What is kept of savings: brought up to date, by local day, by project, beside a busy ledger."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from books import HAIKU, HOUR, NOON, OPUS, SONNET, answer, decide, tokens
from claude_tier.report import caches, days, ledger_file, savings
from claude_tier.report.savings import Savings
from claude_tier_hooks import ledger, policy

M = 1e6
ALWAYS = days.Span()

Saved = Callable[..., Savings]


def test_a_configured_baseline_is_kept_and_comes_to_the_same(home: Path, saved: Saved) -> None:
    answer(home, SONNET, at=NOON, **tokens(0, 1000, 0, 5000))
    answer(home, HAIKU, at=NOON + 10, **tokens(0, 1000, 0, 5000))
    answer(home, HAIKU, at=NOON + 86400, agent="Explore", **tokens(0, 1000))
    named = saved(against="opus")
    kept = saved(baseline=OPUS)
    assert kept.baseline == OPUS
    assert kept.fields() == named.fields()


def test_a_decision_that_arrives_after_its_run_is_counted(home: Path, saved: Saved) -> None:
    answer(home, OPUS, at=NOON, **tokens(10, 10))
    answer(home, HAIKU, at=NOON + 1, agent="Explore", **tokens(0, 1000))
    saved()
    decide("toolu_Explore")
    assert saved().decisions[0].usd == pytest.approx(1000 * (20 - 0.5) / M)


def test_other_prices_change_what_was_kept(home: Path, saved: Saved) -> None:
    answer(home, OPUS, at=NOON, **tokens(10, 10))
    answer(home, HAIKU, at=NOON + 1, agent="Explore", **tokens(0, 1000))
    assert saved().usd == pytest.approx(0.0195)
    table = policy.load()["models"]
    dearer = {**table, OPUS: [{**table[OPUS][0], "output": 120}]}
    assert saved(models=dearer).usd == pytest.approx(0.12 - 0.0005)


def test_a_main_response_that_is_read_late_changes_the_baseline(home: Path, saved: Saved) -> None:
    answer(home, OPUS, at=NOON, **tokens(10, 10))
    answer(home, HAIKU, at=NOON + 60, agent="Explore", **tokens(0, 1000))
    assert saved().usd == pytest.approx(0.0195)
    answer(home, SONNET, at=NOON + 30, **tokens(10, 10))
    assert saved().usd == pytest.approx(0.0095)


def test_days_are_local_and_a_span_may_begin_within_one(
    home: Path, saved: Saved, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "America/New_York")  # midnight is 05:00 UTC, before 1 November 04:00
    time.tzset()
    at = [NOON - 17 * HOUR + n * HOUR for n in (9.5, 10.5, 34.5)]  # 23:30, 00:30, 00:30
    for n, moment in enumerate(at):
        answer(home, OPUS, at=moment - 1, session=f"s{n}", **tokens(1, 1))
        answer(home, HAIKU, at=moment, session=f"s{n}", agent="a", **tokens(0, 1000))
    each = pytest.approx(0.0195)
    assert [(one.key, one.usd) for one in saved().by_day] == [
        ("2026-11-20", each),
        ("2026-11-21", each),
        ("2026-11-22", each),
    ]
    within = saved(span=days.Span(at[0] + 60, at[2] - 60))
    assert [(one.key, one.usd) for one in within.by_day] == [("2026-11-21", each)]
    ends = saved(span=days.Span(at[0] - 60, at[2] + 60))
    assert len(ends.by_day) == 3
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    assert [(one.key, one.amounts.requests) for one in saved().by_day] == [
        ("2026-11-21", 2),
        ("2026-11-22", 1),
    ]


@pytest.mark.parametrize("against", ["main", "opus"])
def test_zones_that_differ_for_some_days_only_have_their_own_days(
    home: Path, saved: Saved, monkeypatch: pytest.MonkeyPatch, against: str
) -> None:
    """Israel's clocks change two days before those of Greece."""
    at = 1774733400  # 2026-03-28 21:30 UTC: 23:30 in Athens, 00:30 in Jerusalem
    answer(home, OPUS, at=at - 1, **tokens(1, 1))
    answer(home, HAIKU, at=at, agent="a", **tokens(0, 1000))
    answer(home, HAIKU, at=at + 2 * HOUR, **tokens(0, 1000))
    found = {}
    for zone in ("Europe/Athens", "Asia/Jerusalem", "Europe/Athens"):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        found[zone] = [one.key for one in saved(baseline=against).by_day]
        assert found[zone][0] == ("2026-03-28" if zone == "Europe/Athens" else "2026-03-29")
    if against == "opus":  # the conversation's answers are dated by their day too
        assert found == {
            "Europe/Athens": ["2026-03-28", "2026-03-29"],
            "Asia/Jerusalem": ["2026-03-29"],
        }


def test_savings_of_the_years_1_and_9999_are_summed(
    home: Path, db: sqlite3.Connection, saved: Saved
) -> None:
    """What older versions took from a mad timestamp ends no report, and takes no time."""
    answer(home, OPUS, at=NOON, **tokens(1, 1))
    answer(home, HAIKU, at=NOON + 1, agent="a", **tokens(0, 1000))
    answer(home, HAIKU, at=NOON + 2, agent="b", **tokens(0, 1000))
    saved()
    for agent, at in (("a", -62_135_596_800.0), ("b", 253_402_214_400.0)):
        run = "SELECT id FROM run WHERE agent_id = ?"
        db.execute(f"UPDATE usage SET at = ? WHERE run = ({run})", (at, agent))
    db.execute("DELETE FROM note WHERE name = 'savings'")
    found = saved()
    assert [one.key for one in found.by_day] == ["1902-01-01", "2400-12-31"]
    assert found.total.requests == 2
    db.execute("DELETE FROM note")
    assert saved() == found
    assert saved(span=days.Span(None, NOON)).total.requests == 1
    assert saved(span=days.Span(NOON, None)).total.requests == 1


def test_a_project_has_its_own_savings(home: Path, db: sqlite3.Connection, saved: Saved) -> None:
    for name in ("app", "lib"):
        cwd, session = f"/repo/{name}", f"session-{name}"
        answer(home, OPUS, at=NOON, session=session, cwd=cwd, **tokens(1, 1))
        answer(home, HAIKU, at=NOON + 1, session=session, cwd=cwd, agent="a", **tokens(0, 1000))
    assert saved().usd == pytest.approx(2 * 0.0195)
    number = ledger.known_id(db, "/repo/app")
    found = savings.query(db, policy.load(), days.Span(), project=number, now=NOON)
    assert found.usd == pytest.approx(0.0195)


def test_a_run_that_proves_to_have_begun_the_day_before_moves_there(
    home: Path, saved: Saved
) -> None:
    answer(home, OPUS, at=NOON - 2 * 86400, **tokens(10, 10))
    answer(home, HAIKU, at=NOON, agent="Explore", **tokens(0, 1000))
    assert [one.key for one in saved().by_day] == ["2026-11-21"]
    answer(home, HAIKU, at=NOON - 86400, agent="Explore", **tokens(0, 1000))
    assert [one.key for one in saved().by_day] == ["2026-11-20"]


def test_a_ledger_that_others_keep_locked_is_reckoned_beside_it(
    home: Path, db: sqlite3.Connection, saved: Saved
) -> None:
    answer(home, OPUS, at=NOON, **tokens(10, 10))
    answer(home, HAIKU, at=NOON + 1, agent="Explore", **tokens(0, 1000))
    with ledger_file.up_to_date(policy.load()):
        pass
    other = ledger.connect(patience=0)
    with ledger.Writing(db):
        caches.shadow(other)
        savings.bring_up(other, policy.load())
        found = savings.query(other, policy.load(), ALWAYS, now=NOON)
    other.close()
    assert found.usd == pytest.approx(0.0195)
    assert db.execute("SELECT count(*) FROM main.saving").fetchone() == (0,)


def test_what_is_up_to_date_is_not_reckoned_again(
    home: Path, db: sqlite3.Connection, saved: Saved
) -> None:
    answer(home, OPUS, at=NOON, **tokens(10, 10))
    answer(home, HAIKU, at=NOON + 1, agent="Explore", **tokens(0, 1000))
    saved()
    before = db.total_changes
    savings.bring_up(db, policy.load())
    assert db.total_changes == before


def test_a_span_may_lie_within_one_day(home: Path, saved: Saved) -> None:
    answer(home, OPUS, at=NOON, **tokens(10, 10))
    for n in (1, 2, 3):
        answer(home, HAIKU, at=NOON + n * HOUR, agent=f"a{n}", **tokens(0, 1000))
    found = saved(span=days.Span(NOON + 1.5 * HOUR, NOON + 2.5 * HOUR))
    assert [one.key for one in found.by_agent] == ["a2"]

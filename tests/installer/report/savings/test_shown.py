"""Savings as they are shown: decisions, windows of a plan, the screen, the JSON."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from books import HAIKU, HOUR, NOON, OPUS, SONNET, answer, decide, tokens
from claude_tier.report import savings
from claude_tier.report.savings import Savings
from claude_tier_hooks import ledger
from syrupy.assertion import SnapshotAssertion

OLD_HAIKU = "claude-haiku-4-5-20251001"
M = 1e6

Saved = Callable[..., Savings]


def test_a_decision_saves_against_what_would_have_run(home: Path, saved: Saved) -> None:
    answer(home, OPUS, at=NOON, **tokens(10, 10))
    answer(home, HAIKU, at=NOON + 1, agent="Explore", **tokens(0, 1000))
    answer(home, HAIKU, at=NOON + 2, agent="Plan", **tokens(0, 1000))
    decide("toolu_Explore", would="sonnet", ran=None)
    decide("toolu_other", at=NOON + 5)
    decide("toolu_Plan", at=NOON + 6, agent="Plan", action="kept")

    found = saved()

    waiting, shown = found.decisions
    assert (shown.tool_use_id, shown.would, shown.ran) == ("toolu_Explore", "sonnet", HAIKU)
    assert shown.proof == "held"
    assert shown.actual_usd == pytest.approx(1000 * 0.5 / M)
    assert shown.usd == pytest.approx(1000 * (10 - 0.5) / M)  # sonnet, not opus
    assert (waiting.ran, waiting.usd, waiting.actual_usd) == (None, None, None)
    assert "not seen yet" in savings.as_text(found, width=80)


def test_a_decision_that_was_not_kept_to_is_shown_as_such(home: Path, saved: Saved) -> None:
    decide("toolu_Explore")
    answer(home, OPUS, at=NOON, **tokens(10, 10))
    answer(home, SONNET, at=NOON + 1, agent="Explore", **tokens(0, 1000))
    found = saved()
    assert found.decisions[0].proof == "over"
    assert "NOT as set" in savings.as_text(found, width=120)


def test_a_subscriber_reads_percent_of_the_window_first(
    home: Path, db: sqlite3.Connection, saved: Saved
) -> None:
    answer(home, OPUS, at=NOON - 60, **tokens(0, 1000))  # 0.02
    answer(home, HAIKU, at=NOON - 30, agent="Explore", **tokens(0, 1000))  # 0.0005, opus 0.02
    answer(home, OPUS, at=NOON - 6 * HOUR, session="before", **tokens(0, 50_000))
    with ledger.Writing(db):
        db.execute("INSERT INTO plan_window VALUES ('five_hour', 41, ?, ?)", (NOON + HOUR, NOON))
        db.execute("INSERT INTO plan_window VALUES ('seven_day', 9, 1000, 1000)")

    found = saved()

    (window,) = found.plan  # the other one was reset long ago
    assert window.spent_usd == pytest.approx(0.0205)
    assert window.saved_percent == pytest.approx(41 * 0.0195 / 0.0205)  # 39.0
    first, second = savings.as_text(found, width=80).splitlines()[:2]
    assert first == "Plan, five-hour window: tiering saved 39.0 % of it; 41 % is used."
    assert second.startswith("Saved $0.02 at list prices")
    assert "Assumed: the plan weighs" in savings.as_text(found, width=80)


def test_a_window_without_spending_is_not_known_to_be_saved(
    db: sqlite3.Connection, home: Path, saved: Saved
) -> None:
    answer(home, OPUS, at=NOON - 6 * HOUR, **tokens(0, 1000))
    answer(home, HAIKU, at=NOON - 6 * HOUR, agent="a", **tokens(0, 1000))
    with ledger.Writing(db):
        db.execute("INSERT INTO plan_window VALUES ('five_hour', 41, ?, ?)", (NOON + HOUR, NOON))
    found = saved()
    assert found.plan[0].saved_percent is None
    assert "nothing was spent" in savings.as_text(found, width=80)


def test_nothing_to_compare_is_said(saved: Saved) -> None:
    found = saved()
    assert found.usd == 0
    assert savings.as_text(found, width=80).startswith("Nothing ran")


def test_the_screen(home: Path, saved: Saved, snapshot: SnapshotAssertion) -> None:
    answer(home, OPUS, at=NOON, **tokens(10, 500))
    answer(home, HAIKU, at=NOON + 60, agent="Explore", **tokens(1000, 400, 0, 20_000))
    answer(home, HAIKU, at=NOON + 90, agent="Explore", **tokens(500, 2000, 20_000, 5000))
    answer(home, OLD_HAIKU, at=NOON + 90, agent="reviewer", **tokens(500, 90_000))
    answer(home, SONNET, at=NOON + 86400, agent="Plan", **tokens(0, 10, 0, 100_000))
    answer(home, "mystery-1", at=NOON + 95, agent="test-runner", **tokens(1, 1))
    decide("toolu_Explore")
    decide("toolu_Plan", at=NOON + 86400, agent="Plan", action="lowered", set_tier="haiku")
    text = savings.as_text(saved(), width=80)
    assert max(map(len, text.splitlines())) <= 80
    assert text == snapshot


def test_the_json_has_every_figure(home: Path, saved: Saved) -> None:
    answer(home, OPUS, at=NOON, **tokens(10, 10))
    answer(home, HAIKU, at=NOON + 1, agent="Explore", **tokens(0, 1000))
    decide("toolu_Explore")
    made = json.loads(json.dumps(saved().fields()))
    assert made["usd"] == pytest.approx(0.0195)
    assert made["days"][0]["day"] == "2026-11-21"
    assert made["agents"][0]["agent"] == "Explore"
    assert (made["models"][0]["model"], made["models"][0]["baseline"]) == (HAIKU, OPUS)
    assert made["decisions"][0]["usd"] == pytest.approx(0.0195)


def test_a_window_that_was_reset_holds_nothing_from_after_it(
    home: Path, db: sqlite3.Connection, saved: Saved
) -> None:
    answer(home, OPUS, at=NOON - 2 * HOUR, **tokens(0, 1000))  # 0.02
    answer(home, HAIKU, at=NOON - 2 * HOUR + 1, agent="a", **tokens(0, 1000))  # 0.0005
    answer(home, OPUS, at=NOON - 60, **tokens(0, 50_000))
    answer(home, HAIKU, at=NOON - 59, agent="b", **tokens(0, 50_000))
    with ledger.Writing(db):
        db.execute("INSERT INTO plan_window VALUES ('five_hour', 10, ?, 1)", (NOON - HOUR,))
    (window,) = saved().plan
    assert not window.current
    assert window.spent_usd == pytest.approx(0.0205)
    assert window.saved_usd == pytest.approx(0.0195)
    assert "10 % was used" in savings.as_text(saved(), width=80)


def test_a_decision_on_a_run_without_a_price_has_no_figure(home: Path, saved: Saved) -> None:
    decide("toolu_Explore")
    answer(home, OPUS, at=NOON, **tokens(10, 10))
    answer(home, "mystery-1", at=NOON + 1, agent="Explore", **tokens(0, 1000))
    one = saved().decisions[0]
    assert (one.ran, one.actual_usd, one.usd) == ("mystery-1", None, None)

"""A history made by the real gate comes out of the replay exactly as it was made."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from books import HAIKU, NOON, OPUS, SONNET, append, budget, decide, policy, transcript
from claude_tier.report import days, simulate
from claude_tier_hooks import gate, ledger, state
from claude_tier_hooks import policy as runtime
from histories import PROJECT, SESSION, Past

FABLE = "claude-fable-5-2"
FAN_OUT = {"max_new_agents": 2, "seconds": 600, "action": "deny"}


@pytest.fixture
def past(home: Path, monkeypatch: pytest.MonkeyPatch) -> Past:
    return Past(home, monkeypatch)


@contextlib.contextmanager
def opened() -> Iterator[sqlite3.Connection]:
    db = ledger.connect()
    try:
        yield db
    finally:
        db.close()


def replayed(**options: Any) -> simulate.Simulation:
    with opened() as db:
        return simulate.replay(db, runtime.load(), days.Span(), **options)


def actions() -> list[tuple[str, str | None]]:
    with opened() as db:
        return db.execute("SELECT action, set_tier FROM decision ORDER BY at").fetchall()


def assert_reproduced(number: int) -> None:
    """By each decision's own rules, and under the present policy named as another."""
    found = replayed()
    assert found.changed == ()
    assert (found.decisions, found.identical, found.approximate) == (number, number, 0)
    other = replayed(policy=runtime.load(), name="the same")
    assert other.changed == ()
    assert (other.decisions, other.identical) == (number, number)
    assert other.happened_usd == other.simulated_usd
    assert all(one.happened_usd == one.simulated_usd for one in other.days)
    assert all(one.happened == one.simulated for one in other.trips)


def test_levels_from_ok_to_stop(past: Past, home: Path) -> None:
    """Four dollars a million: each response of the conversation costs one of ten dollars."""
    policy(home, budgets=[budget()], assign={"Explore": {"tier": "haiku", "effort": None}})
    for hour in range(12):
        past.used(NOON + 600 * hour, input_tokens=250_000)
        past.run(NOON + 600 * hour + 10, "Plan", SONNET, input_tokens=1000)
        past.run(NOON + 600 * hour + 200, "Explore", HAIKU, input_tokens=1000)
    assert {"kept", "assigned", "lowered", "denied"} <= {action for action, _ in actions()}
    assert_reproduced(24)


@pytest.mark.parametrize("on_stop", ["deny", "lowest", "ask"])
def test_every_way_to_stop(past: Past, home: Path, on_stop: str) -> None:
    policy(home, budgets=[budget(limit=1.0, on_stop=on_stop)])
    past.used(NOON, input_tokens=500_000)
    past.run(NOON + 10, "Plan")
    past.run(NOON + 100, "Explore", given={"model": "sonnet"})
    expected = {"deny": "denied", "lowest": "lowered", "ask": "asked"}[on_stop]
    assert [action for action, _ in actions()] == [expected] * 2
    assert_reproduced(2)


def test_a_question_where_nobody_can_answer_it(past: Past, home: Path) -> None:
    """Inside a subagent `ask` denies."""
    policy(home, budgets=[budget(limit=1.0, on_stop="ask")])
    past.used(NOON, input_tokens=500_000)
    past.ask(NOON + 10, "Plan")
    past.ask(NOON + 20, "Plan", inside="a1")
    assert [action for action, _ in actions()] == ["asked", "denied"]
    assert_reproduced(2)


def test_an_agent_that_the_client_itself_caps(past: Past, home: Path) -> None:
    """Explore runs on opus at most, so that a ceiling of opus lowers nothing."""
    policy(home, budgets=[budget(limit=1.0, stop=9.0, ceiling="opus")])
    past.used(NOON, FABLE, input_tokens=500_000)
    past.ask(NOON + 10, "Explore")
    past.ask(NOON + 20, "Plan")
    assert actions() == [("kept", None), ("lowered", "opus")]
    assert_reproduced(2)


@pytest.mark.parametrize("action", ["warn", "lower", "deny"])
def test_the_fan_out(past: Past, home: Path, action: str) -> None:
    policy(home, fan_out={**FAN_OUT, "action": action})
    past.used(NOON)
    for number in range(5):
        past.run(NOON + 100 * (number + 1), "Plan")
    past.run(NOON + 2000, "Plan")
    assert len(set(actions())) == (1 if action == "warn" else 2)
    assert_reproduced(6)


def test_exempt_floor_forced_and_fork(
    past: Past, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy(
        home,
        budgets=[budget(limit=1.0, on_stop="lowest")],
        exempt=["Plan"],
        floor={"Explore": "sonnet"},
        assign={"general-purpose": {"tier": "sonnet", "effort": "low"}},
    )
    past.used(NOON, input_tokens=500_000)
    for number, agent in enumerate(("Plan", "Explore", "general-purpose", "fork", "nobody")):
        past.run(NOON + 100 * (number + 1), agent)
    monkeypatch.setenv("CLAUDE_CODE_SUBAGENT_MODEL_FORCE", "1")
    past.ask(NOON + 700, "Explore")
    monkeypatch.setenv("ANTHROPIC_DEFAULT_HAIKU_MODEL", OPUS)
    past.ask(NOON + 800, "Explore")
    assert len({action for action, _ in actions()}) == 3
    assert_reproduced(7)


def test_switched_off(past: Past, home: Path) -> None:
    """Nobody would have been told otherwise under another policy either."""
    policy(home, budgets=[budget(limit=1.0)], fan_out=FAN_OUT)
    past.used(NOON, input_tokens=500_000)
    state.write_private(state.path("off"), json.dumps({"until": NOON + 500}))
    past.run(NOON + 10, "Plan")
    past.run(NOON + 600, "Plan")
    assert actions() == [("kept", None), ("denied", None)]
    assert_reproduced(2)


def test_nested_messages_and_workflows(past: Past, home: Path) -> None:
    """A subagent asks for another; a finished one is woken; a workflow starts its own."""
    policy(home, budgets=[budget(limit=10.0)], assign={"Explore": {"tier": "haiku"}})
    past.used(NOON, input_tokens=1000)
    outer = past.run(NOON + 10, "Plan", SONNET, input_tokens=1000)
    past.run(NOON + 30, "Explore", HAIKU, inside=outer)
    past.ask(NOON + 100, tool="SendMessage", to=outer)
    past.stop(NOON + 150, outer, "Plan")
    past.ask(NOON + 200, tool="SendMessage", to="somebody-else")
    past.ask(NOON + 300, tool="Workflow", name="w")
    past.used(NOON + 400, input_tokens=2_500_000)
    past.ask(NOON + 500, tool="Workflow", name="w")
    past.ask(NOON + 600, tool="SendMessage", to=outer)
    with opened() as db:
        tools = db.execute("SELECT tool, action, would FROM decision ORDER BY at").fetchall()
    assert tools == [
        ("Agent", "kept", OPUS),
        ("Agent", "assigned", SONNET),
        ("SendMessage", "kept", SONNET),
        ("Workflow", "kept", OPUS),
        ("Workflow", "denied", OPUS),
        ("SendMessage", "denied", SONNET),
    ]
    assert_reproduced(6)


def test_what_the_spool_kept(past: Past, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three spawns while the ledger is locked: each adds what waits to what is reserved."""
    monkeypatch.setattr("claude_tier_hooks.ledger.PATIENCE", 0.0)
    policy(home, budgets=[budget(limit=1.0)])
    past.used(NOON, input_tokens=200_000)
    past.run(NOON + 10, "Plan")
    with contextlib.closing(ledger.connect()) as other:
        other.execute("BEGIN IMMEDIATE")
        for number in range(3):
            ask_quietly(past, NOON + 200 + number)
        other.execute("ROLLBACK")
    past.run(NOON + 300, "Plan")
    found = replayed()
    assert (found.decisions, found.identical, found.approximate) == (5, 5, 0)


def ask_quietly(past: Past, at: float) -> None:
    """Of a locked ledger the log says so, which is no fault here."""
    past.now = at
    gate.answer(
        {
            "session_id": SESSION, "cwd": PROJECT, "tool_name": "Agent",
            "tool_use_id": f"toolu_locked{at}", "tool_input": {"subagent_type": "Plan"},
        }
    )  # fmt: skip
    (past.home / ".claude/claude-tier/hooks.log").unlink(missing_ok=True)


@pytest.mark.parametrize("period", ["session", "week", "month", "five_hour", "seven_day"])
@pytest.mark.parametrize("unit", ["usd", "tokens"])
@pytest.mark.parametrize("kind", ["user", "project", "session", "agent"])
def test_every_kind_of_budget(past: Past, home: Path, kind: str, unit: str, period: str) -> None:
    limit = 1.0 if unit == "usd" else 300_000
    scope = {"kind": kind, "name": "Plan" if kind == "agent" else None}
    policy(home, budgets=[budget(period=period, unit=unit, limit=limit, scope=scope)])
    past.used(NOON, input_tokens=100_000)
    past.run(NOON + 10, "Plan", input_tokens=200_000)
    past.run(NOON + 700, "Plan", input_tokens=200_000)
    past.run(NOON + 30_000, "Plan", input_tokens=10)
    assert_reproduced(3)


def test_plan_windows(past: Past, home: Path) -> None:
    policy(home, budgets=[budget(unit="plan_percent", period="five_hour", limit=100.0)])
    past.used(NOON)
    past.run(NOON + 10, "Plan")
    with opened() as db:
        window = ("five_hour", 95.0, NOON + 3600, NOON + 20)
        db.execute("INSERT INTO plan_window VALUES (?, ?, ?, ?)", window)
        db.execute("INSERT INTO plan_sample VALUES (?, 'five_hour', 95.0, ?)", window[:1:-1])
    past.run(NOON + 100, "Plan")
    past.run(NOON + 4000, "Plan")
    assert [action for action, _ in actions()] == ["kept", "lowered", "kept"]
    assert_reproduced(3)


def test_each_decision_has_the_rules_of_its_time(past: Past, home: Path) -> None:
    """The policy in force now is another one."""
    policy(home, assign={"Plan": {"tier": "haiku"}})
    past.used(NOON)
    past.run(NOON + 10, "Plan")
    policy(home, exempt=["Plan"])
    past.run(NOON + 100, "Plan")
    assert actions() == [("assigned", "haiku"), ("kept", None)]
    assert replayed().identical == 2


def test_a_main_model_nobody_knew(past: Past, home: Path) -> None:
    policy(home, budgets=[budget(limit=1.0, on_stop="lowest")])
    append(transcript(home, SESSION, PROJECT), {"type": "user", "sessionId": SESSION})
    past.ask(NOON + 10, "Plan")
    assert actions() == [("left", None)]
    assert_reproduced(1)


def test_a_changed_row_is_told(past: Past, home: Path) -> None:
    """Whichever column it is that does not follow from what was kept."""
    policy(home, budgets=[budget(limit=1.0)])
    past.used(NOON, input_tokens=240_000)
    past.run(NOON + 10, "Plan")
    assert replayed().identical == 1
    for change in ("action = 'kept'", "set_tier = 'opus'", "reason = ''", "budget = 'other'",
                   "level = 'ok'", "used = used + 1e-12"):  # fmt: skip
        with opened() as db:
            db.execute("BEGIN")
            db.execute(f"UPDATE decision SET {change}")
            found = simulate.replay(db, runtime.load(), days.Span())
            db.execute("ROLLBACK")
        assert (found.identical, len(found.changed)) == (0, 1), change


def test_older_decisions_are_replayed_from_their_columns(home: Path) -> None:
    """And counted as approximate."""
    policy(home, assign={"Explore": {"tier": "haiku", "effort": None}}, budgets=[budget()])
    decide("one")
    decide("two", agent="Plan", action="lowered", set_tier="sonnet", budget="daily", level="cap",
           used=0.93, reason="budget daily is at 93 %")  # fmt: skip
    decide("three", agent="Plan", action="denied", set_tier=None, reason="unknowable now")
    found = replayed()
    assert (found.decisions, found.approximate, found.identical) == (3, 3, 2)
    assert [one.tool_use_id for one in found.changed] == ["three"]
    assert found.changed[0].approximate


def test_facts_that_are_noise_are_as_good_as_none(past: Past, home: Path) -> None:
    policy(home)
    past.used(NOON)
    past.run(NOON + 10, "Plan")
    with opened() as db:
        db.execute("UPDATE decision SET facts = '{\"standings'")
    assert (replayed().approximate, replayed().identical) == (1, 1)

"""Subagents that no decision explains, under another policy, reckoned by hand.

A million tokens of input cost $4 on opus, $2 on sonnet and $0.10 on haiku.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest
from books import HAIKU, NOON, OPUS, SONNET, budget, decide, policy
from claude_tier.report import days, simulate
from claude_tier_hooks import decisions, ledger
from claude_tier_hooks import policy as runtime
from histories import SESSION, Past

DAY = 86400.0
TENTH = 100_000  # tokens: $0.40 on opus
ON_HAIKU = {"assign": {"Explore": {"tier": "haiku", "effort": None}}}


def under(span: days.Span = days.Span(), **rules: Any) -> simulate.Simulation:  # noqa: B008
    """The history under the shipped prices and these rules alone."""
    other = {**runtime.load(), "assign": {}, "budgets": [], "fan_out": None, "exempt": [],
             "floor": {}, **rules}  # fmt: skip
    with contextlib.closing(ledger.connect()) as db:
        return simulate.replay(db, runtime.load(), span, policy=other, name="other")


def checked(span: days.Span = days.Span()) -> simulate.Simulation:  # noqa: B008
    with contextlib.closing(ledger.connect()) as db:
        return simulate.replay(db, runtime.load(), span)


def ran(past: Past, at: float, agent: str, model: str = OPUS, tokens: int = TENTH) -> str:
    """A subagent's only response, of which no hook heard; its number."""
    number = f"{agent}{at:.0f}"
    past.used(at, model, run=(f"a{number}", agent, f"toolu_{number}"), input_tokens=tokens)
    return number


@pytest.fixture(autouse=True)
def free(home: Path) -> None:
    """No rule was in force."""
    policy(home, assign={}, budgets=[])


def test_an_inherited_model_is_assigned_and_a_chosen_one_left(past: Past) -> None:
    """Of $1.40 the Explore on the conversation's opus becomes one cent: $1.01."""
    past.used(NOON, input_tokens=TENTH)
    moved = ran(past, NOON + 100, "Explore")
    ran(past, NOON + 200, "Explore", SONNET)  # somebody asked for it
    ran(past, NOON + 300, "Plan")
    past.read()
    found = under(**ON_HAIKU)
    (changed,) = found.changed
    assert (changed.at, changed.session, changed.tool, changed.agent, changed.tool_use_id) == (
        NOON + 100, SESSION, "Agent", "Explore", f"toolu_{moved}",
    )  # fmt: skip
    assert changed.happened == simulate.Verdict("kept", None, None, None, None, None)
    assert (changed.simulated.action, changed.simulated.set) == ("assigned", "haiku")
    assert (changed.happened_usd, changed.simulated_usd) == pytest.approx((0.4, 0.01))
    assert changed.approximate
    assert changed.reconstructed
    assert (found.happened_usd, found.simulated_usd) == pytest.approx((1.4, 1.01))
    assert (found.decisions, found.identical) == (0, 0)
    assert (found.reconstructed, found.approximate) == (3, 3)


def test_what_is_inherited_is_the_conversations_model_at_that_time(past: Past) -> None:
    """Sonnet is inherited after the change to it, not before."""
    ran(past, NOON - 100, "Explore")  # before any answer: the next one's model
    past.used(NOON, input_tokens=10)
    ran(past, NOON + 100, "Explore", SONNET)
    past.used(NOON + 200, SONNET, input_tokens=10)
    ran(past, NOON + 300, "Explore", SONNET)
    ran(past, NOON + 400, "Explore", OPUS)
    past.read()
    found = under(**ON_HAIKU)
    assert [one.at for one in found.changed] == [NOON - 100, NOON + 300]
    assert [one.simulated_usd for one in found.changed] == pytest.approx([0.01, 0.01])


def test_a_budget_lowers_then_denies(past: Past) -> None:
    """One dollar a day: 0.50, 0.90 (cap), 1.10 on sonnet (stop); the rest is not spent."""
    past.used(NOON, input_tokens=125_000)
    for number in range(4):
        ran(past, NOON + 1000 * (number + 1), "Plan")
    past.read()
    found = under(budgets=[budget(limit=1.0)])
    assert [(one.simulated.action, one.simulated.set) for one in found.changed] == [
        ("lowered", "sonnet"), ("denied", None), ("denied", None),
    ]  # fmt: skip
    assert [one.simulated.used for one in found.changed] == pytest.approx([0.9, 1.1, 1.1])
    assert (found.happened_usd, found.simulated_usd) == pytest.approx((2.1, 1.1))
    assert found.counts() == {"lowered": 1, "denied": 2}


def test_what_it_still_was_to_spend_is_reserved_until_its_last_response(past: Past) -> None:
    """A type's usual 0.40 is held while a run goes on, and let go of when it is over."""
    past.used(NOON)
    ran(past, NOON + 100, "Plan")
    both = [("a1", "Plan", "toolu_1"), ("a2", "Plan", "toolu_2")]
    past.used(NOON + 5000, run=both[0], input_tokens=10)
    past.used(NOON + 5001, run=both[1], input_tokens=10)
    past.used(NOON + 5100, run=both[0], input_tokens=10)
    past.used(NOON + 5100, run=both[1], input_tokens=10)
    past.used(NOON + 5200, run=("a3", "Plan", "toolu_3"), input_tokens=10)
    past.read()
    found = under(budgets=[budget(limit=0.85, cap=0.9)])
    assert [(one.at, one.simulated.action) for one in found.changed] == [(NOON + 5001, "lowered")]


def test_the_fan_out_counts_them(past: Past) -> None:
    """Two within the period; a third is denied, a later one is not."""
    past.used(NOON)
    for at in (10, 20, 30, 500):
        ran(past, NOON + at, "Plan")
    past.read()
    found = under(fan_out={"max_new_agents": 2, "seconds": 100, "action": "deny"})
    assert [(one.at, one.simulated.action) for one in found.changed] == [(NOON + 30, "denied")]
    assert found.simulated_usd == pytest.approx(1.2)


def test_a_run_with_a_decision_is_not_counted_twice(past: Past) -> None:
    """An install in the middle of a session: one before it, one after, each once."""
    past.used(NOON, input_tokens=TENTH)
    ran(past, NOON + 100, "Explore")
    past.run(NOON + 1000, "Explore", input_tokens=TENTH)
    found = under(**ON_HAIKU)
    assert (found.decisions, found.reconstructed, found.approximate) == (1, 1, 1)
    assert [(one.at, one.reconstructed) for one in found.changed] == [
        (NOON + 100, True), (NOON + 1000, False),
    ]  # fmt: skip
    assert (found.happened_usd, found.simulated_usd) == pytest.approx((1.2, 0.42))


def test_a_decision_explains_a_run_by_its_call_or_by_its_id(past: Past) -> None:
    past.used(NOON)
    call = ran(past, NOON + 100, "Plan")
    linked = ran(past, NOON + 110, "Plan")
    past.read()
    decide(f"toolu_{call}", at=NOON + 200, agent="Plan", action="kept", set_tier=None)
    decide("toolu_else", at=NOON + 200, agent="Plan", action="kept", set_tier=None)
    assert checked().reconstructed == 1
    with contextlib.closing(ledger.connect()) as db, ledger.Writing(db):
        decisions.link(db, ledger.known_id(db, SESSION), "toolu_else", f"a{linked}")
    assert checked().reconstructed == 0


def test_what_the_gate_was_not_asked_about_stays(past: Past) -> None:
    """A workflow's subagent after the session's first decision is no spawn of its own."""
    past.used(NOON)
    past.run(NOON + 100, "Plan", input_tokens=10)
    ran(past, NOON + 200, "Explore")
    past.read()
    found = under(**ON_HAIKU)
    assert (found.reconstructed, found.changed) == (0, ())


def test_runs_without_a_type_and_forks_stay(past: Past) -> None:
    """A compaction is nothing that a policy decides on; a fork runs on its parent's model."""
    past.used(NOON)
    ran(past, NOON + 100, "")
    ran(past, NOON + 200, "fork")
    past.read()
    found = under(assign={"*": {"tier": "haiku", "effort": None}}, budgets=[budget(limit=0.1)])
    assert (found.reconstructed, found.changed) == (1, ())
    assert found.simulated_usd == found.happened_usd


def test_two_runs_of_one_call_are_two_spawns(past: Past) -> None:
    past.used(NOON)
    past.used(NOON + 100, run=("a1", "Explore", "toolu_1"), input_tokens=TENTH)
    past.used(NOON + 200, SONNET, run=("a2", "Explore", "toolu_1"), input_tokens=TENTH)
    past.read()
    found = under(**ON_HAIKU)
    assert found.reconstructed == 2
    assert [one.at for one in found.changed] == [NOON + 100]
    assert found.simulated_usd == pytest.approx(0.21)


def test_only_the_span_is_decided_on(past: Past) -> None:
    """A run belongs to the day of its first response; what ran before counts for budgets."""
    past.used(NOON)
    for at in (0, DAY, 2 * DAY):
        ran(past, NOON + 10 + at, "Explore")
    past.read()
    span = days.Span(NOON + DAY, NOON + 2 * DAY)
    found = under(span, **ON_HAIKU)
    assert [one.at for one in found.changed] == [NOON + DAY + 10]
    assert found.reconstructed == checked(span).reconstructed == 1
    monthly = under(span, budgets=[budget(limit=0.4, period="month")])
    assert [one.simulated.action for one in monthly.changed] == ["denied"]


def test_no_rule_changes_nothing(past: Past) -> None:
    past.used(NOON, HAIKU)
    for number, model in enumerate((OPUS, SONNET, HAIKU)):
        ran(past, NOON + number, "Plan", model, 333 * number)
    past.read()
    found = under()
    assert (found.changed, found.reconstructed) == ((), 3)
    assert all(one.happened_usd == one.simulated_usd for one in found.days)

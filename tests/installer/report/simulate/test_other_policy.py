"""Histories small enough to reckon by hand, under another policy.

A million tokens of input cost $4 on opus, $2 on sonnet and $0.10 on haiku.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest
from books import HAIKU, NOON, OPUS, SONNET, budget, decide, policy
from claude_tier.report import days, simulate
from claude_tier.report.simulate.screen import assumed
from claude_tier_hooks import ledger, prices
from claude_tier_hooks import policy as runtime
from histories import SESSION, Past

DAY = 86400.0
TENTH = 100_000  # tokens: $0.40 on opus


def under(span: days.Span = days.Span(), **rules: Any) -> simulate.Simulation:  # noqa: B008
    """The history under the shipped prices and these rules alone."""
    other = {**runtime.load(), "assign": {}, "budgets": [], "fan_out": None, "exempt": [],
             "floor": {}, **rules}  # fmt: skip
    with contextlib.closing(ledger.connect()) as db:
        return simulate.replay(db, runtime.load(), span, policy=other, name="other")


def sides(one: simulate.Changed) -> tuple[str, str | None, str, str | None]:
    return (one.happened.action, one.happened.set, one.simulated.action, one.simulated.set)


@pytest.fixture(autouse=True)
def free(home: Path) -> None:
    """What happened, happened without any rule, unless a test says otherwise."""
    policy(home, assign={}, budgets=[])


def test_an_assignment_puts_the_run_on_its_model(past: Past) -> None:
    """Forty cents on opus are one cent on haiku; the conversation costs what it did."""
    past.used(NOON, input_tokens=TENTH)
    past.run(NOON + 10, "Plan", input_tokens=TENTH)
    past.run(NOON + DAY, "Explore", input_tokens=TENTH)
    found = under(assign={"Plan": {"tier": "haiku", "effort": None}})
    assert [sides(one) for one in found.changed] == [("kept", None, "assigned", "haiku")]
    assert found.changed[0].happened_usd == pytest.approx(0.4)
    assert found.changed[0].simulated_usd == pytest.approx(0.01)
    first, second = found.days
    assert (first.day, second.day) == ("2026-11-21", "2026-11-22")
    assert (first.happened_usd, first.simulated_usd) == pytest.approx((0.8, 0.41))
    assert (second.happened_usd, second.simulated_usd) == pytest.approx((0.4, 0.4))
    assert found.simulated_usd == pytest.approx(0.81)
    assert (found.decisions, found.identical) == (2, 1)


def test_cache_reads_and_output_have_prices_of_their_own(past: Past) -> None:
    used = {"output_tokens": 1000, "cache_read_input_tokens": 50_000}
    past.used(NOON)
    past.run(NOON + 10, "Plan", input_tokens=10, **used)
    found = under(assign={"Plan": {"tier": "sonnet"}})
    figures = {"input": 10, "output": 1000, "cache_read": 50_000, "cache_write_5m": 0,
               "cache_write_1h": 0}  # fmt: skip
    expected = prices.price(prices.shipped(), SONNET, NOON, figures)
    assert found.changed[0].simulated_usd == pytest.approx(expected)


def test_a_budget_lowers_then_denies_and_what_it_denies_leaves_it(past: Past) -> None:
    """One dollar a day: 0.50, 0.90 (cap), 1.10 on sonnet (stop); the rest is not spent."""
    past.used(NOON, input_tokens=125_000)
    for number in range(4):
        past.run(NOON + 1000 * (number + 1), "Plan", input_tokens=TENTH)
    found = under(budgets=[budget(limit=1.0)])
    assert [sides(one)[2:] for one in found.changed] == [
        ("lowered", "sonnet"), ("denied", None), ("denied", None),
    ]  # fmt: skip
    assert [one.simulated.used for one in found.changed] == pytest.approx([0.9, 1.1, 1.1])
    assert [one.simulated_usd for one in found.changed] == pytest.approx([0.2, 0.0, 0.0])
    assert (found.happened_usd, found.simulated_usd) == pytest.approx((2.1, 1.1))
    assert [(one.level, one.happened, one.simulated) for one in found.trips] == [
        ("warn", None, NOON + 1030),
        ("cap", None, NOON + 1030),
        ("stop", None, NOON + 2030),
    ]
    assert "at 110 %" in str(found.changed[1].simulated.reason)


def test_a_recorded_budget_stands_where_it_was_less_what_is_saved(past: Past, home: Path) -> None:
    """Two dollars a day in both: without the two Plans it never came to its cap."""
    daily = budget(limit=2.0)
    policy(home, assign={}, budgets=[daily])
    past.used(NOON, input_tokens=250_000)
    past.run(NOON + 1000, "Plan", input_tokens=TENTH)
    past.run(NOON + 2000, "Plan", input_tokens=TENTH)
    past.run(NOON + 3000, "Explore", SONNET, input_tokens=TENTH)
    plans = budget("plans", scope={"kind": "agent", "name": "Plan"}, limit=1e-9, stop=0.0,
                   cap=0.0, warn=0.0, recover=0.0)  # fmt: skip
    found = under(budgets=[daily, plans])
    assert [sides(one) for one in found.changed] == [
        ("kept", None, "denied", None),
        ("kept", None, "denied", None),
        ("lowered", "sonnet", "kept", None),
    ]
    last = found.changed[-1]
    assert (last.happened.used, last.simulated.used) == pytest.approx((0.9, 0.5))
    assert (last.happened_usd, last.simulated_usd) == pytest.approx((0.2, 0.4))
    assert found.simulated_usd == pytest.approx(1.4)
    trips = {one.level: (one.happened, one.simulated) for one in found.trips
             if one.budget == "daily"}  # fmt: skip
    assert trips == {"warn": (NOON + 2030, None), "cap": (NOON + 2030, None),
                     "stop": (NOON + 3030, None)}  # fmt: skip


def test_what_was_denied_and_would_have_run_costs_what_its_type_does(
    past: Past, home: Path
) -> None:
    """The median of the runs before it."""
    policy(home, assign={}, budgets=[budget(limit=1.0)])
    past.used(NOON)
    for number, tokens in enumerate((50_000, TENTH, 120_000)):  # 0.20, 0.40, 0.48
        past.run(NOON + 1000 * (number + 1), "Plan", input_tokens=tokens)
    past.run(NOON + 5000, "Plan")
    found = under()
    (denied,) = found.changed
    assert sides(denied) == ("denied", None, "kept", None)
    assert denied.estimated
    assert (denied.happened_usd, denied.simulated_usd) == pytest.approx((0.0, 0.4))
    assert found.estimated_usd == pytest.approx(0.4)
    assert found.simulated_usd == pytest.approx(found.happened_usd + 0.4)
    assert any("estimate" in line or "usually" in line for line in assumed(found))


def test_running_subagents_are_reserved_for(past: Past) -> None:
    """Three at once, each expected to cost 0.40: the third takes a dollar over its limit."""
    past.used(NOON)
    past.run(NOON + 1, "Plan", input_tokens=50_000)
    calls = [past.ask(NOON + 100 + number, "Plan") for number in range(6)]
    for call in calls:
        past.used(NOON + 200, run=(f"a{call}", "Plan", call), input_tokens=50_000)
        past.stop(NOON + 300, f"a{call}", "Plan")
    found = under(budgets=[budget(limit=1.0)])
    # 0.20 spent; the gate sees 0.20, 0.40, 0.60, 0.80 (warn), 1.00 (stop)
    assert [sides(one)[2] for one in found.changed] == ["denied", "denied"]
    assert "its running subagents not counted" in str(found.changed[0].simulated.reason)
    assert found.simulated_usd == pytest.approx(1.0)


def test_what_a_running_subagent_has_spent_is_not_reserved_twice(past: Past) -> None:
    """Expected to cost 0.40 and half way there: the gate sees 0.80, not 1.00."""
    past.used(NOON)
    past.run(NOON + 1, "Plan", input_tokens=TENTH)
    call = past.ask(NOON + 100, "Plan")
    past.used(NOON + 150, run=(f"a{call}", "Plan", call), input_tokens=TENTH // 2)
    past.ask(NOON + 200, "Plan")
    past.used(NOON + 210, run=(f"a{call}", "Plan", call), input_tokens=TENTH // 2)
    past.stop(NOON + 300, f"a{call}", "Plan")
    tight = budget(limit=1.0, cap=0.85, recover=0.8)
    assert under(budgets=[tight]).changed == ()


def test_nothing_is_reserved_for_what_would_not_run(past: Past, home: Path) -> None:
    """Recorded: 0.40 spent, 0.40 reserved, so the last was lowered. The other denies the second."""
    daily = budget(limit=0.85)
    policy(home, assign={}, budgets=[daily])
    past.used(NOON)
    past.run(NOON + 1, "Plan", input_tokens=TENTH)
    call = past.ask(NOON + 100, "Plan")
    past.ask(NOON + 200, "Explore")
    past.used(NOON + 210, run=(f"a{call}", "Plan", call), input_tokens=TENTH)
    past.stop(NOON + 300, f"a{call}", "Plan")
    plans = budget("plans", scope={"kind": "agent", "name": "Plan"}, limit=0.4)
    found = under(budgets=[daily, plans])
    assert [sides(one) for one in found.changed] == [
        ("kept", None, "denied", None), ("lowered", "sonnet", "kept", None),
    ]  # fmt: skip
    assert found.changed[1].happened.used == found.changed[1].simulated.used


def test_the_fan_out_counts_what_the_other_policy_lets_run(past: Past) -> None:
    """Two in ten minutes; those it denies do not count for the next."""
    past.used(NOON)
    for number in range(5):
        past.run(NOON + 100 * (number + 1), "Plan", input_tokens=TENTH)
    past.run(NOON + 750, "Plan", input_tokens=TENTH)
    found = under(fan_out={"max_new_agents": 2, "seconds": 600, "action": "deny"})
    assert [one.at - NOON for one in found.changed] == [300, 400, 500]
    assert found.simulated_usd == pytest.approx(1.2)


def test_a_recorded_fan_out_is_corrected_by_what_differs(past: Past, home: Path) -> None:
    """The same ten minutes as recorded, but those it denies do not count."""
    gate = {"max_new_agents": 3, "seconds": 600, "action": "warn"}
    policy(home, assign={}, budgets=[], fan_out=gate)
    past.used(NOON)
    for number in range(4):
        past.run(NOON + 100 * (number + 1), "Plan")
    past.run(NOON + 750, "Plan")
    found = under(fan_out={**gate, "max_new_agents": 2, "action": "deny"})
    # 100 and 200 run, 300 and 400 are denied; at 750 only the one at 200 still counts.
    assert [one.at - NOON for one in found.changed] == [300, 400]


def test_within_one_moment_a_call_comes_after_its_cause_and_before_its_effect(past: Past) -> None:
    """Clocks of whole seconds: the conversation's response counts for its call's budget."""
    past.used(NOON, input_tokens=TENTH)
    call = past.ask(NOON, "Plan")
    past.used(NOON, run=(f"a{call}", "Plan", call), input_tokens=TENTH)
    past.stop(NOON + 1, f"a{call}", "Plan")
    (lowered,) = under(budgets=[budget(limit=0.44)]).changed
    assert lowered.simulated.used == pytest.approx(0.4 / 0.44)
    assert (lowered.happened_usd, lowered.simulated_usd) == pytest.approx((0.4, 0.2))


def test_a_subagent_of_one_that_is_denied_does_not_run(past: Past) -> None:
    past.used(NOON)
    outer = past.run(NOON + 10, "Plan", input_tokens=TENTH)
    past.run(NOON + 100, "Explore", inside=outer, input_tokens=TENTH)
    past.ask(NOON + 300, tool="SendMessage", to=outer)
    past.used(NOON + 310, run=(outer, "Plan", "x"), input_tokens=TENTH)
    past.read()
    never = {"max_new_agents": 0, "seconds": 600, "action": "deny"}
    found = under(fan_out=never)
    assert [one.simulated.action for one in found.changed] == ["denied", "absent", "absent"]
    assert [one.happened_usd for one in found.changed] == pytest.approx([0.4, 0.4, 0.4])
    assert found.simulated_usd == 0.0


def test_a_subagent_inherits_what_its_parent_would_have_run_on(past: Past) -> None:
    """Also one that is woken again."""
    past.used(NOON)
    outer = past.run(NOON + 10, "Plan", input_tokens=TENTH)
    past.run(NOON + 100, "Explore", inside=outer, input_tokens=TENTH)
    past.ask(NOON + 300, tool="SendMessage", to=outer)
    past.used(NOON + 310, run=(outer, "Plan", "x"), input_tokens=TENTH)
    past.read()
    found = under(assign={"Plan": {"tier": "sonnet"}})
    assert [one.simulated.action for one in found.changed] == ["assigned", "kept", "kept"]
    assert [one.simulated_usd for one in found.changed] == pytest.approx([0.2, 0.2, 0.2])


def test_what_the_client_caps_would_run_there(past: Past, home: Path) -> None:
    """Without the assignment Explore is on opus, though the conversation is on fable."""
    policy(home, assign={"Explore": {"tier": "haiku"}}, budgets=[])
    past.used(NOON, "claude-fable-5-2")
    past.run(NOON + 10, "Explore", HAIKU, input_tokens=TENTH)
    (kept,) = under().changed
    assert sides(kept) == ("assigned", "haiku", "kept", None)
    assert (kept.happened_usd, kept.simulated_usd) == pytest.approx((0.01, 0.4))


def test_other_prices_reprice_what_they_change(past: Past) -> None:
    """Twice the price of opus; haiku as it was, to the last digit."""
    past.used(NOON, input_tokens=TENTH)
    past.run(NOON + 10, "Plan", HAIKU, input_tokens=77)
    models = dict(prices.shipped()["models"])
    models[OPUS] = [{**models[OPUS][0], "input": 8}]
    found = under(models=models)
    assert found.changed == ()
    assert found.simulated_usd == pytest.approx(0.8 + 77e-7)
    assert found.happened_usd == pytest.approx(0.4 + 77e-7)


def test_text_has_more_tokens_on_a_newer_model(past: Past) -> None:
    """The correction that savings use."""
    past.used(NOON, "claude-opus-4-6")
    past.run(NOON + 10, "Plan", "claude-opus-4-6", input_tokens=TENTH)
    found = under(assign={"Plan": {"tier": "sonnet"}})
    assert found.changed[0].simulated_usd == pytest.approx(0.2 * 1.275)


def test_a_model_without_a_price_is_unpriced(past: Past, home: Path) -> None:
    """What would have run has none: no figure, and the day says so."""
    policy(home, budgets=[budget(limit=1.0, on_stop="lowest")], assign={})
    past.used(NOON, input_tokens=250_000)
    past.run(NOON + 10, "Plan", HAIKU, given={"model": "mystery-9"}, input_tokens=TENTH)
    found = under()
    assert sides(found.changed[0]) == ("lowered", "haiku", "kept", None)
    assert found.changed[0].simulated_usd is None
    assert found.days[0].simulated_unpriced == 1


def test_from_a_day_on_the_other_policy_holds(past: Past) -> None:
    """What came before stands, and counts for its month."""
    past.used(NOON)
    past.run(NOON + 10, "Plan", input_tokens=TENTH)
    past.run(NOON + 1000, "Plan", input_tokens=1)
    past.run(NOON + DAY, "Plan", input_tokens=TENTH)
    past.run(NOON + DAY + 1000, "Plan", input_tokens=TENTH)
    monthly = budget(period="month", limit=1.0, warn=0.1, recover=0.3, cap=0.4, stop=5.0)
    span = days.Span(NOON + DAY / 2, NOON + DAY + 500)
    found = under(span, budgets=[monthly])
    assert (found.decisions, len(found.changed)) == (1, 1)
    assert found.changed[0].simulated.used == pytest.approx(0.400004)
    assert [one.day for one in found.days] == ["2026-11-22"]
    assert found.simulated_usd == pytest.approx(0.2)


def test_while_switched_off_another_policy_is_off_too(past: Past, home: Path) -> None:
    (home / ".claude/claude-tier/off").write_text("{}")
    past.used(NOON, input_tokens=TENTH)
    past.run(NOON + 10, "Plan", input_tokens=TENTH)
    never = {"max_new_agents": 0, "seconds": 600, "action": "deny"}
    found = under(budgets=[budget(limit=0.1)], assign={"Plan": {"tier": "haiku"}}, fan_out=never)
    assert found.changed == ()


def test_an_answer_of_another_model_within_a_run_stays(past: Past) -> None:
    """An advisor's, say: only what ran on the run's own tier moves."""
    past.used(NOON)
    run = past.run(NOON + 10, "Plan", input_tokens=TENTH)
    past.used(NOON + 45, HAIKU, run=(run, "Plan", run[1:]), input_tokens=TENTH)
    past.used(NOON + 50, OPUS, run=(run, "Plan", run[1:]), input_tokens=0)
    past.read()
    found = under(assign={"Plan": {"tier": "sonnet"}})
    assert found.changed[0].happened_usd == pytest.approx(0.41)
    assert found.changed[0].simulated_usd == pytest.approx(0.21)


def test_a_run_that_did_not_obey_is_left_as_it_was(past: Past, home: Path) -> None:
    """The same decision changes nothing, whatever came of it."""
    rules = {"assign": {"Plan": {"tier": "haiku", "effort": None}}}
    policy(home, budgets=[], **rules)
    past.used(NOON)
    past.run(NOON + 10, "Plan", OPUS, input_tokens=TENTH)
    found = under(**rules)
    assert found.changed == ()
    assert found.simulated_usd == found.happened_usd == pytest.approx(0.4)


def test_cap_holds_until_recover(past: Past) -> None:
    """A rolling window falls from 96 to 88 %: still capped; then to nothing."""
    past.used(NOON, input_tokens=20_000)
    past.used(NOON + 3600, input_tokens=220_000)
    past.run(NOON + 4000, "Plan")
    past.run(NOON + 6 * 3600 - 1200, "Plan")
    past.run(NOON + 9 * 3600, "Plan")
    rolling = budget(period="five_hour", limit=1.0)
    found = under(budgets=[rolling])
    assert [(one.simulated.action, one.simulated.used) for one in found.changed] == [
        ("lowered", pytest.approx(0.96)), ("lowered", pytest.approx(0.88)),
    ]  # fmt: skip


def test_projects_and_sessions_have_budgets_of_their_own(past: Past) -> None:
    past.used(NOON, input_tokens=TENTH)
    past.used(NOON + 1, session="22222222-bbbb", cwd="/repo/other", input_tokens=TENTH)
    past.run(NOON + 10, "Plan")
    past.now = NOON + 100
    past.ask(NOON + 100, "Plan", session="22222222-bbbb", cwd="/repo/other")
    for kind in ("project", "session"):
        tight = budget(limit=0.5, scope={"kind": kind, "name": None})
        found = under(budgets=[tight])
        assert found.changed == ()
        tight["cap"], tight["recover"], tight["warn"] = 0.7, 0.6, 0.5
        assert len(under(budgets=[tight]).changed) == 2
        scopes = {one.scope for one in under(budgets=[tight]).trips}
        names = ("/repo/app", "/repo/other") if kind == "project" else (SESSION, "22222222-bbbb")
        assert scopes == {f"{kind} {name}" for name in names}


def test_an_older_decision_is_reckoned_from_the_responses(past: Past) -> None:
    past.used(NOON - 100, input_tokens=TENTH)
    past.read()
    decide("old", agent="Plan", action="kept", set_tier=None, reason=None)
    found = under(budgets=[budget(limit=0.4)])
    assert found.approximate == 1
    assert sides(found.changed[0])[2] == "denied"
    assert found.changed[0].approximate


def test_a_plan_window_is_taken_as_it_was_reported(past: Past) -> None:
    """For a budget that was not there: by what the status line noted of the window over time."""
    past.used(NOON)
    for number in range(4):
        past.run(NOON + 1000 * number, "Plan", input_tokens=TENTH)
    with contextlib.closing(ledger.connect()) as db:
        for at, used in ((500, 30.0), (1500, 60.0), (2500, 95.0)):
            sample = (NOON + at, "five_hour", used, NOON + 2900)
            db.execute("INSERT INTO plan_sample VALUES (?, ?, ?, ?)", sample)
    window = budget(unit="plan_percent", period="five_hour", limit=100.0, warn=0.4, recover=0.5,
                    cap=0.55)  # fmt: skip
    (lowered,) = under(budgets=[window]).changed
    assert (lowered.at, lowered.simulated.used) == (NOON + 2000, pytest.approx(0.6))
    assert [(one.level, one.since, one.simulated) for one in under(budgets=[window]).trips] == [
        ("warn", NOON + 2900 - 5 * 3600, NOON + 1500),
        ("cap", NOON + 2900 - 5 * 3600, NOON + 1500),
    ]

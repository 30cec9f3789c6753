"""What holds for any history: the same policy changes nothing, a lower ceiling costs no more."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from books import NOON, budget, policy
from claude_tier.report import days, simulate
from claude_tier_hooks import ledger
from claude_tier_hooks import policy as runtime
from examples import examples
from histories import Past
from hypothesis import given, settings
from hypothesis import strategies as st

USD = {"opus": 4e-6, "sonnet": 2e-6, "haiku": 1e-7}  # for a token of input


class Spawn(NamedTuple):
    """After how long, which agent, how much the conversation and the subagent use."""

    after: int
    agent: str
    main: int
    tokens: int


spawns = st.lists(
    st.builds(
        Spawn,
        after=st.integers(100, 20_000),
        agent=st.sampled_from(["Plan", "Explore"]),
        main=st.integers(0, 60_000),
        tokens=st.integers(1, 150_000),
    ),
    min_size=1,
    max_size=7,
)
some_budget = st.builds(
    budget,
    limit=st.sampled_from([0.3, 1.0, 3.0]),
    period=st.sampled_from(["day", "session", "month", "five_hour"]),
    ceiling=st.sampled_from(["opus", "sonnet", "haiku"]),
    on_stop=st.sampled_from(["deny", "lowest", "ask"]),
)


@contextlib.contextmanager
def lived(factory: pytest.TempPathFactory, history: list[Spawn], **rules: Any) -> Iterator[Past]:
    """That history under those rules, every spawn obeying them."""
    home = factory.mktemp("lived")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        policy(home, **{"assign": {}, "budgets": [], **rules})
        past = Past(home, patch)
        at = NOON
        for one in history:
            at += one.after
            past.used(at - 1, input_tokens=one.main)
            past.obey(at, one.agent, input_tokens=one.tokens)
        yield past


def under(**rules: Any) -> simulate.Simulation:
    other = {**runtime.load(), **rules}
    with contextlib.closing(ledger.connect()) as db:
        return simulate.replay(db, runtime.load(), days.Span(), policy=other, name="other")


@settings(max_examples=examples(10))
@given(
    history=spawns,
    budgets=st.lists(some_budget, max_size=2, unique_by=lambda one: one["period"]),
    fan_out=st.sampled_from([None, {"max_new_agents": 2, "seconds": 5000, "action": "deny"}]),
)
def test_a_policy_that_changes_nothing_simulates_to_what_happened(
    history: list[Spawn],
    budgets: list[dict[str, object]],
    fan_out: dict[str, object] | None,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """To the last digit, with its own rules recorded or given."""
    named = [{**one, "name": f"b{number}"} for number, one in enumerate(budgets)]
    with lived(tmp_path_factory, history, budgets=named, fan_out=fan_out):
        with contextlib.closing(ledger.connect()) as db:
            check = simulate.replay(db, runtime.load(), days.Span())
        same = under()
    assert check.identical == same.identical == check.decisions == len(history)
    assert check.changed == same.changed == ()
    assert same.happened_usd == same.simulated_usd
    assert all(one.happened_usd == one.simulated_usd for one in same.days)
    assert all(one.happened == one.simulated for one in same.trips)


@settings(max_examples=examples(10))
@given(
    history=spawns,
    before=st.sampled_from(["opus", "sonnet", "haiku"]),
    after=st.sampled_from(["opus", "sonnet", "haiku"]),
    limit=st.sampled_from([0.3, 1.0]),
)
def test_a_lower_ceiling_never_costs_more(
    history: list[Spawn],
    before: str,
    after: str,
    limit: float,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Where prices fall along the ladder and nothing is denied."""
    ladder = list(USD)
    before, after = sorted((before, after), key=ladder.index)
    common = {"limit": limit, "on_stop": "lowest"}
    with lived(tmp_path_factory, history, budgets=[budget(ceiling=before, **common)]):
        found = under(budgets=[budget(ceiling=after, **common)])
    assert found.simulated_usd <= found.happened_usd + 1e-9
    for one in found.changed:
        assert (one.simulated_usd or 0.0) <= one.happened_usd + 1e-9


@settings(max_examples=examples(10))
@given(history=spawns, limit=st.sampled_from([0.3, 1.0, 3.0]), ceiling=st.sampled_from(list(USD)))
def test_a_new_budget_does_what_reckoning_by_hand_says(
    history: list[Spawn], limit: float, ceiling: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """What was denied or lowered is gone from the budget for whatever comes after."""
    spent: dict[float, float] = {}
    expected = []

    def add(when: float, usd: float) -> None:
        spent[when // 86400] = spent.get(when // 86400, 0.0) + usd

    at = NOON
    for one in history:
        at += one.after
        add(at - 1, USD["opus"] * one.main)
        used = spent.get(at // 86400, 0.0) / limit
        tier = None if used >= 1 else ceiling if used >= 0.9 else "opus"
        expected.append(tier)
        add(at + 30, USD[tier] * one.tokens if tier else 0.0)
    with lived(tmp_path_factory, history):
        found = under(budgets=[budget(limit=limit, ceiling=ceiling)])
    made = {one.tool_use_id: one.simulated for one in found.changed}
    assert [one.set or "denied" for one in made.values()] == [
        tier or "denied" for tier in expected if tier != "opus"
    ]
    assert found.simulated_usd == pytest.approx(sum(spent.values()))


def test_a_history_has_the_decisions_it_should(
    tmp_path_factory: pytest.TempPathFactory, home: Path
) -> None:
    """The generator of this file obeys: a lowered run is on the lower model."""
    assert home.exists()
    history = [Spawn(100, "Plan", 60_000, 150_000)] * 3
    rules = {"budgets": [budget(limit=0.9, on_stop="lowest")]}
    with lived(tmp_path_factory, history, **rules), contextlib.closing(ledger.connect()) as db:
        rows = db.execute("SELECT action, set_tier FROM decision ORDER BY at").fetchall()
        models = db.execute("SELECT model FROM run ORDER BY last").fetchall()
    assert rows == [("kept", None), ("lowered", "haiku"), ("lowered", "haiku")]
    assert [model for (model,) in models][1:] == ["claude-haiku-5-5"] * 2

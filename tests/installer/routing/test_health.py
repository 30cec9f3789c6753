"""The router's health as every screen has it."""

from __future__ import annotations

from contextlib import closing

from books import HOUR, NOON
from claude_tier.report import cooling
from claude_tier.routing import by_hand, health
from claude_tier_hooks import cooldowns, ledger, policy


def test_what_holds_and_what_waits_for_a_try_are_told_apart() -> None:
    """Both are in the JSON; sentences are about what is not asked now."""
    with closing(ledger.connect()) as db:
        with ledger.Writing(db):
            for name, until in (("lan", NOON + 30), ("far", NOON + HOUR)):
                fault = {"cause": "pace", "why": "slow down", "until": until}
                cooldowns.fail(db, (name, "-", "m"), fault, NOON, 7200)
        found = health.query(db, policy.load(), -1, NOON + 60)
    assert [one.provider for one in found.cooldowns] == ["far", "lan"]
    assert [one.provider for one in found.holding(NOON + 60)] == ["far"]
    (line,) = cooling.lines(found.cooldowns, NOON + 60)
    assert line == (
        "far/m is not asked until 13:00: too many requests. `claude-tier cooldown clear far/m`"
    )
    assert len(found.fields()["cooldowns"]) == 2  # type: ignore[arg-type]


def test_the_switch_is_told_as_it_was_set() -> None:
    """With its reason and how it ends."""
    by_hand.turn_on(NOON, 3600)
    with closing(ledger.connect()) as db:
        found, later = (health.query(db, policy.load(), -1, at) for at in (NOON + 60, NOON + HOUR))
    assert found.emergency == by_hand.standing(NOON + 60)
    assert found.emergency
    assert found.emergency.text(NOON) == "switched on by hand, until 13:00"
    assert later.fields() == {"cooldowns": [], "emergency": None}

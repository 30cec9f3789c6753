"""How the router is, for every screen that shows it: what is kept out, and emergency mode."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from claude_tier_hooks import router_health
from claude_tier_hooks.shapes import Json

from claude_tier.routing import by_hand
from claude_tier.routing.by_hand import Emergency
from claude_tier.routing.cooling import Cooling


@dataclass(frozen=True)
class RouterHealth:
    """`cooldowns` by provider and model; `emergency` as it holds in one project."""

    cooldowns: tuple[Cooling, ...]
    emergency: Emergency | None

    def holding(self, now: float) -> tuple[Cooling, ...]:
        """The cooldowns that keep something out now."""
        return tuple(one for one in self.cooldowns if one.holds(now))

    def fields(self) -> dict[str, object]:
        """The JSON of it."""
        return {
            "cooldowns": [one.fields() for one in self.cooldowns],
            "emergency": self.emergency.fields() if self.emergency else None,
        }


def query(db: sqlite3.Connection, rules: Json, project: int, now: float) -> RouterHealth:
    """As the ledger, the policy and the switch have it; the project is a number in the ledger."""
    found = router_health.query(db, rules, project, now)
    cooldowns = tuple(Cooling.of(row, now) for row in found["cooldowns"])
    return RouterHealth(cooldowns, by_hand.of(found["emergency"]))

"""What all beats together have spent of their own budget, and when that is worth telling."""

from __future__ import annotations

import sqlite3
import time
from typing import TYPE_CHECKING

from claude_tier_hooks import budget

from claude_tier.heartbeat.alerts import Alert
from claude_tier.heartbeat.free import own_budget

if TYPE_CHECKING:
    from claude_tier_hooks.shapes import Json

    from claude_tier.config import Config

REACHED = {
    "warn": "has reached 80 %",
    "cap": "has reached 90 %: of a beat's models, those on this machine are asked first",
    "stop": "is used up: only checks that cost nothing run",
}


def standing(db: sqlite3.Connection, config: Config, rules: Json, now: float) -> Json:
    """How `heartbeat.budget` stands, as the hooks' budgets do."""
    own = {**rules, "budgets": [own_budget(config)]}
    (found,) = budget.standing(db, own, {"session": -1, "project": -1}, now)
    return found


def alert(db: sqlite3.Connection, config: Config, rules: Json, now: float) -> Alert | None:
    """Worded by level and period, so that each is told once; None below 80 %."""
    found, limit = standing(db, config, rules, now), config.heartbeat.budget
    if found["level"] not in REACHED:
        return None
    since = time.strftime("%Y-%m-%d", time.localtime(found["since"]))
    named = f"heartbeat.budget (${limit.usd:g} a {limit.period}, since {since})"
    return Alert(now, "budget", None, "", f"{named} {REACHED[found['level']]}")

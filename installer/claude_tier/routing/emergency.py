"""Emergency mode: nothing that costs money is asked, only models that run on this machine.

It is on by hand, by configuration, while a budget is at `stop`, or while every paid target of a
request is cooling. It ends by itself with what it is there for.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from claude_tier_hooks import budget, ledger, project, state
from claude_tier_hooks.shapes import Json

from claude_tier.routing import by_hand
from claude_tier.routing import target as targets
from claude_tier.routing.by_hand import Emergency
from claude_tier.routing.target import Target

if TYPE_CHECKING:
    from claude_tier.config import Config
    from claude_tier.routing.cooling import Cooling

ROLES = ("small", "coding", "large")  # where local models are looked for when a chain has none
PLAN = "plan_percent"


def standing(
    db: sqlite3.Connection | None, config: Config, rules: Json, now: float, folder: str
) -> Emergency | None:
    """What is on for every request from that folder; None where nothing is.

    Without a ledger no budget is known, and none holds.
    """
    return (
        by_hand.standing(now)
        or _configured(config)
        or (_spent(db, rules, now, folder) if db else None)
    )


def of_cooling(kept: Sequence[Cooling]) -> Emergency:
    """Every paid target of a request is kept out; it ends with the first that is not."""
    ends = [one.until for one in kept if one.until is not None]
    names = ", ".join(dict.fromkeys(one.what for one in kept))
    return Emergency(
        f"every paid target is cooling ({names})",
        min(one.since for one in kept),
        min(ends, default=None),
        "claude-tier cooldown clear",
    )


def plan_is_used_up(db: sqlite3.Connection, rules: Json, now: float, folder: str) -> Json | None:
    """The budget on a window of the plan that is at `stop`: only `claude` itself uses the plan."""
    return next(_stopped(db, rules, now, folder, plan=True), None)


def local_targets(
    config: Config, asked: Iterable[Target], *, stand_in: bool = True
) -> tuple[Target, ...]:
    """Those of a request that run here, else, to `stand_in`, those that the roles name."""
    mine = tuple(one for one in asked if targets.is_local(config, one))
    if mine or not stand_in:
        return mine
    named = (one for role in ROLES for one in targets.resolve(config, role))
    return tuple(dict.fromkeys(one for one in named if targets.is_local(config, one)))


def _configured(config: Config) -> Emergency | None:
    if not config.router.local_only:
        return None
    return Emergency("router.local_only is set", None, None, "change router.local_only")


def _spent(db: sqlite3.Connection, rules: Json, now: float, folder: str) -> Emergency | None:
    for one in _stopped(db, rules, now, folder, plan=False):
        what = one["budget"]
        until = budget.reset_at(what, one["since"], now)
        return Emergency(
            f"the budget {what['name']} is used up", one["since"], until, "claude-tier off --for 1h"
        )
    return None


def _stopped(
    db: sqlite3.Connection, rules: Json, now: float, folder: str, *, plan: bool
) -> Iterator[Json]:
    """The user's and this project's budgets at `stop`; none while `claude-tier off` holds."""
    if state.off_until(now) is not None:
        return iter(())
    wanted = [
        one
        for one in rules["budgets"]
        if one["scope"]["kind"] in ("user", "project")
        and one["period"] != "session"
        and (one["unit"] == PLAN) is plan
    ]
    here = {"session": -1, "project": ledger.known_id(db, project.root(folder))}
    found = budget.standing(db, {**rules, "budgets": wanted}, here, now)
    return (one for one in found if one["level"] == "stop")


def here() -> str:
    """The folder that a request comes from; the home folder where that one is gone.

    Compared as text with what hooks wrote, whom the client tells of no bytes beside Unicode.
    """
    try:
        return state.storable(os.getcwd())  # noqa: PTH109 - text
    except OSError:
        return str(Path.home())

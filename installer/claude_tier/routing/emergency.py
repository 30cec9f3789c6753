"""Emergency mode as the router keeps to it: nothing that costs money is asked.

When it is on is the rule of the hooks, which say it in sessions too. Here it is asked with the
configuration that the router itself has read, and about the targets of one request.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from claude_tier_hooks import emergency, ledger, project, state
from claude_tier_hooks.shapes import Json

from claude_tier.routing import by_hand
from claude_tier.routing import target as targets
from claude_tier.routing.by_hand import Emergency
from claude_tier.routing.target import Target

if TYPE_CHECKING:
    from claude_tier.config import Config
    from claude_tier.routing.cooling import Cooling

ROLES = ("small", "coding", "large")  # where local models are looked for when a chain has none


def standing(
    db: sqlite3.Connection | None, config: Config, rules: Json, now: float, folder: str
) -> Emergency | None:
    """What is on for every request from that folder; None where nothing is.

    Without a ledger no budget is known, and none holds.
    """
    known = {**rules, "router": {"local_only": config.router.local_only}}
    return by_hand.of(emergency.standing(db, known, _project(db, folder) if db else -1, now))


def of_cooling(kept: Sequence[Cooling]) -> Emergency:
    """Every paid target of a request is kept out; it ends with the first that is not."""
    return Emergency(**emergency.of_cooling([asdict(one) for one in kept]))


def plan_is_used_up(db: sqlite3.Connection, rules: Json, now: float, folder: str) -> Json | None:
    """The budget on a window of the plan that is at `stop`: only `claude` itself uses the plan."""
    return next(emergency.stopped(db, rules, _project(db, folder), now, plan=True), None)


def local_targets(
    config: Config, asked: Iterable[Target], *, stand_in: bool = True
) -> tuple[Target, ...]:
    """Those of a request that run here, else, to `stand_in`, those that the roles name."""
    mine = tuple(one for one in asked if targets.is_local(config, one))
    if mine or not stand_in:
        return mine
    named = (one for role in ROLES for one in targets.resolve(config, role))
    return tuple(dict.fromkeys(one for one in named if targets.is_local(config, one)))


def here() -> str:
    """The folder that a request comes from; the home folder where that one is gone.

    Compared as text with what hooks wrote, whom the client tells of no bytes beside Unicode.
    """
    try:
        return state.storable(os.getcwd())  # noqa: PTH109 - text
    except OSError:
        return str(Path.home())


def _project(db: sqlite3.Connection, folder: str) -> int:
    return ledger.known_id(db, project.root(folder))

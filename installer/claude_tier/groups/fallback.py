"""Claude in the place of a group's endpoint: whether it may answer now, and the ledger's row of it.

The client's own session is counted from its transcript; the row only says that it fell back.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from claude_tier_hooks import emergency as rule
from claude_tier_hooks import ledger, policy, project, routed

from claude_tier.config.providers import CLAUDE
from claude_tier.groups.profile import Profile

if TYPE_CHECKING:
    from claude_tier.config import Config

ORIGIN = "group"


def withheld(config: Config, folder: Path) -> str | None:
    """Why only what runs on this machine may answer now; None where Claude may."""
    from claude_tier.routing import emergency

    rules, now = policy.load(project.root(os.fspath(folder))), time.time()
    with contextlib.ExitStack() as open_ones:
        db = None
        # Without a ledger no budget is known, and none holds.
        with contextlib.suppress(sqlite3.Error, OSError, ledger.DamagedError):
            db = open_ones.enter_context(contextlib.closing(ledger.connect()))
        found = emergency.standing(db, config, rules, now, os.fspath(folder))
    return f"{found.text(now)} (ends with {rule.way_out(found.ends)})" if found else None


def note(profile: Profile, why: str, *, folder: Path, warn: Callable[[str], None]) -> None:
    """Keep that the group's endpoint did not answer, and who was asked instead."""
    from claude_tier.routing import accounting
    from claude_tier.routing.answer import Attempt
    from claude_tier.routing.target import Target

    asked = Target(profile.group.provider or "", profile.model or "")
    exchange = accounting.Exchange(
        id=uuid.uuid4().hex,
        at=time.time(),
        origin=ORIGIN,
        route=profile.name,
        asked=asked,
        attempts=[Attempt(asked, "server", why)],
        outcome=routed.FAILED,
        target=Target(CLAUDE, profile.group.fallback),
    )
    accounting.Books(warn, folder=os.fspath(folder)).write(exchange)

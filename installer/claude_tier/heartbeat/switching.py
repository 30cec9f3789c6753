"""A beat is switched off and on by its user."""

from __future__ import annotations

import time
from pathlib import Path
from typing import NamedTuple

from claude_tier_hooks import ledger, tick

from claude_tier.heartbeat import known, planning, receipts
from claude_tier.heartbeat.running import opened

BY_HAND = "switched off by hand"


class Switched(NamedTuple):
    """The beat, and whether that changed anything."""

    name: str
    changed: bool


def switch(name: str, *, on: bool) -> Switched:
    """Let that beat run from now on, or no longer; UserError where there is no such beat."""
    beat = known.read().find(name).beat
    now = time.time()
    with opened() as db, ledger.Writing(db):
        if receipts.standing(db, beat.id) is None:
            receipts.begin(db, beat.id, planning.spelled(beat), now)
        changed = receipts.switch(db, beat.id, on=on, why=BY_HAND, now=now)
    Path(tick.due_file()).unlink(missing_ok=True)  # the next tick plans anew
    return Switched(beat.name, changed)

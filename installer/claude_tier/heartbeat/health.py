"""How the heartbeat stands: whether ticks come, what each beat came to last, and what is next."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import NamedTuple

from claude_tier_hooks import liveness
from claude_tier_hooks.shapes import Json

from claude_tier.config import Config
from claude_tier.heartbeat import alerts, history, listing, receipts, scheduling, spending
from claude_tier.heartbeat.alerts import Alert
from claude_tier.heartbeat.beat import Beat
from claude_tier.heartbeat.document import Defaults
from claude_tier.heartbeat.history import Receipt
from claude_tier.heartbeat.listing import Listed, Stands, fault_fields
from claude_tier.heartbeat.scheduling import Record

ALERTS = 5  # the newest, shown


@dataclass(frozen=True)
class BeatHealth:
    """One beat. `state` is that of listing.Stands; `why` belongs to `off`.

    `last` is its newest receipt and `ran` the newest of a run, which may be the same.
    """

    beat: Beat
    state: str
    why: str | None
    failures: int
    next: float | None
    last: Receipt | None
    ran: Receipt | None

    def fields(self) -> dict[str, object]:
        """The JSON of it."""
        return {
            "name": self.beat.name,
            "file": str(self.beat.file),
            "state": self.state,
            "why": self.why,
            "failures": self.failures,
            "next": self.next,
            "last": self.last.fields() if self.last else None,
            "ran": self.ran.fields() if self.ran else None,
        }


class Spent(NamedTuple):
    """What all beats together have used of their own budget, in dollars."""

    used: float
    limit: float
    period: str
    level: str
    unpriced_requests: int


@dataclass(frozen=True)
class Health:
    """`scheduler` is alive, dead or none; `record` what was installed, where that is known.

    `broken` are files with mistakes, of which nothing runs; `alerts` are the newest of all that are
    `kept`, `unseen` how many no session has shown.
    """

    scheduler: str
    last_tick: float | None
    record: Record | None
    budget: Spent
    beats: tuple[BeatHealth, ...]
    broken: tuple[Listed, ...]
    alerts: tuple[Alert, ...]
    kept: int
    unseen: int

    def fields(self) -> dict[str, object]:
        """The JSON of it."""
        return {
            "scheduler": self.scheduler,
            "installed": self.record.scheduler if self.record else None,
            "last_tick": self.last_tick,
            "budget": self.budget._asdict(),
            "beats": [one.fields() for one in self.beats],
            "broken": [
                {"path": str(one.path), "faults": [fault_fields(fault) for fault in one.faults]}
                for one in self.broken
            ],
            "alerts": [one.fields() for one in self.alerts],
            "kept_alerts": self.kept,
            "unseen_alerts": self.unseen,
        }


def query(db: sqlite3.Connection, config: Config, rules: Json, now: float) -> Health:
    """Of this machine, all files together."""
    files = listing.files(db, Defaults.of(config), now)
    found, told = liveness.standing(db, now), alerts.listed()
    return Health(
        scheduler=liveness.scheduler(now),
        last_tick=liveness.last_tick(),
        record=scheduling.record(),
        budget=_spent(db, config, rules, now),
        beats=tuple(_beat(db, one) for file in files for one in file.beats),
        broken=tuple(file for file in files if file.faults),
        alerts=tuple(told[-ALERTS:]),
        kept=len(told),
        unseen=found["alerts"] if found else 0,
    )


def _spent(db: sqlite3.Connection, config: Config, rules: Json, now: float) -> Spent:
    found, limit = spending.standing(db, config, rules, now), config.heartbeat.budget
    return Spent(found["amount"], limit.usd, limit.period, found["level"], found["unpriced"])


def _beat(db: sqlite3.Connection, one: Stands) -> BeatHealth:
    standing = receipts.standing(db, one.beat.id)
    return BeatHealth(
        beat=one.beat,
        state=one.state,
        why=standing.why if standing else None,
        failures=standing.failures if standing else 0,
        next=one.next,
        last=history.newest(db, one.beat.id),
        ran=history.newest(db, one.beat.id, run=True),
    )

"""Beats without files, and a machine whose clock, sleep and deaths a test decides."""

from __future__ import annotations

import heapq
import os
import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from claude_tier.heartbeat import planning, processes, receipts, schedule
from claude_tier.heartbeat.beat import Beat, Cron, Every
from claude_tier.heartbeat.known import Known
from claude_tier.heartbeat.planning import Claim, Plan
from claude_tier.heartbeat.processes import Worker
from claude_tier.heartbeat.receipts import End
from claude_tier_hooks import ledger, schema

MINUTE, HOUR, DAY = 60, 3600, 86_400
DEAD = Worker(os.getpid(), "a start that this process never had")
WELL = End("ran", ok=True, evidence="e")


HALF_AN_HOUR = Every(HOUR // 2)


def beat(name: str = "any", planned: Every | Cron = HALF_AN_HOUR, **fields: Any) -> Beat:
    """One that asks haiku, in Berlin."""
    usual = Beat(
        file=Path("/somewhere/HEARTBEAT.md"),
        name=name,
        prompt="look around",
        schedule=planned,
        models=("haiku",),
        tz="Europe/Berlin",
        line=1,
    )
    return replace(usual, **fields)


def moment(text: str, zone: str = "Europe/Berlin") -> float:
    """The epoch time of 2026-10-25T02:30 there."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


class Receipt(NamedTuple):
    """A row of the ledger."""

    beat: str
    slot: float
    last: float
    slots: int
    origin: str
    status: str
    reason: str | None


@dataclass
class Machine:
    """Ticks as the hook lets them: every minute, planned only where something is due.

    `seconds` is how long a beat takes, `dies` what kills its process: "claim" is the tick before it
    has begun, "work" itself.
    """

    beats: list[Beat]
    now: float
    seconds: float = 1.0
    dies: str | None = None
    plan: Plan | None = None
    started: list[tuple[str, float]] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    changed: float = 0.0
    _ends: list[tuple[float, str]] = field(default_factory=list)
    _planned_at: float = 0.0

    def __post_init__(self) -> None:
        self.db = sqlite3.connect(":memory:", isolation_level=None)
        schema.bring_up(self.db)
        self.worker = processes.me()
        self.began = self.now
        self.tick()

    def pass_(self, seconds: float) -> None:
        """That long, with a tick at every minute."""
        until = self.now + seconds
        while (due := self._next_tick()) <= until:
            self.now = due
            self.tick()
        self.now = until

    def sleep(self, seconds: float) -> None:
        """That long without a tick."""
        self.now += seconds

    def _next_tick(self) -> float:
        """The first full minute at which anything is due; those before it change nothing."""
        assert self.plan
        wanted = float("inf") if self.plan.next is None else self.plan.next
        minute = self.now // MINUTE * MINUTE + MINUTE
        return max(minute, -(-wanted // MINUTE) * MINUTE)

    def tick(self) -> Plan:
        self._come_to_ends()
        known = [Known(one) for one in self.beats]
        self.plan = planning.make(
            self.db, known, self.now, self.worker, broken=self.broken, changed=self.changed
        )
        self._planned_at = self.now
        for claim in self.plan.claims:
            self._begin(claim)
        return self.plan

    def _begin(self, claim: Claim) -> None:
        self.started.append((claim.beat.id, claim.slot))
        if self.dies == "claim":
            self.db.execute("UPDATE receipt SET started = ? WHERE run = ?", (DEAD[1], claim.run))
            return
        worker = DEAD if self.dies == "work" else self.worker
        deadline = self.now + claim.beat.timeout
        assert receipts.take(self.db, claim.run, worker, now=self.now, deadline=deadline)
        if self.dies is None:
            heapq.heappush(self._ends, (self.now + self.seconds, claim.run))

    def _come_to_ends(self) -> None:
        while self._ends and self._ends[0][0] <= self.now:
            at, run = heapq.heappop(self._ends)
            with ledger.Writing(self.db):
                receipts.finish(self.db, run, WELL, at)

    def receipts(self) -> list[Receipt]:
        """All of them, in order."""
        rows = self.db.execute(
            "SELECT name.text, slot, last, slots, origin, status, reason FROM receipt"
            " JOIN name ON name.id = receipt.beat ORDER BY name.text, slot"
        )
        return [Receipt(*row) for row in rows]

    def counted(self) -> Counter[str]:
        """How many planned times came to what: `ran`, or why not."""
        found: Counter[str] = Counter()
        for one in self.receipts():
            found[one.reason or one.status] += one.slots
        return found

    def assert_each_slot_has_one_receipt(self) -> None:
        """Each that came since the machine began, and no other."""
        of: dict[str, list[Receipt]] = {one.id: [] for one in self.beats}
        for receipt in self.receipts():
            of[receipt.beat].append(receipt)
        for one in self.beats:
            assert list(_covered(one, of[one.id])) == list(self._due(one)), one
        assert len(set(self.started)) == len(self.started)

    def _due(self, one: Beat) -> Iterator[float]:
        """Until the last plan: what came since has no tick yet."""
        standing = receipts.standing(self.db, one.id)
        assert standing
        return schedule.slots(one, self.began, max(self._planned_at, standing.mark))


def _covered(one: Beat, found: list[Receipt]) -> Iterator[float]:
    for receipt in found:
        covered = list(schedule.slots(one, receipt.slot - 0.5, receipt.last))
        assert len(covered) == receipt.slots, receipt
        yield from covered

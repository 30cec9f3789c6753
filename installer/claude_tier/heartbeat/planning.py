"""What is due now: claims for what is to run, and receipts for what is not.

Called under the tick's lock. Everything a plan writes is one transaction: a tick that is killed has
planned all of it or nothing.
"""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from claude_tier_hooks import ledger

from claude_tier.heartbeat import receipts, schedule, spool
from claude_tier.heartbeat.beat import Beat
from claude_tier.heartbeat.known import Known
from claude_tier.heartbeat.processes import Worker
from claude_tier.heartbeat.receipts import End, Open, Origin, Span, Standing

LATE = 120  # seconds a planned time may be late and still be on time: ticks come once a minute
LONGEST = 366 * 86_400  # seconds without a tick; who comes from longer ago had a wrong clock
MARGIN = 30  # seconds past its time for a beat's process to end by itself
GONE = "its process was killed"
NEVER_BEGUN = "its tick was killed before it began"


class Claim(NamedTuple):
    """A planned time that is to run now."""

    run: str
    beat: Beat
    slot: float


@dataclass(frozen=True)
class Plan:
    """What to run, whose time is over, and when there is something to do again."""

    claims: tuple[Claim, ...]
    overdue: tuple[Open, ...]
    next: float | None
    ahead: tuple[str, ...] = ()  # beats whose mark is in the future: the clock was set back


class _Due(NamedTuple):
    """The planned times of a beat since its mark: at most one is for running."""

    missed: tuple[tuple[Span, str], ...]  # with why
    slot: float | None
    origin: Origin
    last: float


def make(
    db: sqlite3.Connection,
    beats: Sequence[Known],
    now: float,
    worker: Worker,
    *,
    broken: Collection[str] = (),
    changed: float = 0.0,
    halted: float | None = None,
) -> Plan:
    """Give up what nobody works on any more, then account for every planned time until now.

    `broken` are the files whose beats are not known now, and will be when they are mended;
    `changed` is when the newest of all files was written, `halted` since when nothing was planned
    because the configuration had a mistake.
    """
    standing = {one.beat.id: receipts.standing(db, one.beat.id) for one in beats}
    # What a list showed right after the change was a time before this tick.
    begin = changed if now - LATE <= changed <= now else now
    # Long before the transaction: a machine that slept for weeks has many times to count.
    due = {
        one.beat.id: _due(one.beat, standing[one.beat.id], begin, now=now, halted=halted)
        for one in beats
    }
    claims: list[Claim] = []
    with ledger.Writing(db):
        overdue = _reap(db, now)
        receipts.retire(db, standing.keys(), broken)
        for one in beats:
            if _moved(standing[one.beat.id], receipts.standing(db, one.beat.id)):
                continue  # it was enabled just now, and is planned with the next tick
            if _begins(one.beat, standing[one.beat.id], now):
                receipts.begin(db, one.beat.id, spelled(one.beat), begin)
            claims += _account(db, one, due[one.beat.id], now, worker)
    return Plan(
        tuple(claims),
        tuple(overdue),
        _next(db, beats, now),
        tuple(name for name, one in standing.items() if one and one.mark > now + LATE),
    )


def _moved(before: Standing | None, after: Standing | None) -> bool:
    return (before and before.mark) != (after and after.mark)


def spelled(beat: Beat) -> str:
    """A schedule in words that only compare."""
    hours = f"{beat.active.start}-{beat.active.end}" if beat.active else ""
    return " ".join((*map(str, beat.schedule), beat.tz, hours, str(beat.offset)))


def _due(
    beat: Beat, standing: Standing | None, begin: float, *, now: float, halted: float | None
) -> _Due | None:
    """None where nothing is; a beat that is new, or planned otherwise, counts from `begin`."""
    mark = standing.mark if standing else begin
    if _begins(beat, standing, now):
        mark = max(mark, begin)
    earlier, slot = _since(beat, mark, now)
    if slot is None:
        return None
    origin: Origin = "planned"
    runs = now - slot <= LATE
    if not runs and beat.missed == "once" and now - slot <= beat.max_age:
        origin, runs = "catch-up", True
    missed = earlier if runs else _longer(earlier, slot)
    return _Due(tuple(_parts(beat, missed, halted)), slot if runs else None, origin, slot)


def _parts(beat: Beat, missed: Span | None, halted: float | None) -> Iterator[tuple[Span, str]]:
    """What did not run, and why: no tick came, or one that could plan nothing."""
    if missed is None:
        return
    if halted is None:
        yield missed, receipts.MISSED
        return
    # What was due right before would still have been on time.
    since = halted - LATE
    for after, until, why in (
        (missed.first - 1, min(since, missed.last), receipts.MISSED),
        (max(since, missed.first - 1), missed.last, receipts.MISTAKEN),
    ):
        earlier, last = _since(beat, after, until)
        if last is not None:
            yield _longer(earlier, last), why


def _longer(earlier: Span | None, slot: float) -> Span:
    return Span(earlier.first, slot, earlier.slots + 1) if earlier else Span.of(slot)


def _begins(beat: Beat, standing: Standing | None, now: float) -> bool:
    """Whether it counts anew: its schedule is another, or its mark is no time of this clock."""
    if standing is None:
        return True
    return standing.schedule != spelled(beat) or standing.mark < now - LONGEST


def _since(beat: Beat, mark: float, now: float) -> tuple[Span | None, float | None]:
    """The last planned time, and those between the mark and it."""
    earlier, last = None, None
    for slot in schedule.slots(beat, mark, now):
        if last is not None:
            earlier = _longer(earlier, last)
        last = slot
    return earlier, last


def _account(
    db: sqlite3.Connection, one: Known, due: _Due | None, now: float, worker: Worker
) -> Iterator[Claim]:
    """Receipts for what is not to run; at most one claim."""
    beat, standing = one.beat, receipts.standing(db, one.beat.id)
    if due is None:
        return
    for span, why in due.missed:
        receipts.skip(db, beat.id, span, why, at=now)
    if due.slot is not None:
        if reason := _kept(db, one, standing):
            receipts.skip(db, beat.id, Span.of(due.slot), reason, at=now, saved=one.saved)
        else:
            run = uuid.uuid4().hex
            if receipts.claim(db, beat.id, due.slot, run=run, origin=due.origin, worker=worker):
                yield Claim(run, beat, due.slot)
    receipts.advance(db, beat.id, due.last)


def _kept(db: sqlite3.Connection, one: Known, standing: Standing | None) -> str | None:
    """Why a planned time is not claimed."""
    if one.barred:
        return one.barred
    if standing and standing.disabled is not None:
        return f"disabled: {standing.why}"
    return receipts.STILL_RUNNING if receipts.is_open(db, one.beat.id) else None


def _reap(db: sqlite3.Connection, now: float) -> list[Open]:
    """Give up runs whose process is gone; those that are past their time and still there."""
    overdue = []
    for one in receipts.opened(db):
        if not one.worker.is_alive:
            if spool.of(one.run):
                continue  # it said what it came to, and that is written first
            why = NEVER_BEGUN if one.deadline is None else GONE
            receipts.finish(db, one.run, End("interrupted", why), now)
        elif one.deadline is not None and now > one.deadline + MARGIN:
            overdue.append(one)
    return overdue


def _next(db: sqlite3.Connection, beats: Iterable[Known], now: float) -> float | None:
    """The next planned time, or the end of somebody's time, whichever comes first."""
    ends = (now + LATE if one.deadline is None else one.deadline for one in receipts.opened(db))
    times = [end + MARGIN + 1 for end in ends]
    for known in beats:
        standing = receipts.standing(db, known.beat.id)
        found = schedule.next_slot(known.beat, standing.mark if standing else now)
        times.append(float("inf") if found is None else found)
    first = min(times, default=float("inf"))
    return None if first == float("inf") else first

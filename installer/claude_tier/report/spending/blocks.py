"""The view by blocks of five hours, as the plans' own windows run.

A block begins with the full hour (UTC) of the first use after the last one ended, and ends five
hours later. Where the plan has said when its present window ends, that is the last block.
"""

from __future__ import annotations

import sqlite3
import time
from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

from claude_tier_hooks import budget, ledger, unlisted

from claude_tier.report import calendar, totals
from claude_tier.report.caches import EVERY
from claude_tier.report.days import Slice
from claude_tier.report.spending.rows import Row
from claude_tier.report.totals import Figures

QUARTER = ledger.BUCKET
_FAR = 1 << 60  # quarter hours
HOUR, LENGTH = 3600 // QUARTER, budget.WINDOWS["five_hour"] // QUARTER
_SUMS = ", ".join(f"sum({name})" for name in ledger.SUMS)


class Block(NamedTuple):
    """In quarter hours since the epoch; `until` is where the next one could begin."""

    since: int
    until: int


def rows(db: sqlite3.Connection, part: Slice, now: float) -> list[Row]:
    """The blocks in which that part of the ledger used anything, the oldest first."""
    beyond = ledger.known_id(db, unlisted.SOURCE)
    used = [
        row[0]
        for row in db.execute(
            "SELECT DISTINCT start FROM quarter WHERE project = ? AND source <> ? ORDER BY start",
            (EVERY, beyond),
        )
    ]
    sums = _sums(db, part, beyond)
    found = []
    for block in divided(used, _window(db, now)):
        mine = sums[bisect_left(sums, (block.since,)) : bisect_left(sums, (block.until,))]
        if mine:
            found.append(_row(block, [one[1:] for one in mine], now))
    return found


def divided(used: Sequence[int], window: Block | None = None) -> list[Block]:
    """The blocks of these quarter hours, in their order; `window` is the plan's present one."""
    found: list[Block] = []
    end = -_FAR
    for start in used:
        if window and window.since <= start < window.until:
            break
        if not found or start >= end:
            since = max(start // HOUR * HOUR, end)
            end = since + LENGTH
            if window and since < window.since:
                end = min(end, window.since)
            found.append(Block(since, end))
    return [*found, window] if window else found


def _window(db: sqlite3.Connection, now: float) -> Block | None:
    """The plan's present window; None when no session reported it since it began."""
    row = db.execute(
        "SELECT resets_at FROM plan_window WHERE name = 'five_hour' AND resets_at > ?", (now,)
    ).fetchone()
    if row is None:
        return None
    until = round(row[0] / QUARTER)
    return Block(until - LENGTH, until)


def _sums(db: sqlite3.Connection, part: Slice, beyond: int) -> list[tuple[float, ...]]:
    since, until = part.span
    conditions = ["project = ?", "source <> ?"]
    values = [EVERY if part.project is None else part.project, beyond]
    for text, moment in (("start >= ?", since), ("start < ?", until)):
        if moment is not None:
            conditions.append(text)
            values.append(int(moment // QUARTER))
    query = f"SELECT start, {_SUMS} FROM quarter WHERE {' AND '.join(conditions)} GROUP BY start"
    return db.execute(query, values).fetchall()


def _row(block: Block, figures: Sequence[Figures], now: float) -> Row:
    since, until = block.since * QUARTER, block.until * QUARTER
    extra = {"start": since, "end": until, "active": since <= now < until}
    local = calendar.local(since)
    return Row(time.strftime("%Y-%m-%dT%H:%M:%S%z", local), totals.added(figures), extra)

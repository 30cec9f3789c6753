"""The sums of a part of the ledger by local day, project, agent, model, source and host.

Whole days come from `daily`; what a span has of a day beside, from the quarter hours.
"""

from __future__ import annotations

from typing import NamedTuple

from claude_tier_hooks import ledger

from claude_tier.report import calendar
from claude_tier.report.caches import HOST
from claude_tier.report.days import Slice

_COLUMNS = ", ".join(ledger.SUMS)
_KEY = "project, agent, model, source"


class Source(NamedTuple):
    """What stands behind FROM, and the values it is bound to."""

    sql: str
    values: tuple[int, ...]


def source(part: Slice) -> Source:
    """Rows of (day, project, agent, model, source, host, sums); some days stand in two of them."""
    since, until = part.span
    first = None if since is None else _next_start(since)
    last = None if until is None else calendar.day_of(until)
    if first is not None and last is not None and first > last:  # within one day
        first = last = first - 1
        ragged = [(first, since, until)]
    else:
        ragged = [] if since is None or first is None else [(first - 1, since, None)]
        ragged += [] if until is None or last is None else [(last, None, until)]
    found = [_whole(first, last, part.project)]
    for day, after, before in ragged:
        start = calendar.start_of(day) if after is None else after
        end = calendar.start_of(day + 1) if before is None else before
        found += _quarters(day, start, end, part.project)
    sql = " UNION ALL ".join(one.sql for one in found)
    return Source(f"({sql})", tuple(value for one in found for value in one.values))


def _next_start(moment: float) -> int:
    """The first day that begins then or later."""
    day = calendar.day_of(moment)
    return day if calendar.start_of(day) == moment else day + 1


def _whole(first: int | None, last: int | None, project: int | None) -> Source:
    conditions = [
        (text, value)
        for text, value in (("day >= ?", first), ("day < ?", last), ("project = ?", project))
        if value is not None
    ]
    where = " AND ".join(["1", *(text for text, _ in conditions)])
    sql = f"SELECT day, {_KEY}, host, {_COLUMNS} FROM daily WHERE {where}"
    return Source(sql, tuple(value for _, value in conditions))


def _quarters(day: int, since: float, until: float, project: int | None) -> list[Source]:
    start, end = int(since // ledger.BUCKET), int(until // ledger.BUCKET)
    if start >= end:
        return []
    mine = "" if project is None else " AND project = ?"
    sql = (
        f"SELECT {day} AS day, {_KEY}, {HOST} AS host, {_COLUMNS} FROM bucket"
        f" WHERE start >= ? AND start < ?{mine}"
    )
    return [Source(sql, (start, end) if project is None else (start, end, project))]

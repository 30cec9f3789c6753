"""What was used and what it cost, in the views of `report`.

Days, weeks and months are local ones. What the client charged without a transcript row
(`unlisted`) is kept apart from rows and totals in every view.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence

from claude_tier_hooks.shapes import Json

from claude_tier.report import totals
from claude_tier.report.days import Slice
from claude_tier.report.spending import blocks, by_day, conversations, served
from claude_tier.report.spending.rows import COLUMNS, Row, Spending, row_fields

BY = (
    "day", "week", "month", "session", "project", "agent", "model", "block", "provider", "route",
)  # fmt: skip
BY_TIME = ("day", "week", "month", "block")  # the oldest first
_EXTRA = {
    "session": ("project", "last", "models"),
    "block": ("start", "end", "active"),
    "provider": ("mean_tokens", "cost_share"),
    "route": ("mean_tokens", "cost_share"),
}
__all__ = ["BY", "Row", "Slice", "Spending", "columns", "query", "row_fields"]


def columns(by: str, *, routed: bool = False) -> tuple[str, ...]:
    """The names of a row's fields in that view, in their order; `routed` as in Spending."""
    return (by, *COLUMNS, *_EXTRA.get(by, ()), *(served.COLUMNS if routed else ()))


def query(
    db: sqlite3.Connection,
    rules: Json,
    by: str,
    part: Slice = Slice(),  # noqa: B008 - frozen
    *,
    last: int | None = None,
    now: float | None = None,
) -> Spending:
    """Sum that part of the ledger by one of BY; `last` keeps that many rows.

    The newest days, weeks, months, sessions or blocks, and of all else the dearest.
    """
    every = by_day.groups(db, part, by, rules)
    rows: Sequence[Row] = every.rows(by)
    left_out = 0
    if by == "session":
        rows, left_out = conversations.rows(db, part, last)
    if by == "block":
        rows = blocks.rows(db, part, time.time() if now is None else now)
    told = served.query(db, part) if by == "provider" else {}
    if told:
        rows = served.beside(rows, told)
    if last and len(rows) > last:
        left_out = len(rows) - last
        rows = rows[-last:] if by in BY_TIME else rows[:last]
    return Spending(
        by=by,
        rows=rows,
        totals=totals.settled(every.total()),
        unlisted=totals.beyond(db, part),
        unmeasured=totals.unmeasured(db, part),
        unpriced=by_day.unpriced(db, part),
        unsaved=totals.unsaved(db, part),
        left_out=left_out,
        routed=bool(told),
    )

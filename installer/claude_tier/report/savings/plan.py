"""What tiering saved of a subscription's windows, in percent of each.

How the plan weighs models is not published. It is taken to follow list prices: then the share of a
window that was used stands for the dollars spent in it, and what was saved for so much more.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from claude_tier_hooks import budget

ASSUMED = (
    "Assumed: the plan weighs models as list prices do, and everything that the window counts is"
    " in this ledger. A lower tier slows the use of a window down; it does not open one that is"
    " used up."
)
_ALL = {"scope": {"kind": "user"}, "period": "window", "unit": "usd"}
_SAVED = (
    "SELECT coalesce(sum(baseline_usd - usd - startup_usd - rebuild_usd), 0.0) FROM {}"
    " WHERE at >= :since AND at < :until AND (:project IS NULL OR project = :project)"
)


@dataclass(frozen=True)
class Window:
    """A window of the plan: `used_percent` as the client said it, `saved_percent` of it what
    tiering saved (None where nothing was spent), from `since` until `resets_at`.

    `current` is False once it was reset and the client has not spoken of the next.
    """

    name: str
    used_percent: float
    saved_percent: float | None
    spent_usd: float
    saved_usd: float
    since: float
    resets_at: float
    current: bool


def windows(
    db: sqlite3.Connection, table: str, project: int | None, now: float
) -> tuple[Window, ...]:
    """The plan's windows that are open, or were until less than their length ago."""
    rows = db.execute("SELECT name, used, resets_at FROM plan_window ORDER BY name").fetchall()
    return tuple(
        _window(db, table, project, row, now)
        for row in rows
        if row[0] in budget.WINDOWS and row[2] + budget.WINDOWS[row[0]] > now
    )


def _window(
    db: sqlite3.Connection,
    table: str,
    project: int | None,
    row: tuple[str, float, float],
    now: float,
) -> Window:
    name, used, resets = row
    since = resets - budget.WINDOWS[name]
    spent = budget.spent(db, _ALL, since, {})[0] - budget.spent(db, _ALL, resets, {})[0]
    values = {"since": since, "until": resets, "project": project}
    (saved,) = db.execute(_SAVED.format(table), values).fetchone()
    return Window(
        name=name,
        used_percent=used,
        saved_percent=used * saved / spent if spent > 1e-9 else None,
        spent_usd=max(0.0, spent),
        saved_usd=saved,
        since=since,
        resets_at=resets,
        current=resets > now,
    )

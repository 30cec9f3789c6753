"""The view by session: the newest first, with project, last use and models."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any, overload

from claude_tier_hooks import ledger, unlisted

from claude_tier.report.days import Slice
from claude_tier.report.spending.rows import Row

Found = tuple[Any, ...]  # session, project, at, models, sums

_COLUMNS = ", ".join(ledger.SUMS)
_SUMS = ", ".join(f"sum(bucket.{name})" for name in ledger.SUMS)
_TOTAL = f"SELECT session, project, at, models, {_COLUMNS} FROM session_total AS total"
# Of a session that goes on beyond the span, only what it used within.
_PARTLY = (
    "SELECT total.session, total.project, min(coalesce(total.at, 1e18), max(start) * {quarter}.0),"
    f" total.models, {_SUMS} FROM session_total AS total JOIN bucket"
    " ON bucket.session = total.session WHERE bucket.start >= :since AND bucket.start < :until"
    " AND source <> :unlisted AND total.first < :until AND total.last >= :since"
    " AND NOT (total.first >= :since AND total.last < :until){mine} GROUP BY total.session"
)
_FAR = 1 << 40
MANY = 1000  # sessions from which one pass over all names is less than a look for each
UNKNOWN = "unknown"


def rows(db: sqlite3.Connection, part: Slice, last: int | None) -> tuple[Conversations, int]:
    """The newest sessions of that part, and how many more there are."""
    found, every = _whole(db, part, last) if part.span == (None, None) else _within(db, part, last)
    texts = _texts(db, found)
    return Conversations(found, texts), every - len(found)


def _whole(db: sqlite3.Connection, part: Slice, last: int | None) -> tuple[list[Found], int]:
    mine = "" if part.project is None else " WHERE project = ?"
    values = () if part.project is None else (part.project,)
    if last is None:
        found = db.execute(f"{_TOTAL}{mine}", values).fetchall()
        return _newest_first(found), len(found)
    found = db.execute(f"{_TOTAL}{mine} ORDER BY at DESC LIMIT ?", (*values, last)).fetchall()
    if len(found) < last:
        return found, len(found)
    (every,) = db.execute(f"SELECT count(*) FROM session_total{mine}", values).fetchone()
    return found, int(every)


def _within(db: sqlite3.Connection, part: Slice, last: int | None) -> tuple[list[Found], int]:
    since, until = part.span
    quarter = ledger.BUCKET
    values = {
        "since": -_FAR if since is None else int(since // quarter),
        "until": _FAR if until is None else int(until // quarter),
        "unlisted": ledger.known_id(db, unlisted.SOURCE),
        "project": part.project,
    }
    mine = "" if part.project is None else " AND total.project = :project"
    inside = f"{_TOTAL} WHERE first >= :since AND last < :until{mine}"
    partly = _PARTLY.format(quarter=quarter, mine=mine)
    found = db.execute(f"{inside} UNION ALL {partly}", values).fetchall()
    return _newest_first(found)[:last], len(found)


def _newest_first(found: list[Found]) -> list[Found]:
    return sorted(found, key=lambda one: one[2] or 0, reverse=True)


def _texts(db: sqlite3.Connection, found: list[Found]) -> dict[int, str]:
    """The names of these sessions, their projects and their models."""
    if len(found) > MANY:
        return dict(db.execute("SELECT id, text FROM name").fetchall())
    numbers = {one[1] for one in found} | {n for one in found for n in _models(one[3])}
    numbers |= {one[0] for one in found}
    return {int(number): ledger.text_of(db, int(number)) or UNKNOWN for number in numbers}


def _models(text: object) -> list[int]:
    return [int(number) for number in str(text).split(",") if number]


class Conversations(Sequence[Row]):
    """Rows made when they are looked at: there may be tens of thousands."""

    def __init__(self, found: list[Found], texts: dict[int, str]) -> None:
        self.found, self.texts = found, texts
        self.named: dict[object, list[str]] = {}

    def __len__(self) -> int:
        return len(self.found)

    @overload
    def __getitem__(self, at: int) -> Row: ...
    @overload
    def __getitem__(self, at: slice) -> list[Row]: ...
    def __getitem__(self, at: int | slice) -> Row | list[Row]:
        return (
            [*map(self._row, self.found[at])]
            if isinstance(at, slice)
            else self._row(self.found[at])
        )

    def _row(self, one: Found) -> Row:
        number, project, last, models = one[:4]
        if models not in self.named:
            self.named[models] = [self.texts.get(each, UNKNOWN) for each in _models(models)]
        extra = {
            "project": self.texts.get(project, UNKNOWN),
            "last": last,
            "models": self.named[models],
        }
        return Row(self.texts.get(number, UNKNOWN), one[4:], extra)

"""The savings against a model that nothing is kept for, reckoned from the responses themselves."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from claude_tier_hooks import ledger
from claude_tier_hooks.shapes import Json

from claude_tier.progress import Bar
from claude_tier.report.days import Span
from claude_tier.report.savings import keeping
from claude_tier.report.savings.reading import Reader

ROWS, DAYS = "temp.saving_against", "temp.saving_day_against"
_SESSIONS = (
    "SELECT DISTINCT session FROM bucket WHERE (:since IS NULL OR start >= :since)"
    " AND (:until IS NULL OR start <= :until) AND (:project IS NULL OR project = :project)"
    " ORDER BY session"
)


@contextmanager
def reckoned(
    db: sqlite3.Connection, rules: Json, baseline: str, span: Span, project: int | None
) -> Iterator[tuple[str, str]]:
    """Tables like `saving` and `saving_day` with every session of that span; gone in the end."""
    for made, like in ((ROWS, "saving"), (DAYS, "saving_day")):
        db.execute(f"CREATE TABLE {made} AS SELECT * FROM {like} LIMIT 0")
    try:
        _fill(db, Reader(db, rules, baseline), _sessions(db, span, project))
        for day in keeping.days_of(db, ROWS):
            keeping.sum_day(db, DAYS, ROWS, day)
        yield ROWS, DAYS
    finally:
        for made in (ROWS, DAYS):
            db.execute(f"DROP TABLE {made}")


def _sessions(db: sqlite3.Connection, span: Span, project: int | None) -> list[int]:
    since, until = (None if at is None else int(at // ledger.BUCKET) for at in span)
    values = {"since": since, "until": until, "project": project}
    return [row[0] for row in db.execute(_SESSIONS, values)]


def _fill(db: sqlite3.Connection, reader: Reader, sessions: list[int]) -> None:
    with Bar("Reckoning savings") as bar:
        for done, session in enumerate(sessions, start=1):
            keeping.keep(db, ROWS, reader.pieces(session))
            bar(done, len(sessions))
    db.execute("CREATE INDEX temp.saving_against_by_time ON saving_against (at)")

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

TABLE = "temp.saving_against"
_SESSIONS = (
    "SELECT DISTINCT session FROM bucket WHERE (:since IS NULL OR start >= :since)"
    " AND (:until IS NULL OR start <= :until) AND (:project IS NULL OR project = :project)"
    " ORDER BY session"
)


@contextmanager
def reckoned(
    db: sqlite3.Connection, rules: Json, baseline: str, span: Span, project: int | None
) -> Iterator[str]:
    """The name of a table like `saving` with every session of that span; gone in the end."""
    columns = ", ".join(keeping.COLUMNS)
    db.execute(f"CREATE TEMP TABLE saving_against AS SELECT {columns} FROM saving LIMIT 0")
    try:
        _fill(db, Reader(db, rules, baseline), _sessions(db, span, project))
        yield TABLE
    finally:
        db.execute(f"DROP TABLE {TABLE}")


def _sessions(db: sqlite3.Connection, span: Span, project: int | None) -> list[int]:
    since, until = (None if at is None else int(at // ledger.BUCKET) for at in span)
    values = {"since": since, "until": until, "project": project}
    return [row[0] for row in db.execute(_SESSIONS, values)]


def _fill(db: sqlite3.Connection, reader: Reader, sessions: list[int]) -> None:
    with Bar("Reckoning savings") as bar:
        for done, session in enumerate(sessions, start=1):
            keeping.keep(db, TABLE, reader.pieces(session))
            bar(done, len(sessions))

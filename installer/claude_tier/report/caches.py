"""The sums that reports read, brought up to what the quarter hours hold by now.

`daily` (by local day), `quarter` (by quarter hour, without session, agent and model), `session_sum`
and `session_total` (what transcripts show of a session, with its models, dearest first) follow from
`bucket`, whose triggers mark what a change leaves behind (`stale`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext

from claude_tier_hooks import ledger, unlisted

from claude_tier.progress import Bar
from claude_tier.report import calendar

DAY = 86400 // ledger.BUCKET  # quarter hours of a UTC day
DAYS, SESSIONS = 3, 500  # summed anew in one transaction, so that no hook waits long
TABLES = (
    "stale", "note", "daily", "quarter", "session_sum", "session_total", "saving", "saving_day",
)  # fmt: skip
EVERY = -1  # stands for all projects together in `quarter`

_COLUMNS = ", ".join(ledger.SUMS)
_SUMS = ", ".join(f"sum({name})" for name in ledger.SUMS)
# What the client's host is to a report: 0 for Anthropic itself.
HOST = "coalesce((SELECT host FROM session WHERE session.id = bucket.session), 0)"
_FILL_DAY = (
    f"INSERT INTO daily (day, project, agent, model, source, host, {_COLUMNS})"
    f" SELECT ?, project, agent, model, source, {HOST} AS host, {_SUMS} FROM bucket"
    " WHERE start >= ? AND start < ? GROUP BY project, agent, model, source, host"
)
_FILL_QUARTERS = (
    f"INSERT INTO quarter (start, project, source, {_COLUMNS}) SELECT start, project, source,"
    f" {_SUMS} FROM bucket WHERE start >= ?1 AND start < ?2 GROUP BY start, project, source"
)
_FILL_EVERY = (
    f"INSERT INTO quarter (start, project, source, {_COLUMNS}) SELECT start, {EVERY}, source,"
    f" {_SUMS} FROM quarter WHERE start >= ?1 AND start < ?2 GROUP BY start, source"
)
_FILL_SESSION = (
    f"INSERT INTO session_sum (session, model, source, {_COLUMNS}) SELECT session, model, source,"
    f" {_SUMS} FROM bucket WHERE session = ? GROUP BY model, source"
)
# An older runtime does not write when a session was last used: never before its last quarter hour.
_LAST = (
    "max(coalesce((SELECT last FROM session WHERE id = ?1), -1e18),"
    f" max(start) * {ledger.BUCKET}.0)"
)
_FILL_TOTAL = (
    f"INSERT INTO session_total (session, project, at, first, last, models, {_COLUMNS})"
    f" SELECT session, project, {_LAST}, min(start), max(start),"
    " (SELECT group_concat(model) FROM (SELECT model FROM session_sum WHERE session = ?1"
    " AND source <> ?2 GROUP BY model ORDER BY sum(usd) DESC, sum(output_tokens) DESC, model)),"
    f" {_SUMS} FROM bucket WHERE session = ?1 AND source <> ?2 GROUP BY session"
)
# Every day there is, without reading all of its rows.
_KEPT_DAYS = (
    "WITH RECURSIVE kept (day) AS (SELECT min(day) FROM {table} UNION ALL SELECT (SELECT min(day)"
    " FROM {table} WHERE {table}.day > kept.day) FROM kept WHERE kept.day IS NOT NULL)"
    " SELECT day FROM kept WHERE day IS NOT NULL"
)


def bring_up(db: sqlite3.Connection) -> None:
    """Sum anew what is stale, in short transactions of its own or in the one that is open.

    A session's mark becomes one of kind 'saving', for the savings that follow from its sums.
    """
    if zone(db, "daily") != _note(db):
        with _writing(db):
            _forget_days(db)
    _in_parts(db, "day", DAYS, _sum_days)
    _in_parts(db, "session", SESSIONS, _sum_sessions)


def behind(db: sqlite3.Connection) -> bool:
    """Whether anything is stale, or was summed in another time zone."""
    return bool(_marked(db, "day", 1) or _marked(db, "session", 1)) or zone(db, "daily") != _note(
        db
    )


def shadow(db: sqlite3.Connection) -> None:
    """From now on this connection keeps these tables to itself, for a ledger it cannot write."""
    kept = "SELECT sql FROM main.sqlite_master WHERE type = 'table' AND name = ?"
    known = {row[0] for row in db.execute("SELECT name FROM sqlite_temp_master")}
    for table in TABLES:
        found = db.execute(kept, (table,)).fetchone()
        if found and table not in known:
            db.execute(found[0].replace("CREATE TABLE", "CREATE TEMP TABLE", 1))
            db.execute(f"INSERT INTO temp.{table} SELECT * FROM main.{table}")


def _writing(db: sqlite3.Connection) -> ledger.Writing | nullcontext[None]:
    return nullcontext() if db.in_transaction else ledger.Writing(db)


def _in_parts(
    db: sqlite3.Connection,
    kind: str,
    size: int,
    bring: Callable[[sqlite3.Connection, Sequence[int]], None],
) -> None:
    (total,) = db.execute("SELECT count(*) FROM stale WHERE kind = ?", (kind,)).fetchone()
    done = 0
    with Bar("Summing") as bar:
        while _marked(db, kind, 1):
            with _writing(db):
                numbers = _marked(db, kind, size)
                bring(db, numbers)
                db.executemany(
                    "DELETE FROM stale WHERE number = ? AND kind = ?", [(n, kind) for n in numbers]
                )
            done += len(numbers)
            bar(done, total)


def _marked(db: sqlite3.Connection, kind: str, last: int) -> list[int]:
    query = "SELECT number FROM stale WHERE kind = ? ORDER BY number LIMIT ?"
    return [row[0] for row in db.execute(query, (kind, last))]


def _sum_days(db: sqlite3.Connection, numbers: Sequence[int]) -> None:
    """Those UTC days' quarter hours, and the local days that have a part in them."""
    for number in sorted(_meant(numbers)):
        span = (number * DAY, (number + 1) * DAY)
        db.execute("DELETE FROM quarter WHERE start >= ? AND start < ?", span)
        db.execute(_FILL_QUARTERS, span)
        db.execute(_FILL_EVERY, span)
    for day in sorted({day for number in _meant(numbers) for day in _local_days(number)}):
        db.execute("DELETE FROM daily WHERE day = ?", (day,))
        db.execute(_FILL_DAY, (day, *calendar.quarters(day)))
    _keep_note(db)


def _meant(numbers: Sequence[int]) -> set[int]:
    """Before 1970 a mark may stand for the day before it: SQLite divides towards 0."""
    return {*numbers, *(number - 1 for number in numbers if number <= 0)}


def _local_days(number: int) -> Iterable[int]:
    first, last = number * 86400, (number + 1) * 86400 - 1
    return range(calendar.day_of(first), calendar.day_of(last) + 1)


def _sum_sessions(db: sqlite3.Connection, numbers: Sequence[int]) -> None:
    each = [(number,) for number in numbers]
    beyond = ledger.known_id(db, unlisted.SOURCE)
    for table in ("session_sum", "session_total"):
        db.executemany(f"DELETE FROM {table} WHERE session = ?", each)
    db.executemany(_FILL_SESSION, each)
    db.executemany(_FILL_TOTAL, [(number, beyond) for number in numbers])
    db.executemany("INSERT OR IGNORE INTO stale (number, kind) VALUES (?, 'saving')", each)


def _forget_days(db: sqlite3.Connection) -> None:
    """The days' bounds are others in this time zone."""
    db.execute("DELETE FROM daily")
    db.execute(
        "INSERT OR IGNORE INTO stale (number, kind) SELECT DISTINCT start, 'day' FROM span"
        " WHERE length = ?",
        (DAY * ledger.BUCKET,),
    )
    _keep_note(db)


def zone(db: sqlite3.Connection, table: str) -> str:
    """What tells another time zone: when the days that this table keeps begin and end."""
    return calendar.fingerprint(row[0] for row in db.execute(_KEPT_DAYS.format(table=table)))


def _note(db: sqlite3.Connection) -> str:
    row = db.execute("SELECT value FROM note WHERE name = 'zone'").fetchone()
    return str(row[0]) if row else ""


def _keep_note(db: sqlite3.Connection) -> None:
    db.execute("INSERT OR REPLACE INTO note (name, value) VALUES ('zone', ?)", (zone(db, "daily"),))

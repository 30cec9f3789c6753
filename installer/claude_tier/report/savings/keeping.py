"""The tables `saving` and `saving_day`, brought up to what the ledger holds by now.

Sessions that changed are marked: `caches.bring_up` turns the mark of every session it sums anew
into one of kind 'saving', and triggers mark those whose model, host or decisions changed. Other
prices, or another baseline, mark all of them; another time zone marks all days.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterable
from contextlib import nullcontext

from claude_tier_hooks import ledger
from claude_tier_hooks.shapes import Json

from claude_tier.progress import Bar
from claude_tier.report import caches, calendar
from claude_tier.report.savings import baselines, tokenizers
from claude_tier.report.savings.reading import Piece, Reader

ZONE = "savings zone"
KIND, DAYS = "saving", "saving_day"  # marks of sessions, and of local days
METHOD = 1  # goes up when the same rows come to other savings
ROWS = 2000  # of usage, about, in one transaction, so that no hook waits long
DAY = 86400  # seconds
SOME_DAYS = 20  # in one transaction
SUMS = (
    "requests", "left_out", "corrected", "uncorrected", "usd", "baseline_usd", "startup_usd",
    "rebuild_usd",
)  # fmt: skip
KEY = ("project", "agent", "model", "baseline")
COLUMNS = ("at", "session", "run", *KEY, *SUMS, "would_net")
_INSERT = f"INSERT INTO {{}} ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"
_MARKED = "SELECT DISTINCT number FROM stale WHERE kind IN ('saving', 'session') ORDER BY number"


_SUM_DAY = (
    f"INSERT INTO {{}} (day, {', '.join(KEY)}, {', '.join(SUMS)}) SELECT ?, {', '.join(KEY)},"
    f" {', '.join(f'sum({one})' for one in SUMS)} FROM {{}} WHERE at >= ? AND at < ?"
    f" GROUP BY {', '.join(KEY)}"
)


def bring_up(db: sqlite3.Connection, rules: Json) -> None:
    """Reckon anew what is behind, in short transactions or in the one that is open."""
    baseline = baselines.chosen(rules, None)
    if _note(db, "savings") != _fingerprint(rules, baseline):
        with _writing(db):
            _mark_sessions(db)
            _keep_note(db, "savings", _fingerprint(rules, baseline))
    if (_note(db, ZONE) or "") != caches.zone(db, DAYS):
        with _writing(db):
            _mark_days(db)
            if baseline != baselines.MAIN:  # then a conversation's rows are dated by the day
                _mark_sessions(db)
    _reckon(db, Reader(db, rules, baseline))
    _sum_days(db)


def keep(db: sqlite3.Connection, table: str, pieces: Iterable[Piece]) -> None:
    """Write these rows into `saving`, or into a table like it."""
    db.executemany(_INSERT.format(table), [one.cells() for one in pieces])


def sum_day(db: sqlite3.Connection, sums: str, rows: str, day: int) -> None:
    """Write the sums of a local day into `saving_day`, or into a table like it."""
    span = (calendar.start_of(day), calendar.start_of(day + 1))
    db.execute(_SUM_DAY.format(sums, rows), (day, *span))


def days_of(db: sqlite3.Connection, rows: str) -> set[int]:
    """The local days that a row of `saving`, or of a table like it, may fall on."""
    found = db.execute(f"SELECT DISTINCT cast(at / {DAY} AS INTEGER) FROM {rows}")  # toward 0
    edges = [((number - 1) * DAY, (number + 1) * DAY) for (number,) in found]
    spans = [(calendar.day_of(first), calendar.day_of(last)) for first, last in edges]
    return {day for first, last in spans for day in range(first, last + 1)}


def _reckon(db: sqlite3.Connection, reader: Reader) -> None:
    marked = [row[0] for row in db.execute(_MARKED)]
    with Bar("Reckoning savings") as bar:
        done = 0
        while done < len(marked):
            with _writing(db):
                done += _some(db, reader, marked[done:])
            bar(done, len(marked))


def _some(db: sqlite3.Connection, reader: Reader, sessions: list[int]) -> int:
    """Reckon the next sessions, as many as one transaction should hold; how many that were."""
    rows = done = 0
    times: set[float] = set()
    for session in sessions:
        pieces = reader.pieces(session)
        known = db.execute("SELECT at FROM saving WHERE session = ?", (session,))
        times.update(row[0] for row in known)
        times.update(one.at for one in pieces)
        db.execute("DELETE FROM saving WHERE session = ?", (session,))
        keep(db, "saving", pieces)
        db.execute("DELETE FROM stale WHERE number = ? AND kind = ?", (session, KIND))
        done += 1
        rows += 1 + reader.read
        reader.read = 0
        if rows > ROWS:
            break
    _mark(db, DAYS, {calendar.day_of(at) for at in times})
    return done


def _sum_days(db: sqlite3.Connection) -> None:
    query = "SELECT number FROM stale WHERE kind = ? LIMIT ?"
    while days := db.execute(query, (DAYS, SOME_DAYS)).fetchall():
        with _writing(db):
            for (day,) in days:
                db.execute("DELETE FROM saving_day WHERE day = ?", (day,))
                sum_day(db, "saving_day", "saving", day)
                db.execute("DELETE FROM stale WHERE number = ? AND kind = ?", (day, DAYS))
            _keep_note(db, ZONE, caches.zone(db, DAYS))


def _fingerprint(rules: Json, baseline: str) -> str:
    """What the savings depend on beside the ledger's rows."""
    depends = [
        METHOD, tokenizers.FACTOR, baseline,
        *(rules.get(key) for key in ("models", "geo", "web_search_usd", "hosts")),
    ]  # fmt: skip
    return str(zlib.crc32(json.dumps(depends, sort_keys=True).encode()))


def _note(db: sqlite3.Connection, name: str) -> str | None:
    row = db.execute("SELECT value FROM note WHERE name = ?", (name,)).fetchone()
    return row[0] if row else None


def _keep_note(db: sqlite3.Connection, name: str, value: str) -> None:
    db.execute("INSERT OR REPLACE INTO note (name, value) VALUES (?, ?)", (name, value))


def _mark(db: sqlite3.Connection, kind: str, numbers: Iterable[int]) -> None:
    query = "INSERT OR IGNORE INTO stale (number, kind) VALUES (?, ?)"
    db.executemany(query, [(number, kind) for number in numbers])


def _mark_sessions(db: sqlite3.Connection) -> None:
    db.execute(
        "INSERT OR IGNORE INTO stale (number, kind) SELECT DISTINCT session, ? FROM bucket", (KIND,)
    )


def _mark_days(db: sqlite3.Connection) -> None:
    db.execute("DELETE FROM saving_day")
    _keep_note(db, ZONE, "")
    _mark(db, DAYS, days_of(db, "saving"))


def _writing(db: sqlite3.Connection) -> ledger.Writing | nullcontext[None]:
    """A transaction of its own; none where one is open, or the tables are this process's alone."""
    query = "SELECT 1 FROM sqlite_temp_master WHERE name = 'saving'"
    if db.in_transaction or db.execute(query).fetchone():
        return nullcontext()
    return ledger.Writing(db)

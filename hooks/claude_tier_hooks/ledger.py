"""The ledger: one SQLite file that every hook and command writes, in short transactions.

WAL with synchronous=NORMAL, every write BEGIN IMMEDIATE: short-lived writers in parallel are the
normal case. A hook that cannot get in within 250 ms appends its decision to the spool, which the
next writer imports. Times are epoch seconds; money is dollars, NULL when unpriced.

Raises sqlite3.Error; `DamagedError` when the file is not a readable ledger any more.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from _weakref import ref

from . import state

PATIENCE = 0.25  # seconds a hook waits for its turn; commands wait longer
BUCKET = 900  # seconds; every time zone's midnight falls on a quarter of an hour
KINDS = (
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "web_searches",
)
SUMS = ("requests", *KINDS, "usd", "unpriced_requests")
SPANS = (BUCKET, 86400)  # seconds; what budgets sum

VERSION = 3
# What SQLite, or the module that reads its texts, says of a broken file.
DAMAGE = ("malformed", "not a database", "Could not decode to UTF-8")
MAIN = "main"  # the agent of the conversation itself

# Adds to the sums of one quarter hour; _BUCKET_KEY then SUMS.
_BUCKET_KEY = ("start", "session", "agent", "model", "source", "project")
ADD_TO_BUCKET = "INSERT INTO bucket (%s) VALUES (%s) ON CONFLICT DO UPDATE SET %s" % (
    ", ".join(_BUCKET_KEY + SUMS),
    ", ".join("?" * len(_BUCKET_KEY + SUMS)),
    ", ".join("%s = %s + excluded.%s" % (c, c, c) for c in SUMS),
)


class DamagedError(Exception):
    """The file is not a readable ledger; `ledger rebuild` salvages what it can."""


class _Connection(sqlite3.Connection):
    """One that can be found again: a damaged file is emptied only when nobody has it open."""


# What this process has open: (file, connection).
own: list[tuple[str, ref[_Connection]]] = []
# The last one opened by a hook. Were it dropped, its close would write the log back into the file
# while the client waits; the process ends with it open instead.
kept: list[sqlite3.Connection] = []


def file() -> str:
    return state.path("ledger.db")


def connect(where: str | None = None, *, patience: float = PATIENCE) -> sqlite3.Connection:
    """Open the ledger, making it when it is not there; a newer version's columns are tolerated."""
    if where is None:
        state.ensure()
    where = where or file()
    db = None
    try:
        db = sqlite3.connect(where, timeout=patience, isolation_level=None, factory=_Connection)
        own[:] = [one for one in own if one[1]() is not None] + [(where, ref(db))]
        db.execute("PRAGMA synchronous = NORMAL")
        if db.execute("PRAGMA user_version").fetchone()[0] < VERSION:
            _create(db, where)
    except (sqlite3.DatabaseError, UnicodeDecodeError) as fault:
        if db is not None:
            db.close()
        raise _named(fault) from fault
    return db


def opened(where: str | None = None) -> sqlite3.Connection:
    """The ledger, a damaged one moved aside and said; raises sqlite3.Error or OSError."""
    try:
        db = connect(where)
    except DamagedError as fault:
        state.log_fault("ledger", fault)
        set_aside(where)
        db = connect(where)
    kept[:] = [db]
    return db


def _create(db: sqlite3.Connection, where: str) -> None:
    """Make the tables of a new ledger, or add to one of an older version."""
    from . import schema

    os.chmod(where, 0o600)
    db.execute("PRAGMA journal_mode = WAL")
    with Writing(db):
        schema.bring_up(db)


def is_damage(fault: BaseException) -> bool:
    """Whether SQLite says the file itself is broken (not locked, full or read-only)."""
    return isinstance(fault, sqlite3.DatabaseError) and any(words in str(fault) for words in DAMAGE)


def _named(fault: Exception) -> Exception:
    # Where the tables' own definitions are noise, so is the text of SQLite's complaint.
    noise = isinstance(fault, UnicodeDecodeError)
    return DamagedError(str(fault)) if noise or is_damage(fault) else fault


def set_aside(where: str | None = None, *, sure: bool = False) -> str | None:
    """Put a damaged ledger out of the way; the copy's name, or None when that was not to be done.

    `sure`: a whole check found damage that a quick one does not look for.
    """
    from . import damage

    return damage.set_aside(where or file(), sure=sure)


class Writing:
    """One BEGIN IMMEDIATE … COMMIT; rolled back when the block raises."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db

    def __enter__(self) -> sqlite3.Connection:
        self.db.execute("BEGIN IMMEDIATE")
        return self.db

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self.db.execute("COMMIT")
        elif self.db.in_transaction:  # SQLite itself rolls back when the disk is full
            self.db.execute("ROLLBACK")


def name_id(db: sqlite3.Connection, text: str) -> int:
    """The number of a text, given one when it is new."""
    row = db.execute("SELECT id FROM name WHERE text = ?", (text,)).fetchone()
    if row is None:
        row = (db.execute("INSERT INTO name (text) VALUES (?)", (text,)).lastrowid,)
    return int(row[0])


def known_id(db: sqlite3.Connection, text: str) -> int:
    """The number of a text; -1, which no row has, when the ledger never saw it."""
    row = db.execute("SELECT id FROM name WHERE text = ?", (text,)).fetchone()
    return int(row[0]) if row else -1


def text_of(db: sqlite3.Connection, number: int | None) -> str | None:
    row = db.execute("SELECT text FROM name WHERE id = ?", (number,)).fetchone()
    return row[0] if row else None


def told(db: sqlite3.Connection, session: int, what: str) -> str | None:
    """The value `once` last kept for this session."""
    query = "SELECT value FROM told WHERE session = ? AND what = ?"
    row = db.execute(query, (session, what)).fetchone()
    return row[0] if row else None


def once(db: sqlite3.Connection, session: int, what: str, value: str = "") -> bool:
    """Whether this session was not told this value yet; remembers that it is now."""
    changed = db.execute(
        "INSERT INTO told (session, what, value) VALUES (?, ?, ?)"
        " ON CONFLICT DO UPDATE SET value = excluded.value"
        " WHERE value IS NOT excluded.value",
        (session, what, value),
    )
    return changed.rowcount > 0


def spool(record: dict[str, object]) -> None:
    """Keep a row that could not be written; one file for each, so that writers never meet."""
    os.makedirs(state.path("spool"), mode=0o700, exist_ok=True)
    name = "%d-%d-%d.json" % (time.time_ns(), os.getpid(), id(record) & 0xFFFF)
    state.write_private(state.path("spool", name), json.dumps(record))


def spooled() -> list[str]:
    """The files of rows that wait, oldest first."""
    try:
        names = os.listdir(state.path("spool"))
    except OSError:
        return []
    return [state.path("spool", name) for name in sorted(names) if name.endswith(".json")]

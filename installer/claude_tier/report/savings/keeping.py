"""The table `saving`, brought up to what the ledger holds by now.

Sessions that changed are marked: `caches.bring_up` turns the mark of every session it sums anew
into one of kind 'saving', and triggers mark those whose model, host or decisions changed. Other
prices, or another baseline, mark all of them.
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
from claude_tier.report.savings import baselines, tokenizers
from claude_tier.report.savings.reading import Piece, Reader

KIND, NOTE = "saving", "savings"
METHOD = 1  # goes up when the same rows come to other savings
ROWS = 2000  # of usage, about, in one transaction, so that no hook waits long
COLUMNS = (
    "at", "session", "run", "project", "agent", "model", "baseline", "requests", "left_out",
    "corrected", "uncorrected", "usd", "baseline_usd", "startup_usd", "rebuild_usd", "would_net",
)  # fmt: skip
_INSERT = f"INSERT INTO {{}} ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"
_MARKED = "SELECT DISTINCT number FROM stale WHERE kind IN ('saving', 'session') ORDER BY number"


def bring_up(db: sqlite3.Connection, rules: Json) -> None:
    """Reckon anew what is behind, in short transactions or in the one that is open."""
    baseline = baselines.chosen(rules, None)
    if _note(db) != _fingerprint(rules, baseline):
        with _writing(db):
            _mark_all(db, _fingerprint(rules, baseline))
    marked = [row[0] for row in db.execute(_MARKED)]
    if not marked:
        return
    reader = Reader(db, rules, baseline)
    with Bar("Reckoning savings") as bar:
        done = 0
        while done < len(marked):
            with _writing(db):
                done += _some(db, reader, marked[done:])
            bar(done, len(marked))


def keep(db: sqlite3.Connection, table: str, pieces: Iterable[Piece]) -> None:
    """Write these rows into `saving`, or into a table like it."""
    db.executemany(_INSERT.format(table), [one.cells() for one in pieces])


def _some(db: sqlite3.Connection, reader: Reader, sessions: list[int]) -> int:
    """Reckon the next sessions, as many as one transaction should hold; how many that were."""
    rows = done = 0
    for session in sessions:
        db.execute("DELETE FROM saving WHERE session = ?", (session,))
        keep(db, "saving", reader.pieces(session))
        db.execute("DELETE FROM stale WHERE number = ? AND kind = ?", (session, KIND))
        done += 1
        rows += 1 + reader.read
        reader.read = 0
        if rows > ROWS:
            break
    return done


def _fingerprint(rules: Json, baseline: str) -> str:
    """What the savings depend on beside the ledger's rows."""
    depends = [
        METHOD, tokenizers.FACTOR, baseline,
        *(rules.get(key) for key in ("models", "geo", "web_search_usd", "hosts")),
    ]  # fmt: skip
    return str(zlib.crc32(json.dumps(depends, sort_keys=True).encode()))


def _note(db: sqlite3.Connection) -> str | None:
    row = db.execute("SELECT value FROM note WHERE name = ?", (NOTE,)).fetchone()
    return row[0] if row else None


def _mark_all(db: sqlite3.Connection, fingerprint: str) -> None:
    db.execute(
        "INSERT OR IGNORE INTO stale (number, kind) SELECT DISTINCT session, ? FROM bucket", (KIND,)
    )
    db.execute("INSERT OR REPLACE INTO note (name, value) VALUES (?, ?)", (NOTE, fingerprint))


def _writing(db: sqlite3.Connection) -> ledger.Writing | nullcontext[None]:
    """A transaction of its own; none where one is open, or the tables are this process's alone."""
    query = "SELECT 1 FROM sqlite_temp_master WHERE name = 'saving'"
    if db.in_transaction or db.execute(query).fetchone():
        return nullcontext()
    return ledger.Writing(db)

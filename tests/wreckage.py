"""A ledger full of everything, what it holds in words, and ways to break its file."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from random import Random
from typing import NamedTuple

from books import NOON
from claude_tier.repair import rebuild, verify
from claude_tier_hooks import decisions, ingest, ledger, policy
from corpus import build, write

Rows = frozenset[tuple[object, ...]]
PAGE, SECTOR = 4096, 512


class Content(NamedTuple):
    """What a ledger holds, whatever numbers it gave to names."""

    usage: Rows
    decisions: Rows
    cost_states: Rows
    windows: Rows
    levels: Rows
    sums: tuple[float, ...]


def _text(column: str) -> str:
    return f"(SELECT text FROM name WHERE id = {column})"


QUERIES = (
    f"SELECT key, {_text('model')}, input_tokens, output_tokens, usd FROM usage",
    f"SELECT {_text('session')}, tool_use_id, {_text('agent')}, description, ran FROM decision",
    f"SELECT {_text('session')}, total, models FROM cost_state",
    "SELECT name, used, resets_at FROM plan_window",
    f"SELECT budget, {_text('substr(scope, 9)')}, level FROM level",
)
SUMS = "SELECT round(sum(usd), 6), sum(output_tokens), sum(requests) FROM bucket"


def content(file: str | None = None) -> Content:
    """Everything that must not be lost."""
    with contextlib.closing(sqlite3.connect(file or ledger.file())) as db:
        sets = [frozenset(db.execute(query).fetchall()) for query in QUERIES]
        return Content(*sets, db.execute(SUMS).fetchone())


def fill(home: Path) -> Content:
    """Every scene of the corpus, decisions, a plan window and a level, all in the one file."""
    write(build(3, size=60_000), home / ".claude")
    db = ledger.connect()
    ingest.everything(db, policy.load())
    with ledger.Writing(db):
        for number in range(600):
            decisions.record(db, _decision(number))
        db.execute("INSERT INTO plan_window VALUES ('five_hour', 40.5, ?, ?)", (NOON, NOON))
        scope = f"session:{ledger.name_id(db, 'session-3')}"
        db.execute("INSERT INTO level VALUES ('daily', ?, 1.5, 2, 'cap', ?)", (scope, NOON))
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    return content()


def _decision(number: int) -> dict[str, object]:
    """Some of them longer than fits on a page."""
    return {
        "session": f"session-{number % 7}",
        "tool_use_id": f"toolu_{number}",
        "at": NOON + number,
        "tool": "Agent",
        "agent": "Explore",
        "description": "look " * (number % 300),
        "action": "assigned",
    }


def sweep(home: Path) -> None:
    """What the client does after a month: no transcript is left."""
    (home / ".claude" / "projects").rename(home / "swept")


def overwrite(at: float, length: int) -> None:
    """Noise in the ledger's file, from the sector on that stands at that share of its length."""
    file = Path(ledger.file())
    data = bytearray(file.read_bytes())
    start = int(len(data) * at) // SECTOR * SECTOR
    end = min(start + length, len(data))
    data[start:end] = Random(1).randbytes(end - start)
    file.write_bytes(data)


def cut(share: float) -> None:
    """Only the first part of the ledger's file is left."""
    file = Path(ledger.file())
    data = file.read_bytes()
    file.write_bytes(data[: int(len(data) * share)])


def run() -> rebuild.Rebuilt:
    """Rebuild, and see that the result is whole."""
    done = rebuild.rebuild(policy.load())
    assert [one for one in verify.verify() if not one.ok] == []
    return done

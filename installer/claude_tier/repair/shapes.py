"""What the rows of each of the ledger's tables look like on disk, and which columns are names."""

from __future__ import annotations

import sqlite3
from functools import cache
from typing import NamedTuple

from claude_tier_hooks import schema

from claude_tier.repair.pages import Cell, Value, record

# Numbers of `name` in each table: they mean nothing in another ledger file.
NAMES = {
    "session": ("id", "project", "host", "parent"),
    "run": ("session", "agent"),
    "usage": ("session", "agent", "model", "source", "asked"),
    "cost_state": ("session",),
    "decision": ("session", "agent"),
    "reservation": ("session", "agent", "project"),
    "told": ("session",),
    "level": (),
    "plan_window": (),
    "plan_sample": (),
    "rules": (),
    "exchange": ("session",),
    "beat": ("beat",),
    "receipt": ("beat",),
}
# Follow from the others, or from the transcripts; or, as cooldowns, are soon learnt anew.
DERIVED = (
    "bucket", "span", "unlisted", "offset", "stale", "daily", "session_sum", "session_total",
    "quarter", "note", "saving", "saving_day", "cooldown",
)  # fmt: skip


class Shape(NamedTuple):
    """A table's columns in the order they are stored, and the types each may have there.

    A row that was written before a column was added is stored without it: `least` is how many
    every row has.
    """

    table: str
    columns: tuple[str, ...]
    types: tuple[tuple[type, ...], ...]
    by_rowid: bool
    least: int


@cache
def shapes() -> tuple[Shape, ...]:
    """Those of `name` and every table in NAMES, as this version makes them."""
    now, first = _made(schema.SCHEMA), _made(schema.FIRST)
    found = tuple(_shape(now, first, table) for table in ("name", *NAMES))
    for db in (now, first):
        db.close()
    return found


def _made(statements: tuple[str, ...]) -> sqlite3.Connection:
    db = sqlite3.connect(":memory:")
    for statement in statements:
        db.execute(statement)
    return db


def _shape(db: sqlite3.Connection, first: sqlite3.Connection, table: str) -> Shape:
    (made,) = db.execute("SELECT sql FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    by_rowid = "WITHOUT ROWID" not in made
    columns = db.execute(f"PRAGMA table_info({table})").fetchall()
    if not by_rowid:  # stored with the primary key first
        columns.sort(key=lambda one: (not one[5], one[5], one[0]))
    types = tuple(_types(one, by_rowid) for one in columns)
    least = len(first.execute(f"PRAGMA table_info({table})").fetchall()) or len(columns)
    return Shape(table, tuple(one[1] for one in columns), types, by_rowid, least)


def _types(column: tuple[int, str, str, int, object, int], by_rowid: bool) -> tuple[type, ...]:
    _, _, declared, not_null, _, key = column
    if by_rowid and key:
        return (type(None),)  # the rowid stands for it
    # A REAL without a fraction is stored as an integer.
    stored: tuple[type, ...] = {"INTEGER": (int,), "REAL": (int, float), "TEXT": (str,)}[declared]
    return stored if not_null or key else (*stored, type(None))


def read(cell: Cell) -> tuple[Shape, tuple[Value, ...]] | None:
    """The table a stored row is of, with its values in that shape's order; None for any other."""
    values = record(cell.payload)
    if values is None:
        return None
    for shape in _alike().get((cell.rowid is not None, len(values)), ()):
        if _fits(shape, values):
            whole = (*values, *(None,) * (len(shape.columns) - len(values)))
            return shape, (cell.rowid, *whole[1:]) if shape.by_rowid else whole
    return None


@cache
def _alike() -> dict[tuple[bool, int], list[Shape]]:
    """Shapes by what is seen first: whether rows have a rowid, and how many columns."""
    found: dict[tuple[bool, int], list[Shape]] = {}
    for shape in shapes():
        for length in range(shape.least, len(shape.columns) + 1):
            found.setdefault((shape.by_rowid, length), []).append(shape)
    return found


def _fits(shape: Shape, values: tuple[Value, ...]) -> bool:
    return all(
        isinstance(value, types) and not (isinstance(value, (int, float)) and value < 0)
        for value, types in zip(values, shape.types[: len(values)], strict=True)
    )


def indexed_name(cell: Cell) -> tuple[int, str] | None:
    """(number, text) from the index over names, which repeats them all; None for any other row.

    The index over `usage.key` has the same shape, but its texts tell.
    """
    values = record(cell.payload) if cell.rowid is None else None
    if not values or list(map(type, values)) != [str, int]:
        return None
    text, number = str(values[0]), int(values[1] or 0)
    return None if text.startswith("msg_") or text.count(":") >= 5 else (number, text)

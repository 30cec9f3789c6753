"""Every readable row of a damaged ledger, into a whole file of the same form."""

from __future__ import annotations

import contextlib
import json
import math
import sqlite3
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

from claude_tier_hooks import ledger

from claude_tier.repair import shapes
from claude_tier.repair.pages import Pages, Value
from claude_tier.repair.shapes import NAMES, Shape

Progress = Callable[[int, int], None]

EVERY = 256  # pages between two words about the progress
# What tells the newer of two versions of one row: a free page may still hold the older.
NEWER = {
    "session": "model_at",
    "run": "last",
    "usage": "output_tokens",
    "decision": "ran",
    "level": "at",
    "plan_window": "at",
}
# Noise may begin in the middle of a row and leave its form alone; figures beyond these are noise.
LIMITS = {
    **dict.fromkeys(("at", "started", "model_at", "parent_at", "last", "ended"), (1.4e9, 4.2e9)),
    **dict.fromkeys(("expires", "resets_at"), (1.4e9, 4.2e9)),
    **dict.fromkeys(ledger.KINDS, (0, 1e8)),
    "seconds": (0, 1e6),
    **dict.fromkeys(("requests", "final", "fast"), (0, 1)),
    "owned": (0, 2),
    "usd": (0, 1e5),
}
# Rows that two ledgers have in common, numbers included, only when one is a copy of the other.
EVIDENCE = {
    "usage": "id, key",
    "decision": "session, tool_use_id",
    "cost_state": "session, models",
    "run": "session, agent_id",
}
LOST = "lost:"  # a name that could not be read


def salvage(damaged: Path, target: Path, others: Iterable[Path], progress: Progress) -> int:
    """Write the readable rows into a new ledger at `target`; how many rows of usage there are.

    `others` are whole copies of the same ledger: names that cannot be read any more are looked up
    there. A name that is nowhere becomes `lost:<number>`: its rows still count.
    """
    db = ledger.connect(str(target))
    pages = Pages(damaged)
    try:
        with ledger.Writing(db):
            indexed = _read(db, pages, progress)
            _complete(db, indexed, others)
    finally:
        pages.close()
    found = db.execute("SELECT count(*) FROM usage").fetchone()[0]
    db.close()
    return int(found)


def _read(db: sqlite3.Connection, pages: Pages, progress: Progress) -> dict[int, str]:
    """Keep what each page holds; the names that the index over them repeats."""
    indexed: dict[int, str] = {}
    for number in range(1, pages.count + 1):
        for cell in pages.cells(number):
            found = shapes.read(cell)
            if found:
                if _plausible(*found):
                    _keep(db, *found)
            elif name := shapes.indexed_name(cell):
                indexed.setdefault(*name)
        if number % EVERY == 0:
            progress(number, pages.count)
    return indexed


def _plausible(shape: Shape, values: tuple[Value, ...]) -> bool:
    """Whether a row of the right form can be what was written."""
    row = dict(zip(shape.columns, values, strict=True))
    for column, (least, most) in LIMITS.items():
        value = row.get(column)
        if isinstance(value, (int, float)) and not least <= value <= most:
            return False
    if shape.table == "usage":
        return _affordable(row)
    return shape.table != "cost_state" or _adds_up(row)


def _affordable(row: dict[str, Value]) -> bool:
    """No model costs a thousand dollars for a million tokens, and no search a dollar."""
    used = [float(row[kind] or 0) for kind in ledger.KINDS]
    return float(row["usd"] or 0) <= sum(used[:-1]) * 1e-3 + used[-1]


def _adds_up(row: dict[str, Value]) -> bool:
    """A cost-state's total is that of its models, whose dollars come last."""
    try:
        models = json.loads(str(row["models"]))
        dollars = sum(figures[-1] for figures in models.values())
    except (ValueError, TypeError, AttributeError, LookupError):
        return False
    return math.isclose(dollars, float(row["total"] or 0), rel_tol=1e-3, abs_tol=1e-6)


def _keep(db: sqlite3.Connection, shape: Shape, values: tuple[Value, ...]) -> None:
    """Write a row unless a newer version of it is there."""
    # A row whose number or key contradicts another's was left over on a free page.
    with contextlib.suppress(sqlite3.IntegrityError):
        db.execute(_statement(shape), values)


@cache
def _statement(shape: Shape) -> str:
    columns, marks = ", ".join(shape.columns), ", ".join("?" * len(shape.columns))
    made = f"INTO {shape.table} ({columns}) VALUES ({marks})"
    newer = NEWER.get(shape.table)
    if newer is None:
        return f"INSERT OR IGNORE {made}"
    sets = ", ".join(f"{one} = excluded.{one}" for one in shape.columns)
    old = f"{shape.table}.{newer}"
    return (
        f"INSERT {made} ON CONFLICT DO UPDATE SET {sets}"
        f" WHERE excluded.{newer} > {old} OR {old} IS NULL"
    )


def _complete(db: sqlite3.Connection, indexed: dict[int, str], others: Iterable[Path]) -> None:
    """Give every number that rows use a name."""
    missing = _missing(db)
    _name(db, {number: text for number, text in indexed.items() if number in missing})
    for other in others:
        if missing := _missing(db):
            copy = _names_of(db, other)
            _name(db, {number: text for number, text in copy.items() if number in missing})
    lost = _missing(db)
    _name(db, {number: f"{LOST}{number}" for number in lost})
    # Rows of a lost session yield to any that say where they belong.
    marks = ", ".join("?" * len(lost))
    db.execute(f"UPDATE usage SET owned = 0 WHERE session IN ({marks})", sorted(lost))


def _missing(db: sqlite3.Connection) -> set[int]:
    used = " UNION ".join(
        f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL"
        for table, columns in NAMES.items()
        for column in columns
    )
    return {row[0] for row in db.execute(f"{used} EXCEPT SELECT id FROM name")}


def _name(db: sqlite3.Connection, names: dict[int, str]) -> None:
    db.executemany("INSERT OR IGNORE INTO name VALUES (?, ?)", names.items())


def _names_of(db: sqlite3.Connection, other: Path) -> dict[int, str]:
    """The names of a whole copy, if it is one of the same ledger; {} when it is not."""
    try:
        copy = sqlite3.connect(f"{other.absolute().as_uri()}?mode=ro", uri=True)
        with contextlib.closing(copy):
            names = dict(copy.execute("SELECT id, text FROM name").fetchall())
            related = any(_shared(db, copy, table, columns) for table, columns in EVIDENCE.items())
    except sqlite3.Error:
        return {}
    ours = db.execute("SELECT id, text FROM name").fetchall()
    agreed = all(names.get(number, text) == text for number, text in ours)
    return names if related and agreed else {}


def _shared(db: sqlite3.Connection, copy: sqlite3.Connection, table: str, columns: str) -> bool:
    """Whether a row stands under the same number in both."""
    query = f"SELECT {columns} FROM {table}"
    ours = set(db.execute(query))
    return any(row in ours for row in copy.execute(query))

"""What another whole ledger file holds, into the ledger in use, while hooks write to it.

Each file numbers its names itself, so every number is translated by its text. Rows that are there
already keep their place; of two versions of one response the greater wins, as it does when
transcripts are read. Short transactions, each of which leaves the sums right: it may end at any
point, and may be done again.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from claude_tier_hooks import ledger, unlisted
from claude_tier_hooks.shapes import Json

from claude_tier.repair import sums
from claude_tier.repair.salvage import LOST
from claude_tier.repair.shapes import NAMES

Progress = Callable[[int, int], None]

BATCH = 5000  # rows of usage in one transaction
_PLACE = ("at", "session", "agent", "run", "owned")  # what a response that is there keeps


class Merged(NamedTuple):
    """Rows that were not in the ledger before."""

    responses: int
    decisions: int


def merge(
    db: sqlite3.Connection, source: Path, rules: Json, progress: Progress, *, salvaged: bool = False
) -> Merged:
    """Take over everything the ledger in use does not hold; raises sqlite3.Error for a bad file.

    What was `salvaged` from a damaged file only fills gaps: its figures may be noise, and then
    they tend to be great.
    """
    before = _counts(db)
    with _attached(db, source):
        with ledger.Writing(db):
            _names(db)
            _sessions(db)
            _runs(db)
            _keep(db, "told")
            _keep(db, "rules")
            _keep(db, "plan_sample")
            _keep(db, "exchange")
            _keep(db, "beat")
            _keep(db, "receipt")
            _keep(db, "reservation", f"expires > {time.time()}")
            _decisions(db)
            _newest(db, "level", "scope")
            _newest(db, "plan_window", "name")
        _usage(db, progress, _final() if salvaged else _greater())
        _cost_states(db, rules)
        _last_used(db)
        _assert_whole(db)
    after = _counts(db)
    return Merged(after[0] - before[0], after[1] - before[1])


def _counts(db: sqlite3.Connection) -> tuple[int, int]:
    found: tuple[int, int] = db.execute(
        "SELECT (SELECT count(*) FROM usage), (SELECT count(*) FROM decision)"
    ).fetchone()
    return found


@contextmanager
def _attached(db: sqlite3.Connection, source: Path) -> Iterator[None]:
    """The other file as `old`, its numbers translated in temp.named and temp.ran."""
    db.execute("ATTACH ? AS old", (str(source),))
    try:
        for table in ("named", "ran"):
            db.execute(f"CREATE TEMP TABLE {table} (old INTEGER PRIMARY KEY, new INTEGER UNIQUE)")
        yield
    finally:
        for table in ("named", "ran", "batch"):
            db.execute(f"DROP TABLE IF EXISTS temp.{table}")
        db.execute("DETACH old")


def _columns(db: sqlite3.Connection, table: str, *without: str) -> list[str]:
    """What both files have of a table: one of them may be of an older version."""
    both = [
        [row[1] for row in db.execute(f"PRAGMA {file}.table_info({table})")]
        for file in ("main", "old")
    ]
    return [one for one in both[0] if one in both[1] and one not in without]


def _new(table: str, column: str) -> str:
    """A column of `old` (as `o`) in the numbers of the ledger in use."""
    if column in NAMES[table]:
        return f"(SELECT new FROM temp.named WHERE old = o.{column})"
    return f"o.{column}"


def _keep(db: sqlite3.Connection, table: str, where: str = "1", *without: str) -> None:
    """Add the rows of a table whose key is not there."""
    columns = _columns(db, table, *without)
    if not columns:  # an older version has no such table
        return
    db.execute(
        f"INSERT OR IGNORE INTO main.{table} ({', '.join(columns)})"
        f" SELECT {', '.join(_new(table, one) for one in columns)} FROM old.{table} o WHERE {where}"
    )


def _fill(db: sqlite3.Connection, table: str, match: str, *columns: str) -> None:
    """Give rows that are there what only the other file knows of them."""
    for one in set(columns) & set(_columns(db, table)):
        found = f"SELECT {_new(table, one)} FROM old.{table} o WHERE {match}"
        db.execute(f"UPDATE main.{table} AS n SET {one} = ({found}) WHERE {one} IS NULL")


def _names(db: sqlite3.Connection) -> None:
    db.execute("INSERT OR IGNORE INTO main.name (text) SELECT text FROM old.name ORDER BY id")
    db.execute(
        "INSERT INTO temp.named SELECT o.id, n.id FROM old.name o JOIN main.name n USING (text)"
    )


def _sessions(db: sqlite3.Connection) -> None:
    _keep(db, "session")
    # A session whose own row was lost keeps its usage; its transcript may tell more later.
    unknown = ledger.name_id(db, "unknown")
    for table in ("usage", "cost_state", "decision", "run"):
        db.execute(
            "INSERT OR IGNORE INTO main.session (id, project) SELECT DISTINCT named.new, ?"
            f" FROM old.{table} o JOIN temp.named ON named.old = o.session",
            (unknown,),
        )
    match = "o.id = (SELECT old FROM temp.named WHERE new = n.id)"
    # In pairs: the latter says when the former was so.
    _fill(db, "session", match, "model", "parent", "file", "host")
    _fill(db, "session", match, "model_at", "parent_at", "started")


def _last_used(db: sqlite3.Connection) -> None:
    """When each session was last used, which its rows of usage tell."""
    newest = "(SELECT max(at) FROM main.usage WHERE usage.session = session.id)"
    with ledger.Writing(db):
        db.execute(f"UPDATE main.session SET last = {newest} WHERE coalesce(last, 0) < {newest}")


def _unless_lost(table: str, columns: str) -> str:
    """A row of a session that lost its name is no new one where another session has the same."""
    lost = f"(SELECT text FROM old.name WHERE id = o.session) LIKE '{LOST}%'"
    return f"NOT ({lost} AND ({columns}) IN (SELECT {columns} FROM main.{table}))"


def _runs(db: sqlite3.Connection) -> None:
    # Their sums come with their rows of usage.
    _keep(db, "run", _unless_lost("run", "agent_id"), "id", "usd", "tokens")
    session = _new("run", "session")
    match = f"o.agent_id = n.agent_id AND {session} = n.session"
    _fill(db, "run", match, "model", "tool_use_id", "last", "ended")
    db.execute(f"INSERT INTO temp.ran SELECT o.id, n.id FROM old.run o JOIN main.run n ON {match}")


def _decisions(db: sqlite3.Connection) -> None:
    _keep(db, "decision", _unless_lost("decision", "tool_use_id"))
    session = "o.session = (SELECT old FROM temp.named WHERE new = n.session)"
    match = f"{session} AND o.tool_use_id = n.tool_use_id"
    _fill(db, "decision", match, "agent_id", "ran", "proof")


def _newest(db: sqlite3.Connection, table: str, key: str) -> None:
    """Rows of which the later one counts. A level's scope may hold a number: `session:17`."""
    columns = _columns(db, table)
    for row in db.execute(f"SELECT {', '.join(columns)} FROM old.{table}").fetchall():
        values = dict(zip(columns, row, strict=True))
        values[key] = _translated(db, str(values[key]))
        db.execute(
            f"INSERT INTO main.{table} ({', '.join(columns)}) VALUES"
            f" ({', '.join(':' + one for one in columns)}) ON CONFLICT DO UPDATE SET"
            f" {', '.join(f'{one} = excluded.{one}' for one in columns)} WHERE excluded.at > at",
            values,
        )


def _translated(db: sqlite3.Connection, text: str) -> str:
    kind, _, number = text.partition(":")
    if kind not in ("session", "project") or not number.isdigit():
        return text
    row = db.execute("SELECT new FROM temp.named WHERE old = ?", (int(number),)).fetchone()
    return f"{kind}:{row[0]}" if row else text


def _usage(db: sqlite3.Connection, progress: Progress, better: str) -> None:
    first, last = db.execute("SELECT min(id), max(id) FROM old.usage").fetchone()
    if first is None:
        return
    columns = _columns(db, "usage", "id")
    for start in range(first, last + 1, BATCH):
        with ledger.Writing(db):
            _batch(db, columns, start, better)
        progress(min(start + BATCH, last) - first, last - first)


def _batch(db: sqlite3.Connection, columns: list[str], start: int, better: str) -> None:
    """Take over those of the next rows that are new, or better than what is there."""
    names = {one: _new("usage", one) for one in columns}
    names["run"] = "(SELECT new FROM temp.ran WHERE old = o.run)"
    db.execute("DROP TABLE IF EXISTS temp.batch")
    db.execute(
        f"CREATE TEMP TABLE batch AS SELECT {', '.join(f'{names[c]} AS {c}' for c in columns)}"
        " FROM old.usage o LEFT JOIN main.usage n ON n.key = o.key WHERE o.id BETWEEN"
        f" {start} AND {start + BATCH - 1}"
        f" AND (n.id IS NULL OR {better})"
    )
    there = "key IN (SELECT key FROM temp.batch)"
    sums.move(db, "main.usage", there, sign="-")
    sets = ", ".join(f"{one} = excluded.{one}" for one in columns if one not in _PLACE)
    db.execute(
        f"INSERT INTO main.usage ({', '.join(columns)}) SELECT {', '.join(columns)}"
        f" FROM temp.batch WHERE 1 ON CONFLICT (key) DO UPDATE SET {sets}"
    )
    sums.move(db, "main.usage", there)


def _greater() -> str:
    """Of two versions of one response the greater, as when transcripts are read."""
    total = " + ".join(f"{{0}}.{kind}" for kind in ledger.KINDS)
    weight = f"({{0}}.output_tokens, {{0}}.final, {total})"
    return f"{weight.format('o')} > {weight.format('n')}"


def _final() -> str:
    return "o.final > n.final"


def _cost_states(db: sqlite3.Connection, rules: Json) -> None:
    """The client's own figures, and what they say beyond the rows."""
    session = _new("cost_state", "session")
    rows = db.execute(
        f"SELECT {session}, o.at, o.total, o.models FROM old.cost_state o"
        f" WHERE {_unless_lost('cost_state', 'total, models')} ORDER BY o.session, o.seq"
    ).fetchall()
    hosts = rules.get("hosts") or {}
    for start in range(0, len(rows), BATCH):
        part = rows[start : start + BATCH]
        with ledger.Writing(db):
            db.executemany(_ADD_COST_STATE, part)
            unlisted.recompute(db, {row[0] for row in part}, rules, hosts)


_ADD_COST_STATE = (
    "INSERT INTO main.cost_state (session, seq, at, total, models)"
    " SELECT ?1, (SELECT coalesce(max(seq), 0) + 1 FROM main.cost_state"
    " WHERE session = ?1), ?2, ?3, ?4 WHERE NOT EXISTS (SELECT 1 FROM main.cost_state"
    " WHERE session = ?1 AND total = ?3 AND models = ?4)"
)


def _assert_whole(db: sqlite3.Connection) -> None:
    """Nothing that the other file holds may be missing now; by key, not by number."""
    held = {
        "usage": "key",
        "decision": "tool_use_id",
        "cost_state": "total, models",
        "plan_window": "name",
        "level": "budget",
        "exchange": "id",
        "receipt": "slot",
    }
    for table, columns in held.items():
        if not _columns(db, table):
            continue
        missing = db.execute(
            f"SELECT count(*) FROM old.{table} WHERE ({columns}) NOT IN"
            f" (SELECT {columns} FROM main.{table})"
        ).fetchone()[0]
        if missing:
            raise AssertionError(f"{missing} rows of {table} were not taken over")

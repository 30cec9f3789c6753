"""Whether the ledger is whole: the file, its sums, its names, and what waits beside it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from claude_tier_hooks import backup, damage, ledger, state

from claude_tier.repair import sums
from claude_tier.repair.shapes import NAMES
from claude_tier.report import figures

REBUILD = "run `claude-tier ledger rebuild`"
SHOWN = 10  # faults that SQLite itself names


@dataclass(frozen=True)
class Finding:
    """One check: whether it is as it should be, what was seen, and what to do where it is not."""

    check: str
    ok: bool
    what: str
    todo: str | None = None

    def fields(self) -> dict[str, object]:
        return asdict(self)


def verify() -> list[Finding]:
    """Check the ledger without changing anything; a broken file ends the checks of its content."""
    found = [_file()]
    if found[0].ok and Path(ledger.file()).exists():
        db = ledger.connect(patience=10.0)
        found += [*_sums(db), _names(db)]
        db.close()
    return [*found, _spool(), _aside()]


def faults(db: sqlite3.Connection) -> list[str]:
    """What SQLite finds broken in the file, indexes included, and texts; [] when it is whole."""
    try:
        damage.read_texts(db)
        rows = db.execute(f"PRAGMA integrity_check({SHOWN})").fetchall()
    except sqlite3.DatabaseError as fault:
        if not ledger.is_damage(fault):
            raise
        return [str(fault)]
    return [row[0] for row in rows if row[0] != "ok"]


def _file() -> Finding:
    if not Path(ledger.file()).exists():
        return Finding("file", ok=True, what="there is none yet")
    try:
        db = ledger.connect(patience=10.0)
    except ledger.DamagedError as fault:
        return Finding("file", ok=False, what=str(fault), todo=REBUILD)
    found = faults(db)
    number = 0 if found else db.execute("SELECT count(*) FROM usage").fetchone()[0]
    db.close()
    if found:
        return Finding("file", ok=False, what=_brief(found), todo=REBUILD)
    return Finding("file", ok=True, what=f"{figures.plural(number, 'response')}, whole")


def _brief(found: list[str]) -> str:
    """The first of what SQLite said, on one line."""
    lines = [line for one in found for line in one.splitlines() if not line.startswith("***")]
    return "; ".join(lines[:2]) + ("; …" if len(lines) > 2 else "")


def _sums(db: sqlite3.Connection) -> Iterator[Finding]:
    """In one snapshot, since hooks may write meanwhile."""
    db.execute("BEGIN")
    wrong = sums.wrong(db)
    db.execute("COMMIT")
    words = {
        "quarters": "sums of quarter hours",
        "spans": "sums for budgets",
        "runs": "sums of subagents",
    }
    for name, number in wrong.items():
        what = f"{number:,} wrong" if number else "equal their rows"
        yield Finding(words[name], not number, what, REBUILD if number else None)


def _names(db: sqlite3.Connection) -> Finding:
    number = missing_names(db)
    what = f"{number:,} missing" if number else "all there"
    return Finding("names", not number, what, REBUILD if number else None)


def missing_names(db: sqlite3.Connection) -> int:
    """How many numbers that rows use stand for no text."""
    used = " UNION ".join(
        f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL"
        for table, columns in NAMES.items()
        for column in columns
    )
    query = f"SELECT count(*) FROM ({used} EXCEPT SELECT id FROM name)"
    return int(db.execute(query).fetchone()[0])


def _spool() -> Finding:
    """Decisions that could not be written yet; only what cannot be read is a fault."""
    files = ledger.spooled()
    unread = [file for file in files if state.read_json(file) is None]
    if unread:
        what = f"{figures.plural(len(unread), 'file')} that cannot be read, such as {unread[0]}"
        return Finding("spool", ok=False, what=what, todo="remove them: they hold nothing")
    waiting = f"{figures.plural(len(files), 'decision')} for the next hook" if files else "empty"
    return Finding("spool", ok=True, what=waiting)


def _aside() -> Finding:
    files = backup.damaged()
    if files:
        names = ", ".join(Path(file).name for file in files)
        return Finding("damaged ledgers", ok=False, what=f"set aside: {names}", todo=REBUILD)
    return Finding("damaged ledgers", ok=True, what="none")


def as_text(found: list[Finding]) -> str:
    """One line for each check."""
    lines = []
    for one in found:
        lines.append(f"{'ok   ' if one.ok else 'FAULT'}  {one.check}: {one.what}")
        if one.todo:
            lines.append(f"       {one.todo}")
    return "\n".join(lines)

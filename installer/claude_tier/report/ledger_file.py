"""The ledger as the commands use it: brought up to date first, its faults said as such."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cache

import click
from claude_tier_hooks import decisions, ledger, state, unpriced
from claude_tier_hooks.shapes import Json

from claude_tier import backfill
from claude_tier.errors import UserError
from claude_tier.progress import Bar
from claude_tier.report import caches

PATIENCE = 10.0  # seconds; a command may wait longer for its turn than a hook
# What SQLite says when the machine is at fault: anything else it raises is a bug of ours.
_SURROUNDINGS = ("locked", "readonly", "unable to open", "is full", "disk I/O error")
REBUILD = "`claude-tier ledger rebuild` salvages what can be read."


@contextmanager
def up_to_date(rules: Json) -> Iterator[sqlite3.Connection]:
    """The ledger with everything in it that transcripts hold by now; raises UserError."""
    with as_it_stands() as db:
        catch_up(db, rules)
        yield db


@contextmanager
def as_it_stands() -> Iterator[sqlite3.Connection]:
    """The ledger with what hooks and commands wrote, no transcript read; raises UserError."""
    with said(), closing(opened()) as db:
        yield db


@contextmanager
def said() -> Iterator[None]:
    """Turn what SQLite raises into words; also what it finds broken while it reads."""
    try:
        yield
    except ledger.DamagedError as fault:
        raise UserError(f"the ledger is damaged: {fault}", REBUILD) from fault
    except sqlite3.DatabaseError as fault:
        if ledger.is_damage(fault):
            raise UserError(f"the ledger is damaged: {fault}", REBUILD) from fault
        if any(words in str(fault) for words in _SURROUNDINGS):
            message = f"the ledger {ledger.file()} cannot be used: {fault}"
            raise UserError(message, _remedy(str(fault))) from fault
        raise


def _remedy(fault: str) -> str | None:
    if "unable to open" not in fault and "readonly" not in fault:
        return None
    folder = state.state_dir()
    return f"Look whose {folder} is and what its modes are: it must be yours, as by `chmod 700`."


def opened() -> sqlite3.Connection:
    """Open the ledger; one that is damaged is moved aside and that is said on stderr."""
    try:
        return ledger.connect(patience=PATIENCE)
    except ledger.DamagedError as fault:
        state.log_fault("ledger", fault)
        ledger.set_aside()
        for notice in state.notices:
            click.echo(f"claude-tier: {notice}", err=True)
        state.notices.clear()
        return ledger.connect(patience=PATIENCE)


def catch_up(db: sqlite3.Connection, rules: Json, *, shows_use: bool = True) -> None:
    """Read every changed transcript, import what waits in the spool, price what can be priced.

    A ledger that others keep locked is used as it stands, and that is said on stderr; so it is
    that there are no transcripts, where use is what is shown.
    """
    try:
        with Bar("Reading transcripts") as bar:
            found = backfill.everything(db, rules, bar)
        _warn(db, found, shows_use=shows_use)
        _drain(db, rules)
        unpriced.settle(db, rules)
    except sqlite3.OperationalError as fault:
        if "locked" not in str(fault):
            raise
        click.echo("claude-tier: the ledger is busy; the figures may be a little old.", err=True)
    if caches.behind(db):
        brought_up(db, caches.bring_up)


def _warn(db: sqlite3.Connection, found: backfill.Found, *, shows_use: bool) -> None:
    """Figures that leave something out say so on stderr, once in a process that goes on."""
    if found.closed:
        first = f"{found.closed[0]}" + (" and more" if len(found.closed) > 1 else "")
        _say(f"no permission to read {first}: what was used there is left out.")
    elif shows_use and not found.number and not _has_use(db):
        _say(f"there are no transcripts in {' or '.join(backfill.roots())}.")


def _has_use(db: sqlite3.Connection) -> bool:
    return db.execute("SELECT 1 FROM usage LIMIT 1").fetchone() is not None


@cache
def _say(text: str) -> None:
    click.echo(f"claude-tier: {text}", err=True)


def brought_up(db: sqlite3.Connection, bring: Callable[[sqlite3.Connection], None]) -> None:
    """Sum what reports read; aside from the file where that cannot be written now."""
    try:
        bring(db)
    except sqlite3.OperationalError as fault:
        if not any(words in str(fault) for words in ("locked", "readonly")):
            raise
        caches.shadow(db)
        db.execute("BEGIN")
        bring(db)
        db.execute("COMMIT")


_PROVABLE = (
    "SELECT DISTINCT d.session FROM decision d JOIN run r ON r.session = d.session"
    " AND r.tool_use_id = d.tool_use_id WHERE d.ran IS NULL AND r.model IS NOT NULL"
)


def _drain(db: sqlite3.Connection, rules: Json) -> None:
    """Decisions that waited in the spool, and what their subagents turned out to run on."""
    if not ledger.spooled() and not db.execute(_PROVABLE).fetchone():
        return
    with ledger.Writing(db):
        spooled = decisions.drain(db)
        for (session,) in db.execute(_PROVABLE).fetchall():
            decisions.prove_by_runs(db, session, rules["tiers"])
    decisions.forget(spooled)

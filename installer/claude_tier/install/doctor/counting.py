"""Whether what is spent can be counted: the ledger, its folder, and the prices."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from claude_tier_hooks import backup
from claude_tier_hooks import ledger as book

from claude_tier.install.doctor.machine import Machine
from claude_tier.install.doctor.report import Finding, closed, fault, ok, warning

PATIENCE = 5.0  # seconds to wait for another writer
LITTLE = 100 * 1024 * 1024  # bytes free
TOO_LITTLE = 5 * 1024 * 1024
WAITING = 3600  # seconds after which a row in the spool is stuck
REBUILD = "Run `claude-tier ledger rebuild`: it salvages every readable row."


def ledger(machine: Machine) -> Iterator[Finding]:
    """The ledger opens, is sound, and can be written."""
    path = machine.state / "ledger.db"
    aside = backup.damaged()
    if aside:
        what = f"a damaged ledger was set aside as {Path(aside[-1]).name}"
        yield warning("ledger", what, REBUILD)
    if not path.exists():
        yield ok("ledger", "not there yet: nothing was counted so far")
        return
    try:
        yield _sound(path)
    except book.DamagedError as error:
        yield fault("ledger", f"{path} is damaged: {error}", REBUILD)
    except sqlite3.Error as error:
        yield fault("ledger", f"{path}: {error}", "See that you may write it and nothing locks it.")


def _sound(path: Path) -> Finding:
    with closing(book.connect(str(path), patience=PATIENCE)) as db:
        try:
            return _examined(db, path)
        except sqlite3.DatabaseError as error:
            if book.is_damage(error):
                raise book.DamagedError(str(error)) from error
            raise


def _examined(db: sqlite3.Connection, path: Path) -> Finding:
    (verdict,) = db.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        return fault("ledger", f"{path} is damaged: {verdict}", REBUILD)
    (mode,) = db.execute("PRAGMA journal_mode").fetchone()
    if mode != "wal":
        return warning("ledger", f"{path} is in {mode} mode, not WAL: hooks wait for each other")
    db.execute("BEGIN IMMEDIATE")
    db.execute("ROLLBACK")
    (rows,) = db.execute("SELECT count(*) FROM usage").fetchone()
    return ok("ledger", f"{path} is sound ({rows} responses)")


def waiting(machine: Machine) -> Iterator[Finding]:
    """Decisions that could not be written wait in the spool for the next writer."""
    files = [Path(name) for name in book.spooled()]
    old = [path for path in files if path.stat().st_mtime < machine.now - WAITING]
    if old:
        what = f"decisions that have waited over an hour for the ledger: {len(old)}"
        yield warning("spool", what, "Start a session; if they stay, see the ledger and the disk.")


def disk(machine: Machine) -> Iterator[Finding]:
    """There is room to write."""
    if not machine.state.exists():
        return
    free = shutil.disk_usage(machine.state).free
    what = f"{free // 1024 // 1024} MB free for {machine.state}"
    if free < TOO_LITTLE:
        yield fault("disk", what, "Make room: nothing more is counted when it is full.")
    elif free < LITTLE:
        yield warning("disk", what, "Make room.")
    else:
        yield ok("disk", what)


def modes(machine: Machine) -> Iterator[Finding]:
    """The state folder is ours to write, and nobody else's to read."""
    folder = machine.state
    if not folder.exists():
        return
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & 0o077:
        what = f"others may look into {folder} (mode {mode:o})"
        yield warning("modes", what, f"Run `chmod 700 '{folder}'`.")
    elif not os.access(folder, os.W_OK | os.X_OK):
        yield closed(folder)
    else:
        yield ok("modes", f"{folder} is yours alone")


def prices(machine: Machine) -> Iterator[Finding]:
    """Every model that was used has a price."""
    query = (
        "SELECT name.text FROM usage JOIN name ON name.id = usage.model"
        " WHERE usage.usd IS NULL GROUP BY name.text ORDER BY name.text"
    )
    path = machine.state / "ledger.db"
    if not path.exists():
        return
    try:
        with closing(book.connect(str(path), patience=PATIENCE)) as db:
            models = [model for (model,) in db.execute(query)]
    except (sqlite3.Error, book.DamagedError):
        return  # said by the ledger's own check
    if models:
        what = f"no price for {', '.join(models)}: dollar budgets do not see them"
        yield warning("prices", what, "Give one under `prices:` in config.yaml.")
    else:
        yield ok("prices", "every model in the ledger has a price")

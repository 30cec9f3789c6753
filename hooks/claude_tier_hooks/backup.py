"""A copy of the ledger for each day, so that damage costs a day at most.

A copy is whole (taken in one snapshot while hooks write on) and checked before it replaces the
day's earlier one. Raises sqlite3.Error, OSError, or DamagedError when the ledger itself is broken.
"""

from __future__ import annotations

import os
import sqlite3
import time

from . import ledger, state

KEPT = 7
_NAME = "ledger-%Y-%m-%d.db"


def daily(now: float) -> str | None:
    """Back up unless today's copy exists; the new copy, None when there was nothing to do."""
    if os.path.exists(_of_day(now)) or not os.path.exists(ledger.file()):
        return None
    return write(now)


def write(now: float) -> str:
    """Copy the ledger to today's backup, replacing an earlier one; keeps the newest seven."""
    target = _of_day(now)
    _drop_torn(now)
    if damaged() and os.path.exists(target):
        raise ledger.DamagedError("it was set aside, and today's backup may hold more than it does")
    os.makedirs(state.path("backups"), mode=0o700, exist_ok=True)
    beside = "%s.%d.tmp" % (target, os.getpid())
    os.close(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    try:
        _copy(ledger.file(), beside)
        os.replace(beside, target)
    finally:
        if os.path.exists(beside):
            os.unlink(beside)
    _drop_old()
    return target


def kept() -> list[str]:
    """The backups there are, newest first."""
    return sorted(_named(state.path("backups"), "ledger-", ".db"), reverse=True)


def damaged() -> list[str]:
    """Ledgers that were set aside and not salvaged yet, oldest first."""
    found = _named(state.state_dir(), "ledger.db.damaged-", "")
    return sorted(one for one in found if not one.endswith(("-wal", "-shm", "-journal")))


def _named(folder: str, start: str, end: str) -> list[str]:
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    return [os.path.join(folder, n) for n in names if n.startswith(start) and n.endswith(end)]


def _of_day(now: float) -> str:
    return state.path("backups", time.strftime(_NAME, time.localtime(now)))


def _copy(source: str, target: str) -> None:
    live = ledger.connect(source)
    copy = sqlite3.connect(target, isolation_level=None)
    try:
        live.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, nothing beside it
        found = copy.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.DatabaseError as fault:
        if ledger.is_damage(fault):
            raise ledger.DamagedError(str(fault)) from fault
        raise
    finally:
        copy.close()
        live.close()
    if found != "ok":
        raise ledger.DamagedError(found)


def _drop_torn(now: float) -> None:
    """Copies of runs that were killed; one that is being written is younger than a day."""
    for file in _named(state.path("backups"), "ledger-", ".tmp"):
        if _written(file) < now - 86400:
            os.unlink(file)


def _written(file: str) -> float:
    try:
        return os.stat(file).st_mtime
    except OSError:  # another run was first
        return float("inf")


def _drop_old() -> None:
    """A good copy outlives its week while a damaged ledger waits to be rebuilt with its help."""
    if damaged():
        return
    for file in kept()[KEPT:]:
        os.unlink(file)

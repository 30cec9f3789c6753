"""A damaged ledger is copied beside itself and emptied, while other processes may want it.

Not a rename: a process that has just opened the file would go on in it, paired with the new file's
log. Emptied is it only when nobody has it open, so that no late close writes into it.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time

from . import ledger, state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

# How many bytes, and where, SQLite locks: PENDING keeps newcomers out, SHARED is what all hold.
PENDING, SHARED = (1, 0x40000000), (510, 0x40000002)


def set_aside(where: str, *, sure: bool) -> str | None:
    """The copy's name; None when the file is whole (somebody else did it) or stays in use.

    Connections of this process are closed. Raises OSError, and then nothing was emptied.
    """
    # Before waiting for our turn: whoever has it waits for us to close.
    if not _closed_own(where):
        return None
    with os.fdopen(os.open(where + ".repair", os.O_WRONLY | os.O_CREAT, 0o600), "w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not os.path.exists(where) or not (sure or _really_damaged(where)):
            return None
        with open(where, "r+b") as stream:
            if not _alone(stream):
                return None
            aside = _copied(where, stream)
            stream.truncate(0)
            for tail in ("-wal", "-shm"):
                if os.path.exists(where + tail):
                    os.unlink(where + tail)
    state.notices.append(
        "the ledger was damaged and is kept as %s; `claude-tier ledger rebuild` salvages it."
        % aside
    )
    return aside


def _closed_own(where: str) -> bool:
    """Close what this process has open of it; a later close would write its old log into the
    emptied file, and its locks do not lock us out. False when another thread's cannot be closed.
    """
    for path, known in ledger.own:
        db = known()
        if path == where and db is not None:
            try:
                db.close()
            except sqlite3.ProgrammingError:
                return False
            except sqlite3.Error:
                pass  # what could not be written back is in the log, which is copied
    ledger.own[:] = [one for one in ledger.own if one[0] != where and one[1]() is not None]
    return True


def _alone(stream: BinaryIO) -> bool:
    """Lock every SQLite connection out, as SQLite itself does; False when one stays open."""
    until = time.monotonic() + 4 * ledger.PATIENCE
    for part in (PENDING, SHARED):
        while not _locked(stream, part):
            if time.monotonic() > until:
                return False
            time.sleep(0.01)
    return True


def _locked(stream: BinaryIO, part: tuple[int, int]) -> bool:
    try:
        fcntl.lockf(stream, fcntl.LOCK_EX | fcntl.LOCK_NB, *part)
    except OSError:
        return False
    return True


def _copied(where: str, stream: BinaryIO) -> str:
    """Copy the file and its log under a name nobody has; raises OSError and leaves no half."""
    name = aside = "%s.damaged-%d" % (where, time.time())
    number = 1
    while os.path.exists(aside):
        number += 1
        aside = "%s-%d" % (name, number)
    if os.path.exists(where + "-wal"):
        with open(where + "-wal", "rb") as log:
            _copy(log, aside + "-wal")
    # From the stream that is locked: to open and close the file again would give up the lock.
    stream.seek(0)
    _copy(stream, aside)
    return aside


def _copy(source: BinaryIO, target: str) -> None:
    beside = "%s/copy.%d.tmp" % (os.path.dirname(target), os.getpid())
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as copy:
            while True:
                block = source.read(1 << 20)
                if not block:
                    break
                copy.write(block)
            copy.flush()
            os.fsync(copy.fileno())
        os.replace(beside, target)
    finally:
        if os.path.exists(beside):
            os.unlink(beside)


def _really_damaged(where: str) -> bool:
    db = None
    try:
        db = ledger.connect(where)
        read_texts(db)
        return bool(db.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok")
    except (ledger.DamagedError, sqlite3.DatabaseError) as fault:
        return isinstance(fault, ledger.DamagedError) or ledger.is_damage(fault)
    finally:
        if db is not None:
            db.close()


def read_texts(db: sqlite3.Connection) -> None:
    """Raises where a text is none: SQLite's own checks do not look into them."""
    for table in [
        row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type='table'")
    ]:
        columns = db.execute("PRAGMA table_info(%s)" % table).fetchall()
        texts = [column[1] for column in columns if column[2] == "TEXT"]
        if texts:
            for _ in db.execute("SELECT %s FROM %s" % (", ".join(texts), table)):
                pass

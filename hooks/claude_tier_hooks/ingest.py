"""From transcripts into the ledger: what is new, in short transactions.

Reading happens outside the transaction; a batch that another process wrote meanwhile changes
nothing. A file that cannot be read is logged and tried again next time.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time

from . import ledger, places, state, transcripts
from .usage import Recorder, skip

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from .shapes import Json

BATCH_ROWS = 2000  # so that a backfill never keeps a hook waiting
# A value SQLite does not take. Any other fault of its own is the ledger's, not the transcript's.
OF_VALUES = (
    sqlite3.InterfaceError,
    sqlite3.ProgrammingError,
    sqlite3.IntegrityError,
    sqlite3.DataError,
)


def projects() -> str:
    return os.path.join(state.config_dir(), "projects")


def find_main(session: str, hint: str | None) -> str | None:
    """The session's transcript; resumed from another folder it is not where the event says."""
    if hint and os.path.isfile(hint):
        return hint
    try:
        slugs = os.listdir(projects())
    except OSError:
        return None
    paths = (os.path.join(projects(), slug, session + ".jsonl") for slug in slugs)
    return next((path for path in paths if os.path.isfile(path)), None)


def offsets(db: sqlite3.Connection, paths: Iterable[str] | None = None) -> dict[str, tuple]:  # type: ignore[type-arg]
    """path -> (inode, size, mtime_ns, offset, mark, pending) of what was read before."""
    query = "SELECT path, inode, size, mtime_ns, offset, mark, pending FROM offset"
    if paths is None:
        return {row[0]: row[1:] for row in db.execute(query)}
    rows = (db.execute(query + " WHERE path = ?", (path,)).fetchone() for path in paths)
    return {row[0]: row[1:] for row in rows if row}


def read(
    paths: Iterable[str],
    known: dict[str, tuple],  # type: ignore[type-arg]
    deadline: float | None,
    scan: Callable[[bytes, Json], None] | None = None,
) -> Iterator[Json]:
    """The new batches of these files, in their order, until the deadline (time.monotonic)."""
    for path in paths:
        seen = known.get(path)
        pending = json.loads(seen[5]) if seen and seen[5] else None
        more = True
        while more:
            if deadline is not None and time.monotonic() > deadline:
                return
            try:
                batch = transcripts.read(path, seen[:5] if seen else None, pending, scan)
            except Exception as fault:
                state.log_fault("transcript", fault)
                break
            if batch is None:
                break
            if places.place(path)[1]:
                batch["meta"] = state.read_json(places.stem(path) + ".meta.json")
            yield batch
            more = batch["more"]
            seen = tuple(batch[key] for key in ("inode", "size", "mtime_ns", "offset", "mark"))
            pending = list(batch["refs"])


def session_batches(db: sqlite3.Connection, main: str | None, deadline: float) -> list[Json]:
    """What is new of one session and its subagents."""
    if not main:
        return []
    paths = places.of_session(main)
    return list(read(paths, offsets(db, paths), deadline))


def apply(db: sqlite3.Connection, batches: Iterable[Json], policy: Json) -> None:
    """Write batches in the transaction that is open; what cannot be written stops no other.

    Raises sqlite3.Error for a ledger that cannot be written at all.
    """
    batches = list(batches)
    if _try(db, batches, policy) is None:
        return
    for batch in batches:
        fault = _try(db, [batch], policy)
        if fault is not None:
            state.log_fault(
                "transcript %s was not counted" % os.path.basename(batch["path"]), fault
            )
            skip(db, batch)


def _try(db: sqlite3.Connection, batches: list[Json], policy: Json) -> Exception | None:
    """Write all of it, sums included, or nothing; the fault of what was read, if there is one."""
    db.execute("SAVEPOINT batches")
    try:
        recorder = Recorder(db, policy)
        for batch in batches:
            recorder.apply(batch)
        recorder.finish()
    except Exception as fault:
        if isinstance(fault, sqlite3.Error) and not isinstance(fault, OF_VALUES):
            raise
        db.execute("ROLLBACK TO batches")
        return fault
    finally:
        if db.in_transaction:  # SQLite itself rolls back when the disk is full
            db.execute("RELEASE batches")
    return None


def changed(
    db: sqlite3.Connection, roots: Iterable[str], closed: list[str] | None = None
) -> tuple[list[str], dict[str, tuple], int]:  # type: ignore[type-arg]
    """Every transcript that differs from what was read, newest first; what was read; how many
    transcripts there are. Folders that cannot be read are put into `closed`.
    """
    known = offsets(db)
    found = [one for root in roots for one in places.walk(root, closed)]
    found.sort(key=lambda one: -one[2])
    paths = [
        path
        for path, size, mtime in found
        if path not in known or known[path][1:3] != (size, mtime)
    ]
    return paths, known, len(found)


def everything(
    db: sqlite3.Connection,
    policy: Json,
    *,
    roots: Iterable[str] = (),
    deadline: float | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> bool:
    """Read every changed transcript; False when the deadline came first."""
    paths, known, _ = changed(db, roots or [projects()])
    return files(db, policy, paths, known, deadline=deadline, progress=progress)


def files(
    db: sqlite3.Connection,
    policy: Json,
    paths: list[str],
    known: dict[str, tuple],  # type: ignore[type-arg]
    *,
    deadline: float | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> bool:
    """Read what is new in these transcripts; False when the deadline came first."""
    waiting: list[Json] = []
    rows = 0
    done: set[str] = set()
    for batch in read(paths, known, deadline):
        waiting.append(batch)
        rows += len(batch["rows"]) + 1
        done.add(batch["path"])
        if rows >= BATCH_ROWS:
            _commit(db, waiting, policy)
            waiting, rows = [], 0
            if progress:
                progress(len(done), len(paths))
    if waiting:
        _commit(db, waiting, policy)
    if progress:
        progress(len(paths), len(paths))
    return deadline is None or time.monotonic() <= deadline


def _commit(db: sqlite3.Connection, batches: list[Json], policy: Json) -> None:
    with ledger.Writing(db):
        apply(db, batches, policy)

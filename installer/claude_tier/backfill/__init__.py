"""Every transcript of a user's history into the ledger: the first run, and whatever is new since.

Little is read as the hooks read it. Much is read on every core and written in bulk.
"""

from __future__ import annotations

import gc
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from claude_tier_hooks import ingest, state
from claude_tier_hooks.shapes import Json

MUCH = 16_000_000  # bytes; to start processes pays from there on
CACHE = 64_000  # kilobytes of the ledger kept in memory meanwhile
BATCH_ROWS = 3_000  # of one transaction, which takes about as long as a hook waits

Progress = Callable[[int, int], None]
Known = tuple[int, int, int, int, int, "str | None"]  # as `ingest.offsets` gives it


class Unread(NamedTuple):
    """A transcript, what is known of it, and how many of its bytes are new."""

    path: str
    known: Known | None
    size: int


class Found(NamedTuple):
    """How many transcripts there are, and the files and folders that could not be read."""

    number: int
    closed: tuple[str, ...]


def roots() -> list[str]:
    """Every folder with transcripts: the client's, and those that other counters read as well.

    CLAUDE_CONFIG_DIR may name several, with commas between; without it ~/.config/claude counts.
    """
    named = os.environ.get("CLAUDE_CONFIG_DIR")
    folders = [state.config_dir()]
    if named and named != folders[0]:
        folders += [one.strip() for one in named.split(",") if one.strip()]
    if not named:
        base = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
        folders.append(str(Path(base, "claude")))
    places = [os.path.join(one, "projects") for one in folders]  # noqa: PTH118 - as hooks name it
    return [*{os.path.realpath(one): one for one in reversed(places)}.values()][::-1]


def everything(db: sqlite3.Connection, rules: Json, progress: Progress) -> Found:
    """Read what is new in every transcript there is; raises sqlite3.Error."""
    closed: list[str] = []
    paths, known, number = ingest.changed(db, roots(), closed)
    readable = [path for path in paths if os.access(path, os.R_OK)]
    closed += [path for path in paths if path not in {*readable} and Path(path).exists()]
    files = [_unread(path, known.get(path)) for path in readable]
    if sum(file.size for file in files) < MUCH:
        ingest.files(db, rules, readable, known, progress=progress)
    else:
        _in_bulk(db, rules, files, progress)
    return Found(number, tuple(closed))


def _unread(path: str, known: Known | None) -> Unread:
    try:
        size = os.stat(path).st_size  # noqa: PTH116 - thousands of them
    except OSError:
        size = 0
    return Unread(path, known, size - known[3] if known and known[3] <= size else size)


def _in_bulk(db: sqlite3.Connection, rules: Json, files: list[Unread], progress: Progress) -> None:
    """Read on every core, write in few transactions."""
    from claude_tier.backfill import recording, workers

    recorder = recording.BulkRecorder(db, rules)
    waiting: list[Json] = []
    rows = 0
    with _undisturbed(db):
        for number, batches in enumerate(workers.read(files), 1):
            waiting += batches
            rows += sum(len(one["rows"]) + 1 for one in batches)
            if rows >= BATCH_ROWS or number == len(files):
                recording.apply(recorder, waiting)
                waiting, rows = [], 0
            progress(number, len(files))


@contextmanager
def _undisturbed(db: sqlite3.Connection) -> Iterator[None]:
    """No search for cycles among rows that make none; the log written back once, at the end."""
    collecting = gc.isenabled()
    gc.disable()
    (pages,) = db.execute("PRAGMA wal_autocheckpoint").fetchone()
    db.execute("PRAGMA wal_autocheckpoint = 0")
    db.execute(f"PRAGMA cache_size = {-CACHE}")
    try:
        yield
    finally:
        db.execute(f"PRAGMA wal_autocheckpoint = {pages}")
        if collecting:
            gc.enable()

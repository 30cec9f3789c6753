"""`ledger rebuild`: one whole ledger from everything there is.

A damaged ledger is set aside, so that hooks go on with a new one; then every row of the backups
and the transcripts, and every readable one of what was set aside, is brought into it, a short
transaction at a time. Hooks write all the while, nothing is ever taken away, and a rebuild that was
killed is simply run again.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from claude_tier_hooks import backup, decisions, ingest, ledger, places, state, unpriced
from claude_tier_hooks.shapes import Json

from claude_tier.errors import UserError
from claude_tier.progress import Bar
from claude_tier.repair import merging, sums, verify
from claude_tier.repair.salvage import salvage
from claude_tier.report import figures, ledger_file


@dataclass(frozen=True)
class Source:
    """A file that rows came from; `found` is how many it held, `added` how many were new."""

    path: str
    found: int
    added: int


@dataclass(frozen=True)
class Rebuilt:
    """What was done. `before` and `after` count responses; `mended` sums that were wrong."""

    salvaged: tuple[Source, ...]
    backups: tuple[Source, ...]
    transcripts: int
    mended: int
    before: int
    after: int
    decisions: int

    def fields(self) -> dict[str, object]:
        return asdict(self)


def rebuild(rules: Json) -> Rebuilt:
    """Rebuild the ledger in use; raises UserError where another rebuild is at work."""
    with ExitStack() as held:
        held.enter_context(_alone())
        _set_aside_damaged()
        db = ledger_file.opened()
        held.callback(db.close)
        before = _responses(db)
        # What is whole comes first: a damaged file only fills the gaps.
        backups = [_merged(db, Path(file), rules) for file in backup.kept()]
        read = _read_all(db, rules)
        salvaged = [_salvaged(db, Path(file), rules) for file in backup.damaged()]
        _drain(db, rules)
        mended = sums.mend(db)
        _put_away()
        counted = db.execute("SELECT count(*) FROM decision").fetchone()[0]
        return Rebuilt(
            salvaged=tuple(salvaged),
            backups=tuple(backups),
            transcripts=read,
            mended=mended,
            before=before,
            after=_responses(db),
            decisions=counted,
        )


@contextmanager
def _alone() -> Iterator[None]:
    """One rebuild at a time; hooks do not heed this and go on."""
    state.ensure()
    descriptor = os.open(state.path("rebuild.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise UserError("another `claude-tier ledger rebuild` is at work") from None
    finally:
        os.close(descriptor)


def _set_aside_damaged() -> None:
    """Also where only a whole check finds it: an index that lost rows, a name that is gone."""
    if _faults() and ledger.set_aside(sure=True) is None and _faults():
        raise UserError(
            "the ledger is damaged, and another process keeps it open",
            "Try again when no Claude Code session is at work.",
        )


def _faults() -> list[str]:
    try:
        db = ledger.connect(patience=ledger_file.PATIENCE)
    except ledger.DamagedError as fault:
        return [str(fault)]
    found = verify.faults(db)
    if not found and verify.missing_names(db):
        found = ["names are missing"]
    db.close()
    return found


def _responses(db: sqlite3.Connection) -> int:
    return int(db.execute("SELECT count(*) FROM usage").fetchone()[0])


def _salvaged(db: sqlite3.Connection, damaged: Path, rules: Json) -> Source:
    return Source(str(damaged), *_through_a_whole_copy(db, damaged, rules))


def _through_a_whole_copy(db: sqlite3.Connection, damaged: Path, rules: Json) -> tuple[int, int]:
    """(rows of usage that could be read, how many of them were new)."""
    with tempfile.TemporaryDirectory(prefix="rebuild-", dir=state.state_dir()) as folder:
        whole = Path(folder, "ledger.db")
        copies = [Path(file) for file in backup.kept() if Path(file) != damaged]
        with Bar(f"Reading {damaged.name}") as bar:
            found = salvage(damaged, whole, copies, bar)
        with Bar(f"Merging {damaged.name}") as bar:
            return found, merging.merge(db, whole, rules, bar, salvaged=True).responses


def _merged(db: sqlite3.Connection, copy: Path, rules: Json) -> Source:
    """What a backup holds; a backup that is damaged itself is salvaged like any other file."""
    try:
        with Bar(f"Merging {copy.name}") as bar:
            added = merging.merge(db, copy, rules, bar).responses
    except sqlite3.DatabaseError as fault:
        if not ledger.is_damage(fault):
            raise
        found, added = _through_a_whole_copy(db, copy, rules)
        return Source(str(copy), found, added)
    return Source(str(copy), _held(copy), added)


def _held(copy: Path) -> int:
    db = sqlite3.connect(copy)
    found = _responses(db)
    db.close()
    return found


def _read_all(db: sqlite3.Connection, rules: Json) -> int:
    """Every transcript from its first line; how many there were."""
    files = places.walk(ingest.projects())
    paths = [path for path, _, _ in sorted(files, key=lambda one: -one[2])]
    waiting: list[Json] = []
    rows, done = 0, set()
    with Bar("Reading transcripts") as bar:
        for batch in ingest.read(paths, {}, None):
            waiting.append(batch)
            rows += len(batch["rows"]) + 1
            done.add(batch["path"])
            if rows >= ingest.BATCH_ROWS:
                _apply(db, waiting, rules)
                waiting, rows = [], 0
                bar(len(done), len(paths))
    _apply(db, waiting, rules)
    return len(paths)


def _apply(db: sqlite3.Connection, batches: list[Json], rules: Json) -> None:
    with ledger.Writing(db):
        ingest.apply(db, batches, rules)


def _drain(db: sqlite3.Connection, rules: Json) -> None:
    with ledger.Writing(db):
        spooled = decisions.drain(db)
    decisions.forget(spooled)
    unpriced.settle(db, rules)


def _put_away() -> None:
    """Salvaged files go to the backups, where nobody takes them for work that waits."""
    Path(state.path("backups")).mkdir(mode=0o700, exist_ok=True)
    for file in backup.damaged():
        name = Path(file).name.replace("ledger.db.", "")
        for tail in ("-wal", "-shm", ""):
            if Path(file + tail).exists():
                Path(file + tail).replace(state.path("backups", f"{name}.db{tail}"))


def as_text(done: Rebuilt) -> str:
    """What was done, in the order it was done."""
    lines = [_line("Merged", one) for one in done.backups]
    lines.append(f"Read {figures.plural(done.transcripts, 'transcript')}")
    lines += [_line("Salvaged", one) for one in done.salvaged]
    if done.mended:
        lines.append(f"Corrected {figures.plural(done.mended, 'sum')}")
    lines.append(
        f"The ledger holds {figures.plural(done.after, 'response')} ({done.after - done.before:,}"
        f" of them new) and {figures.plural(done.decisions, 'decision')}."
    )
    if done.salvaged:
        lines.append(f"What was damaged is kept in {state.path('backups')}.")
    return "\n".join(lines)


def _line(verb: str, one: Source) -> str:
    return f"{verb} {one.path}: {figures.plural(one.found, 'response')}, {one.added:,} new"

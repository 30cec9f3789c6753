"""What became of each planned time: the ledger's receipts, and how far each beat has come.

A planned time has one receipt, alone or with its neighbours. Whoever works on one holds it by its
`run`, and only the first end of a run counts: a process and the one that gave it up may both come
to write it. The caller holds the transaction of everything that writes.

What is open is looked for by the words of the index `receipt_open`, which is as small as that.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, NamedTuple

from claude_tier_hooks import ledger

from claude_tier.heartbeat.processes import Worker
from claude_tier.heartbeat.saving import Saved

Status = Literal["claimed", "running", "ran", "skipped", "failed", "interrupted"]
Origin = Literal["planned", "catch-up", "hand"]
MOST_FAILURES = 10  # in a row, until a beat is switched off
MISSED, STILL_RUNNING = "missed", "still running"
MISTAKEN = "config.yaml had a mistake"


class Standing(NamedTuple):
    """A beat as the ledger knows it: `mark` is the last planned time that has its receipt."""

    mark: float
    schedule: str
    failures: int = 0
    disabled: float | None = None
    why: str | None = None
    evidence: str | None = None


class Span(NamedTuple):
    """Neighbouring planned times, and how many they are."""

    first: float
    last: float
    slots: int = 1

    @classmethod
    def of(cls, slot: float) -> Span:
        """That one alone."""
        return cls(slot, slot)


class Open(NamedTuple):
    """A receipt that somebody works on; `deadline` is None until its process has begun."""

    run: str
    beat: str
    slot: float
    status: Status
    worker: Worker
    deadline: float | None


@dataclass(frozen=True)
class End:
    """What a run came to. `evidence` is what it was asked about, where all was well."""

    status: Literal["ran", "skipped", "failed", "interrupted"]
    reason: str | None = None
    asked: str | None = None
    served: str | None = None
    exchange: str | None = None
    ok: bool | None = None
    evidence: str | None = None
    saved_bytes: int | None = None
    saved_usd: float | None = None


class Finished(NamedTuple):
    """A beat whose run has its end, and how often it has failed in a row now."""

    beat: str
    failures: int


def standing(db: sqlite3.Connection, beat: str) -> Standing | None:
    """None for a beat that was never planned."""
    found = db.execute(
        "SELECT mark, schedule, failures, disabled, why, evidence FROM beat WHERE beat = ?",
        (ledger.known_id(db, beat),),
    ).fetchone()
    return Standing(*found) if found else None


def begin(db: sqlite3.Connection, beat: str, schedule: str, now: float) -> None:
    """A beat, or another schedule of it, counts from now; its mark never goes back."""
    db.execute(
        "INSERT INTO beat (beat, mark, schedule, failures) VALUES (?, ?, ?, 0) ON CONFLICT DO"
        " UPDATE SET mark = max(mark, excluded.mark), schedule = excluded.schedule",
        (ledger.name_id(db, beat), now, schedule),
    )


def retire(db: sqlite3.Connection, present: Collection[str], files: Collection[str]) -> None:
    """Beats that are not there, also not in those files, begin anew if they ever come back."""
    rows = db.execute(
        "SELECT beat.beat, name.text FROM beat JOIN name ON name.id = beat.beat"
        " WHERE schedule <> ''"
    ).fetchall()
    for number, beat in rows:
        if beat not in present and beat.rpartition("#")[0] not in files:
            db.execute("UPDATE beat SET schedule = '' WHERE beat = ?", (number,))


def advance(db: sqlite3.Connection, beat: str, mark: float) -> None:
    """Every planned time up to `mark` has its receipt."""
    db.execute(
        "UPDATE beat SET mark = ?1 WHERE beat = ?2 AND mark < ?1",
        (mark, ledger.known_id(db, beat)),
    )


def skip(
    db: sqlite3.Connection,
    beat: str,
    span: Span,
    reason: str,
    *,
    at: float,
    saved: Saved | None = None,
) -> None:
    """Planned times that nobody runs; one row with those before that came to the same.

    `saved` is of each of them.
    """
    number, (size, usd) = ledger.name_id(db, beat), _all_saved(saved, span.slots)
    before = db.execute(
        "SELECT slot, status, reason, run FROM receipt WHERE beat = ? AND origin <> 'hand'"
        " ORDER BY slot DESC LIMIT 1",
        (number,),
    ).fetchone()
    if before and before[1:] == ("skipped", reason, None):
        db.execute(
            "UPDATE receipt SET last = ?, slots = slots + ?, ended = ?,"
            " saved_bytes = saved_bytes + ?, saved_usd = saved_usd + ?"
            " WHERE beat = ? AND slot = ?",
            (span.last, span.slots, at, size, usd, number, before[0]),
        )
        return
    db.execute(
        "INSERT OR IGNORE INTO receipt (beat, slot, last, slots, origin, status, reason, ended,"
        " saved_bytes, saved_usd) VALUES (?, ?, ?, ?, 'planned', 'skipped', ?, ?, ?, ?)",
        (number, *span, reason, at, size, usd),
    )


def _all_saved(saved: Saved | None, times: int) -> tuple[int | None, float | None]:
    if saved is None:
        return None, None
    return saved.size * times, None if saved.usd is None else saved.usd * times


def claim(
    db: sqlite3.Connection, beat: str, slot: float, *, run: str, origin: Origin, worker: Worker
) -> bool:
    """Take a planned time; False when it has its receipt."""
    made = db.execute(
        "INSERT OR IGNORE INTO receipt (beat, slot, last, slots, origin, status, run, pid, started)"
        " VALUES (?1, ?2, ?2, 1, ?3, 'claimed', ?4, ?5, ?6)",
        (ledger.name_id(db, beat), slot, origin, run, *worker),
    )
    return made.rowcount > 0


def take(db: sqlite3.Connection, run: str, worker: Worker, *, now: float, deadline: float) -> bool:
    """Begin what was claimed, as that process; False when it was given up meanwhile."""
    done = db.execute(
        "UPDATE receipt SET status = 'running', pid = ?, started = ?, began = ?, deadline = ?"
        " WHERE run = ? AND status = 'claimed' AND status IN ('claimed', 'running')",
        (*worker, now, deadline, run),
    )
    return done.rowcount > 0


def finish(db: sqlite3.Connection, run: str, end: End, now: float) -> Finished | None:
    """Write what a run came to; None when it had its end already."""
    found = db.execute(
        "UPDATE receipt SET status = ?, reason = ?, asked = ?, served = ?, exchange = ?, ok = ?,"
        " saved_bytes = ?, saved_usd = ?, ended = ? WHERE run = ?"
        " AND status IN ('claimed', 'running') RETURNING beat",
        (
            end.status, end.reason, end.asked, end.served, end.exchange, end.ok,
            end.saved_bytes, end.saved_usd, now, run,
        ),
    ).fetchone()  # fmt: skip
    return _judged(db, found[0], end, now) if found else None


def _judged(db: sqlite3.Connection, beat: int, end: End, now: float) -> Finished:
    """Count failures in a row. What was skipped, or ended from outside, says nothing."""
    if end.status == "ran":
        db.execute(
            "UPDATE beat SET failures = 0, evidence = ? WHERE beat = ?", (end.evidence, beat)
        )
    elif end.status == "failed":
        db.execute("UPDATE beat SET failures = failures + 1 WHERE beat = ?", (beat,))
    row = db.execute("SELECT failures FROM beat WHERE beat = ?", (beat,)).fetchone()
    failures = int(row[0]) if row else 0
    if end.status == "failed" and failures >= MOST_FAILURES:
        db.execute(
            "UPDATE beat SET disabled = coalesce(disabled, ?), why = coalesce(why, ?)"
            " WHERE beat = ?",
            (now, f"failed {failures} times in a row", beat),
        )
    return Finished(ledger.text_of(db, beat) or "", failures)


def switch(db: sqlite3.Connection, beat: str, *, on: bool, why: str, now: float) -> bool:
    """Enable a beat, from now on, or disable it; whether that changed anything."""
    number = ledger.known_id(db, beat)
    if on:
        # A clock that was wrong may have left its mark in the future, where no beat would come.
        done = db.execute(
            "UPDATE beat SET disabled = NULL, why = NULL, failures = 0, mark = ?1"
            " WHERE beat = ?2 AND (disabled IS NOT NULL OR mark > ?1)",
            (now, number),
        )
    else:
        done = db.execute(
            "UPDATE beat SET disabled = ?, why = ? WHERE beat = ? AND disabled IS NULL",
            (now, why, number),
        )
    return done.rowcount > 0


def opened(db: sqlite3.Connection) -> list[Open]:
    """Every receipt that waits for its end."""
    rows = db.execute(
        "SELECT run, name.text, slot, status, pid, started, deadline FROM receipt"
        " JOIN name ON name.id = receipt.beat WHERE status IN ('claimed', 'running')"
    ).fetchall()
    return [
        Open(run, beat, slot, status, Worker(pid, started), deadline)
        for run, beat, slot, status, pid, started, deadline in rows
    ]


def is_open(db: sqlite3.Connection, beat: str) -> bool:
    """Whether a run of that beat has not come to its end."""
    query = (
        "SELECT 1 FROM receipt INDEXED BY receipt_open"
        " WHERE beat = ? AND status IN ('claimed', 'running')"
    )
    return db.execute(query, (ledger.known_id(db, beat),)).fetchone() is not None


def claimed(db: sqlite3.Connection, run: str) -> tuple[str, float] | None:
    """The beat and the planned time of a run that nobody has begun."""
    found: tuple[str, float] | None = db.execute(
        "SELECT name.text, slot FROM receipt JOIN name ON name.id = receipt.beat"
        " WHERE run = ? AND status = 'claimed' AND status IN ('claimed', 'running')",
        (run,),
    ).fetchone()
    return found


def is_by_hand(db: sqlite3.Connection, run: str) -> bool:
    """Whether somebody asked for that open run, and not its schedule."""
    query = (
        "SELECT 1 FROM receipt WHERE run = ? AND status IN ('claimed', 'running')"
        " AND origin = 'hand'"
    )
    return db.execute(query, (run,)).fetchone() is not None

"""Brings the ledger up to date for each look, at a cost that follows what is at work.

Every look reads what is new of sessions used within the hour; a look at every transcript there is
comes twice a minute. A ledger that is busy, damaged or cannot be read is said, and the last
figures stay.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from dataclasses import replace

from claude_tier_hooks import decisions, ingest, ledger, policy, project
from claude_tier_hooks.shapes import Json

from claude_tier.errors import UserError
from claude_tier.report import ledger_file, sessions
from claude_tier.report.monitor import snapshot
from claude_tier.report.monitor.snapshot import Snapshot

WHOLE = 30.0  # seconds between two looks at every transcript
PATIENCE = 1.0  # seconds that reading transcripts may keep a key waiting
BUSY = "The ledger is busy; the figures may be a little old."


class Feed:
    """Call it for a snapshot of now; the first call reads everything and raises UserError."""

    def __init__(self, folder: str, *, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._clock = clock
        self._last: Snapshot | None = None
        self._whole = 0.0

    def __call__(self) -> Snapshot:
        rules, now = policy.load(project.root(self._folder)), self._clock()
        if self._last is None:
            with ledger_file.up_to_date(rules) as db:
                found = snapshot.query(db, rules, self._folder, self._clock())
            self._whole = now
        else:
            found = self._again(self._last, rules, now)
        self._last = found
        return found

    def _again(self, last: Snapshot, rules: Json, now: float) -> Snapshot:
        try:
            with ledger_file.said():
                db = ledger.connect()
                try:
                    notice = self._take_in(db, rules, now)
                    return snapshot.query(db, rules, self._folder, now, notice=notice)
                finally:
                    db.close()
        except UserError as fault:
            return replace(last, notice=_sentence(fault))

    def _take_in(self, db: sqlite3.Connection, rules: Json, now: float) -> str | None:
        """Why not everything is in, or None."""
        whole = not 0 <= now - self._whole < WHOLE
        try:
            _take_in(db, rules, now)
            if whole and ingest.everything(db, rules, deadline=time.monotonic() + PATIENCE):
                self._whole = now
        except sqlite3.OperationalError as fault:
            if "locked" not in str(fault):
                raise
            return BUSY
        return None


def _sentence(fault: UserError) -> str:
    said = f"{fault.message[:1].upper()}{fault.message[1:]}."
    return f"{said} {fault.hint}" if fault.hint else said


def _take_in(db: sqlite3.Connection, rules: Json, now: float) -> None:
    """What is new of each session at work: usage, decisions that waited, what really ran."""
    used = _at_work(db, now)
    deadline = time.monotonic() + PATIENCE
    batches = [
        batch
        for session, file in used.items()
        for batch in ingest.session_batches(db, ingest.find_main(session, file), deadline)
    ]
    if not batches and not ledger.spooled():
        return
    with ledger.Writing(db):
        ingest.apply(db, batches, rules)
        spooled = decisions.drain(db)
        for session in used:
            decisions.prove_by_runs(db, ledger.known_id(db, session), rules["tiers"])
    decisions.forget(spooled)


def _at_work(db: sqlite3.Connection, now: float) -> dict[str, str | None]:
    """Sessions that run or were used within the hour -> their transcript as last seen."""
    recent = db.execute(
        "SELECT name.text, file FROM session JOIN name ON name.id = session.id WHERE last >= ?",
        (now - snapshot.SILENT,),
    )
    return {**dict.fromkeys(one.id for one in sessions.running()), **dict(recent.fetchall())}

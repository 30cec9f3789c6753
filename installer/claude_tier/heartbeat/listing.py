"""The files that were added on this machine, and how each of their beats stands."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Literal, NamedTuple

from claude_tier.config.faults import Fault
from claude_tier.heartbeat import document, receipts, schedule, trust
from claude_tier.heartbeat.beat import Beat
from claude_tier.heartbeat.document import Defaults
from claude_tier.heartbeat.parts import is_empty
from claude_tier.heartbeat.preview import described
from claude_tier.heartbeat.trust import Added


class Stands(NamedTuple):
    """A beat, whether it runs, and when next; None where it does not."""

    beat: Beat
    state: Literal["allowed", "changed", "new", "empty", "off"]
    next: float | None

    def fields(self) -> dict[str, object]:
        """The JSON of it."""
        return {**described(self.beat), "state": self.state, "next": self.next}


class Listed(NamedTuple):
    """A file, when it was added, and its beats or what is wrong with it."""

    path: Path
    added: float
    beats: tuple[Stands, ...]
    faults: tuple[Fault, ...]

    def fields(self) -> dict[str, object]:
        """The JSON of it."""
        return {
            "path": str(self.path),
            "added": self.added,
            "faults": [fault_fields(fault) for fault in self.faults],
            "beats": [beat.fields() for beat in self.beats],
        }


def files(db: sqlite3.Connection, defaults: Defaults, now: float) -> tuple[Listed, ...]:
    """All of them, by path."""
    return tuple(_listed(db, added, defaults, now) for added in trust.files())


def _listed(db: sqlite3.Connection, added: Added, defaults: Defaults, now: float) -> Listed:
    loaded = document.load(added.path, defaults)
    beats = tuple(_stands(db, added, beat, now) for beat in loaded.beats)
    return Listed(added.path, added.at, beats, loaded.faults)


def _stands(db: sqlite3.Connection, added: Added, beat: Beat, now: float) -> Stands:
    standing = receipts.standing(db, beat.id)
    if standing and standing.disabled is not None:
        return Stands(beat, "off", None)
    state = "empty" if is_empty(beat.prompt) else added.standing(beat)
    return Stands(beat, state, schedule.next_slot(beat, now) if state == "allowed" else None)


def fault_fields(fault: Fault) -> dict[str, object]:
    """The JSON of a fault; line and column are 0 where the file has no such place."""
    return {
        "line": fault.line,
        "column": fault.column,
        "key": fault.key,
        "message": fault.message,
    }

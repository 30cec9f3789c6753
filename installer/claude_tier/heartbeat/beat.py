"""A beat: one routine check, when it is planned, what may run it, and what it may cost."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple


def storable(name: object) -> str:
    """A path or a name as a database keeps it: what is no Unicode in it stands there escaped."""
    return str(name).encode("utf-8", "backslashreplace").decode()


class Every(NamedTuple):
    """Every so many seconds.

    A day's share is counted from local midnight, whole days by the calendar, anything else from
    the epoch: `every: 30m` is due at 9:00 and 9:30 of the beat's own time zone.
    """

    seconds: int


class Cron(NamedTuple):
    """A cron expression of five fields, in the beat's own time zone."""

    expression: str


class ActiveHours(NamedTuple):
    """Minutes since local midnight, from `start` until before `end`; it may go over midnight."""

    start: int
    end: int


@dataclass(frozen=True)
class Beat:
    """One check of one HEARTBEAT.md.

    `models` are tried in order, each a name the router knows or a tier of Claude; nobody else is
    asked. `named` are those of them that the file names itself, the others are the user's own
    configuration. `check` is a shell command that costs nothing and decides before any model.
    """

    file: Path
    name: str
    prompt: str
    schedule: Every | Cron
    models: tuple[str, ...]
    tz: str
    line: int  # where it begins in the file, from 1
    named: tuple[str, ...] = ()
    active: ActiveHours | None = None
    timeout: int = 300  # seconds, with its check
    usd: float | None = None  # of one run
    tools: tuple[str, ...] = ()
    check: str | None = None
    unchanged: Literal["skip", "run"] = "skip"
    missed: Literal["skip", "once"] = "skip"
    max_age: int = 3600  # seconds a missed slot may be late
    stagger: int = 0  # seconds that slots are spread over, by the beat's name

    @property
    def id(self) -> str:
        """What the ledger knows it by: the file's place and the beat's name."""
        return f"{storable(self.file)}#{storable(self.name)}"

    @property
    def offset(self) -> int:
        """Seconds this beat runs after its planned time: the same at every run."""
        if not self.stagger:
            return 0
        digest = hashlib.sha256(self.id.encode()).digest()
        return int.from_bytes(digest[:4], "big") % self.stagger

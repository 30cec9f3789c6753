"""Where scenes are played: it opens sessions, forks them, and keeps the files and the truth."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from random import Random

from . import names, rows
from .answer import Tokens
from .dialect import CURRENT, MIDDLE, OLD, Dialect, Place, Row
from .session import Session
from .spelling import Spelling, compact
from .transcript import File, Transcript
from .truth import Truth

LAST_DAY = datetime(2026, 11, 20, 20, 0, tzinfo=timezone.utc)
HOME = "/home/dev"

Mark = Callable[[Session, Row], Row]


@dataclass
class Stage:
    """A source of sessions. Scenes share the truth and the files, never the dice."""

    rng: Random
    truth: Truth
    files: list[File]
    sessions: list[Session] = field(default_factory=list)
    outputs: int = 1  # how much more than usual tools say

    def session(
        self,
        *,
        at: datetime | None = None,
        dialect: Dialect = CURRENT,
        cwd: str = f"{HOME}/webapp",
        spelling: Spelling = compact,
        opened: bool = True,
    ) -> Session:
        """Start a session; `opened` writes what the client writes before the first answer."""
        place = Place(names.uuid(self.rng), cwd, dialect)
        file = File(f"projects/{slug(cwd)}/{place.session}.jsonl")
        main = Transcript(file, place, at or self.some_time(), self.rng, _unowned, spelling)
        session = Session(self.truth, self.rng, self.files, cwd, place.session, main)
        main.bill = session.bill
        self.files.append(file)
        self.sessions.append(session)
        if opened:
            open_session(session)
        return session

    def fork(self, parent: Session, mark: Mark, *, rows_copied: int | None = None) -> Session:
        """Copy a session's conversation into a new one, which starts from its saved cost."""
        place = parent.main.place
        child = self.session(
            at=parent.main.now + timedelta(minutes=5),
            dialect=place.dialect,
            cwd=place.cwd,
            spelling=parent.main.spelling,
            opened=False,
        )
        queue(child.main, "go on from here")
        for row in parent.main.history[:rows_copied]:
            child.main.say(mark(parent, row | {"sessionId": child.id}))
            child.main.parent = str(row.get("uuid"))
        child.client = deepcopy(parent.saved)
        return child

    def some_time(self) -> datetime:
        """Return a moment of the last month, never near midnight."""
        day = LAST_DAY - timedelta(days=self.rng.randrange(30))
        return day - timedelta(seconds=self.rng.randrange(12 * 3600))

    def tokens(self, prompt: int = 0, *, hour: bool = True) -> Tokens:
        """Return what an ordinary request uses, with a 1h or a 5m cache write."""
        prompt = prompt or self.rng.randint(12_000, 60_000)
        written = self.rng.randint(200, 3000)
        fresh = self.rng.randint(1, 9)
        output = int(self.rng.lognormvariate(5.6, 1.1)) + 12
        read = prompt - written - fresh
        split = (0, written) if hour else (written, 0)
        return Tokens(fresh, output, read, *split)


def _unowned(*_: object) -> None:
    message = "an answer in a transcript without a session"
    raise RuntimeError(message)


def slug(cwd: str) -> str:
    """Return the name of a project's folder; beyond 200 characters it ends in a checksum."""
    name = re.sub(r"[^A-Za-z0-9]", "-", cwd)
    return name if len(name) <= 200 else f"{name[:200]}-{zlib.crc32(cwd.encode()):08x}"


def queue(transcript: Transcript, content: str) -> None:
    """Write a prompt's way through the queue."""
    for operation, extra in (("enqueue", {"content": content}), ("dequeue", {})):
        row: Row = {"type": "queue-operation", "operation": operation}
        row |= {"timestamp": rows.stamp(transcript.now), "sessionId": transcript.place.session}
        transcript.append(row | extra)


def open_session(session: Session) -> None:
    """Write the rows that come before the first answer in each generation."""
    main = session.main
    dialect = main.place.dialect
    if dialect.name == OLD.name:
        leaf = names.uuid(main.rng)
        main.append({"type": "summary", "summary": "Earlier work", "leafUuid": leaf})
    elif dialect.name == MIDDLE.name:
        snapshot = {"messageId": session.id, "trackedFileBackups": {}}
        main.append({"type": "file-history-snapshot", "snapshot": snapshot})
    else:
        queue(main, "go on")
        main.append({"type": "mode", "mode": "normal", "sessionId": session.id})
    main.ask()
    if dialect.request_rows:
        environment = {"workingDirectory": main.place.cwd, "isGitRepo": True, "platform": "linux"}
        body: Row = {"type": "environment", "snapshot": environment}
        main.say(rows.attachment(main.place, main.link(), body))

"""Believable work for the pictures: turns of a conversation, subagents, sessions that run.

The clock and the ids are fixed; how much is used comes from a generator with a fixed seed.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import books
from claude_tier.report import ledger_file
from claude_tier_hooks import ledger, policy

NOW = 1_795_016_520.0  # Wednesday 2026-11-18 15:42 UTC
DAY = 86_400.0


class Most(NamedTuple):
    """Tokens that one response uses at most, by kind."""

    output: int
    cache_read: int
    cache_write: int


class Running(NamedTuple):
    """A session that runs: its folder, the minutes since its start, busy or idle."""

    session: str
    cwd: str
    minutes: float
    status: str


class Work(NamedTuple):
    """What one session writes."""

    home: Path
    session: str
    cwd: str
    chance: random.Random
    most: Most

    def answer(self, model: str, at: float, agent: str | None = None) -> None:
        """One response, of the main conversation or of a subagent."""
        books.answer(
            self.home,
            model,
            at=at,
            session=self.session,
            cwd=self.cwd,
            agent=agent,
            input_tokens=self.chance.randint(200, 3_000),
            output_tokens=self.chance.randint(400, self.most.output),
            cache_read_input_tokens=self.chance.randint(20_000, self.most.cache_read),
            cache_creation_input_tokens=self.chance.randint(500, self.most.cache_write),
        )

    def subagent(self, name: str, model: str, at: float, **decision: object) -> None:
        """The decision on it, and what it answered by now."""
        books.decide(f"toolu_{name}", session=self.session, at=at, agent=name, **decision)
        for step in range(self.chance.randint(3, 9)):
            then = at + 8 + step * 25
            if then < NOW:
                self.answer(model, then, agent=name)


def plan_windows(rows: Iterable[tuple[str, float, float]]) -> None:
    """What the client reported of the plan: name, percent used, when it is reset."""
    db = ledger.connect(patience=10)
    with ledger.Writing(db):
        db.executemany(
            "INSERT INTO plan_window (name, used, resets_at, at) VALUES (?, ?, ?, ?)",
            [(*row, NOW - 300) for row in rows],
        )
    db.close()


def at_work(home: Path, running: Iterable[Running]) -> None:
    """The sessions that run now, as the client registers them; earlier subagents have ended."""
    with ledger_file.up_to_date(policy.load()) as db, ledger.Writing(db):
        db.execute("UPDATE run SET ended = last WHERE last < ?", (NOW - 240,))
    folder = home / ".claude/sessions"
    folder.mkdir()
    for number, one in enumerate(running):
        row = {
            "pid": os.getpid(),
            "sessionId": one.session,
            "cwd": one.cwd,
            "startedAt": int((NOW - one.minutes * 60) * 1000),
            "status": one.status,
        }
        (folder / f"{number}.json").write_text(json.dumps(row))

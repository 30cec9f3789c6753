"""Questions to the ledger, asked in threads beside the server's loop."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from typing import TypeVar

import anyio
from anyio import to_thread
from claude_tier_hooks import policy, project, state
from claude_tier_hooks.shapes import Json

from claude_tier.report import ledger_file, savings

Answer = TypeVar("Answer")
Question = Callable[[sqlite3.Connection, Json], Answer]

AT_ONCE = 4  # questions; more of them wait
FRESH = 5.0  # seconds for which the ledger counts as up to date


class Books:
    """The ledger and the policy as they are at each question, for one folder's project."""

    def __init__(self, folder: str, *, fresh: float = FRESH) -> None:
        self.folder = folder
        self._fresh = fresh
        self._caught_up: float | None = None
        self._turn = threading.Lock()
        self._limit: anyio.CapacityLimiter | None = None

    @property
    def named(self) -> str:
        """The folder as the ledger can hold it."""
        return state.storable(self.folder)

    def rules(self) -> Json:
        return policy.load(project.root(self.folder))

    async def ask(self, question: Question[Answer]) -> Answer:
        """The answer from one state of the ledger; raises UserError where it cannot be read."""
        if self._limit is None:
            self._limit = anyio.CapacityLimiter(AT_ONCE)
        return await to_thread.run_sync(self.answer, question, limiter=self._limit)

    def answer(self, question: Question[Answer]) -> Answer:
        """As `ask`, in this thread."""
        self.catch_up(self._fresh)
        with ledger_file.as_it_stands() as db:
            db.execute("BEGIN")
            return question(db, self.rules())

    def catch_up(self, within: float = 0.0) -> None:
        """Take in what transcripts hold by now, unless that was done so many seconds ago."""
        with self._turn:
            if self._caught_up is not None and time.monotonic() - self._caught_up < within:
                return
            rules = self.rules()
            with ledger_file.up_to_date(rules) as db:
                ledger_file.brought_up(db, lambda db: savings.bring_up(db, rules))
                self._caught_up = time.monotonic()

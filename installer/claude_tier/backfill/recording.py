"""Very many responses into the ledger: what the hooks' Recorder does, row by row looked up once.

As long as nobody else writes, what this process has written is known without asking the ledger.
"""

from __future__ import annotations

import sqlite3

from claude_tier_hooks import ingest, ledger, prices
from claude_tier_hooks.shapes import Cells, Json
from claude_tier_hooks.usage import INSERT, UPDATE, Recorder


class BulkRecorder(Recorder):
    """A Recorder over many transactions; call `begin()` in each before anything else."""

    def __init__(self, db: sqlite3.Connection, policy: Json) -> None:
        super().__init__(db, policy)
        self.policy = policy
        self.rates: dict[tuple[str, float], Json | None] = {}
        self.seen: int | None = None

    def forget(self) -> None:
        super().forget()
        self.responses: dict[str, Cells] = {}
        self.new: dict[str, None] = {}  # in the order they were read
        self.changed: dict[str, None] = {}
        self.is_all = False  # whether `responses` is everything the ledger holds

    def begin(self) -> None:
        """Forget what is known where another process has written since."""
        (version,) = self.db.execute("PRAGMA data_version").fetchone()
        if version != self.seen:
            self.forget()
            self.seen = version
            self.is_all = not self.db.execute("SELECT 1 FROM usage LIMIT 1").fetchone()

    def _kept(self, key: str) -> Cells | None:
        known = self.responses.get(key)
        if known is None and not self.is_all:
            known = super()._kept(key)
            if known is not None:
                self.responses[key] = known
        return known

    def _price(self, row: Json, at: float, session: Json) -> float | None:
        """A price holds for a whole day (UTC), so it is looked up once for each."""
        if session["host"]:
            return super()._price(row, at, session)
        key = row["model"], at // 86400
        if key not in self.rates:
            self.rates[key] = prices.entry(self.table["models"] or {}, row["model"], at)
        rate = self.rates[key]
        return None if rate is None else prices.at_rate(self.table, rate, row)

    def _insert(self, key: str, cells: Cells) -> None:
        self.responses[key] = cells
        self.new[key] = None

    def _update(self, key: str, cells: Cells) -> None:
        self.responses[key] = cells
        if key not in self.new:
            self.changed[key] = None

    def finish(self) -> None:
        rows = self.responses
        self.db.executemany(INSERT, ((key, *rows[key]) for key in self.new))
        self.db.executemany(UPDATE, ((*rows[key], key) for key in self.changed))
        self.new, self.changed = {}, {}
        super().finish()


def apply(recorder: BulkRecorder, batches: list[Json]) -> None:
    """Write batches in one transaction; where one of them cannot be, the hooks' way tells which."""
    try:
        with ledger.Writing(recorder.db):
            recorder.begin()
            for batch in batches:
                recorder.apply(batch)
            recorder.finish()
    except Exception as fault:
        recorder.seen = None
        if isinstance(fault, sqlite3.Error) and not isinstance(fault, ingest.OF_VALUES):
            raise
        with ledger.Writing(recorder.db):
            ingest.apply(recorder.db, batches, recorder.policy)

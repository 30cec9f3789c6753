"""What is kept out after a failure, as it stands in the ledger."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from claude_tier_hooks import cooldowns
from claude_tier_hooks.shapes import Json


@dataclass(frozen=True)
class Cooling:
    """Why something is kept out. `until` is None for a key that has to change.

    `probe` is until when one process may try it again, None where none does; `probing` whether that
    was so when this was read. `named` says whether the server itself named the time.
    """

    provider: str
    account: str
    model: str
    cause: str
    why: str
    since: float
    until: float | None
    named: bool
    step: int
    probing: bool
    probe: float | None = None

    @classmethod
    def of(cls, row: Json, now: float) -> Cooling:
        """A row of the ledger."""
        names = (
            "provider", "account", "model", "cause", "why", "since", "until", "step", "probe",
        )  # fmt: skip
        kept = {name: row[name] for name in names}
        return cls(**kept, named=bool(row["named"]), probing=cooldowns.is_tried(row, now))

    @property
    def what(self) -> str:
        """openrouter for the whole account, openrouter/x/y for one model."""
        return cooldowns.what(self.provider, self.model)

    def holds(self, now: float) -> bool:
        """Whether it keeps anything out; one that is over waits for the next request."""
        return cooldowns.keeps_out({"until": self.until, "probe": self.probe}, now)

    @property
    def clear(self) -> str:
        """The command that ends it."""
        return f"claude-tier cooldown clear {self.what}"

    def fields(self) -> dict[str, object]:
        """The JSON of it; the next probe is when it is over."""
        return {
            "provider": self.provider,
            "account": self.account,
            "model": None if self.model == cooldowns.EVERY else self.model,
            "cause": self.cause,
            "why": self.why,
            "since": self.since,
            "until": self.until,
            "next_probe": self.until,
            "named_by_server": self.named,
            "step": self.step,
            "probing": self.probing,
            "clear": self.clear,
        }


def listed(db: sqlite3.Connection, now: float) -> tuple[Cooling, ...]:
    """Everything that is kept out now, or waits for a try, by provider and model."""
    return tuple(Cooling.of(row, now) for row in cooldowns.listed(db, now))

"""What a simulation found, as values."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import NamedTuple

from claude_tier_hooks.shapes import Json


class Verdict(NamedTuple):
    """What `decide()` said, in the columns of a decision."""

    action: str
    set: str | None
    reason: str | None
    budget: str | None
    level: str | None
    used: float | None


def verdict(made: Json) -> Verdict:
    reason = made["reason"] or made["note"]
    return Verdict(made["action"], made["set"], reason, made["budget"], made["level"], made["used"])


@dataclass(frozen=True)
class Changed:
    """A spawn that would have gone otherwise. Dollars are those of its own subagent's requests.

    `simulated_usd` is None where what would have run has no price; `estimated` says that the spawn
    was denied, so that its cost is what runs of that type usually cost. Both are None where the
    history was only checked. `approximate` marks a decision from before its inputs were kept,
    `reconstructed` one that was not recorded at all: told by what ran.
    """

    at: float
    session: str
    tool_use_id: str
    tool: str
    agent: str
    happened: Verdict
    simulated: Verdict
    happened_usd: float | None
    simulated_usd: float | None
    estimated: bool
    approximate: bool
    reconstructed: bool

    def fields(self) -> dict[str, object]:
        sides = {"happened": self.happened._asdict(), "simulated": self.simulated._asdict()}
        return {**asdict(self), **sides}


class Day(NamedTuple):
    """A local day (2026-11-20); dollars, and how many requests have no price on each side."""

    day: str
    happened_usd: float
    simulated_usd: float
    happened_unpriced: int
    simulated_unpriced: int


class Trip(NamedTuple):
    """A budget reached a level in a period: when it did, and when it would have; None for never.

    `since` is the start of the period, 0 for a session's whole life.
    """

    budget: str
    scope: str
    since: float
    level: str
    happened: float | None
    simulated: float | None


@dataclass(frozen=True)
class Simulation:
    """A history replayed. `policy` is the other policy's name, None where each decision was made
    again under its own rules. `decisions` are the recorded ones, of which `identical` came out the
    same. `reconstructed` runs have none: another policy decides on them too, a check only counts
    them. `approximate` is how many were replayed without recorded inputs.
    """

    policy: str | None
    decisions: int
    identical: int
    approximate: int
    reconstructed: int
    changed: tuple[Changed, ...]
    days: tuple[Day, ...]
    trips: tuple[Trip, ...]
    unknown: int  # spawns that would have run on a model nobody knows: their cost is as it was
    unlinked: int  # spawns that would be denied, whose own requests cannot be told apart

    @property
    def happened_usd(self) -> float:
        return sum(one.happened_usd for one in self.days)

    @property
    def simulated_usd(self) -> float:
        return sum(one.simulated_usd for one in self.days)

    @property
    def estimated_usd(self) -> float:
        """The part of the simulated dollars that subagents which never ran would have cost."""
        return sum(one.simulated_usd or 0.0 for one in self.changed if one.estimated)

    def counts(self) -> dict[str, int]:
        """How many spawns are changed to what: lowered, denied, assigned …"""
        found: dict[str, int] = {}
        for one in self.changed:
            found[one.simulated.action] = found.get(one.simulated.action, 0) + 1
        return found

    def fields(self) -> dict[str, object]:
        """The JSON of it; docs/simulate.md names the fields."""
        return {
            "policy": self.policy,
            "decisions": self.decisions,
            "identical": self.identical,
            "approximate": self.approximate,
            "reconstructed": self.reconstructed,
            "happened_usd": self.happened_usd,
            "simulated_usd": self.simulated_usd,
            "estimated_usd": self.estimated_usd,
            "counts": self.counts(),
            "unknown": self.unknown,
            "unlinked": self.unlinked,
            "days": [one._asdict() for one in self.days],
            "changed": [one.fields() for one in self.changed],
            "trips": [one._asdict() for one in self.trips],
        }

"""Spending against one budget over time, twice: as it happened and as it would have been."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from claude_tier_hooks import budget as budgets
from claude_tier_hooks import ledger
from claude_tier_hooks.shapes import Json

from claude_tier.report.simulate.history import Windows

Key = tuple[int, int]
STEPS = ("warn", "cap", "stop")
HAPPENED, SIMULATED = 0, 1


@dataclass
class Sums:
    """One period of one scope: the sums of both sides, and how many levels each has reached."""

    since: float
    sums: list[float] = field(default_factory=lambda: [0.0, 0.0])
    reached: list[int] = field(default_factory=lambda: [0, 0])
    # (quarter hour, happened, simulated) of a window, which forgets what is older than it.
    parts: deque[list[float]] = field(default_factory=deque)


@dataclass(frozen=True)
class Crossing:
    """One side of a budget's scope reached a level."""

    key: Key
    since: float
    level: str
    side: int
    at: float


class Tally:
    """Both sides of one budget. What is added must come in the order of time."""

    def __init__(
        self, budget: Json, week_start: int, agents: Iterable[int], windows: Windows
    ) -> None:
        self.budget = budget
        self.mark = budgets.fingerprint(budget)
        self.crossings: list[Crossing] = []
        self.tokens = budget["unit"] == "tokens"
        self.plan = budget["unit"] == "plan_percent"
        self._limits = [budget[step] * budget["limit"] - 1e-12 for step in STEPS]
        self._week_start = week_start
        self._agents = frozenset(agents)
        self._windows = windows
        self._length = budgets.WINDOWS.get(budget["period"])
        self._by_session = "session" in (budget["period"], budget["scope"]["kind"])
        self._kind = budget["scope"]["kind"]
        self._starts: dict[int, float] = {}
        self._held: dict[Key, Sums] = {}

    def key(self, session: int, project: int, agent: int | None) -> Key | None:
        """Which of the budget's scopes that is; None for an agent it is not about.

        Without an agent: the scope that stands in this session and project.
        """
        if self._kind == "agent" and agent is not None and agent not in self._agents:
            return None
        return (
            session if self._by_session else -1,
            project if self._kind == "project" else -1,
        )

    def since(self, at: float) -> float:
        """When the period that holds then began."""
        if self.budget["period"] == "session":
            return 0.0
        if self._length:
            window = self._windows.at(self.budget["period"], at)
            return (window[1] if window else at) - self._length
        quarter = int(at // ledger.BUCKET)
        start = self._starts.get(quarter)
        if start is None:
            start = budgets.period_start(self.budget["period"], at, self._week_start)
            self._starts[quarter] = start
        return start

    def rolls(self, at: float) -> bool:
        """Whether it is a window of which the plan says no end."""
        return bool(self._length) and self._windows.at(self.budget["period"], at) is None

    def add(self, at: float, key: Key, happened: float, simulated: float) -> None:
        sums = self._current(at, key)
        sums.sums[HAPPENED] += happened
        sums.sums[SIMULATED] += simulated
        if self._length:
            quarter = at // ledger.BUCKET
            if not sums.parts or sums.parts[-1][0] != quarter:
                sums.parts.append([quarter, 0.0, 0.0])
            sums.parts[-1][1] += happened
            sums.parts[-1][2] += simulated
        for side in (HAPPENED, SIMULATED):
            if sums.reached[side] < 3 and sums.sums[side] >= self._limits[sums.reached[side]]:
                self._cross(at, key, sums, side)

    def read(self, at: float, key: Key) -> tuple[float, float]:
        """(happened, simulated) of the period that holds at that time."""
        return tuple(self._current(at, key).sums)  # type: ignore[return-value]

    def _current(self, at: float, key: Key) -> Sums:
        held = self._held.get(key)
        if self._length:
            return self._rolled(at, key, held)
        start = self.since(at)
        if held is None or held.since != start:
            held = self._held[key] = Sums(start)
        return held

    def _rolled(self, at: float, key: Key, held: Sums | None) -> Sums:
        """Without what the window has left behind."""
        if held is None:
            held = self._held[key] = Sums(self.since(at))
        held.since = self.since(at)
        first = held.since // ledger.BUCKET
        while held.parts and held.parts[0][0] < first:
            _, happened, simulated = held.parts.popleft()
            held.sums[HAPPENED] -= happened
            held.sums[SIMULATED] -= simulated
        if not held.parts:
            held.sums = [0.0, 0.0]  # no rest of rounding
        for side in (HAPPENED, SIMULATED):
            while held.reached[side] and held.sums[side] < self._limits[held.reached[side] - 1]:
                held.reached[side] -= 1
        return held

    def _cross(self, at: float, key: Key, sums: Sums, side: int) -> None:
        while sums.reached[side] < 3 and sums.sums[side] >= self._limits[sums.reached[side]]:
            level = STEPS[sums.reached[side]]
            self.crossings.append(Crossing(key, sums.since, level, side, at))
            sums.reached[side] += 1

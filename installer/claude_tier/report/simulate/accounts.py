"""What was spent and what would have been: by day, by budget, by subagent.

Every figure is kept twice, as it happened and as simulated, so that without a difference both are
the same to the last digit.
"""

from __future__ import annotations

import heapq
from bisect import insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from claude_tier_hooks import budget as budgets
from claude_tier_hooks import ledger, reservations

from claude_tier.report.simulate.history import Past, Response, Run
from claude_tier.report.simulate.tally import HAPPENED, SIMULATED, Tally

Figures = tuple[float, float]  # dollars, tokens


class Finished(NamedTuple):
    """A run that is over: when it last answered, and what it cost on either side."""

    last: float
    sides: tuple[Figures, Figures]


@dataclass
class Held:
    """What is reserved for a subagent that runs; None on the side where it does not."""

    expires: float
    past: Past
    run: int
    sides: tuple[Figures | None, Figures | None]


class Accounts:
    """Both sides of the spending up to the moment the replay has come to."""

    def __init__(self, tallies: Iterable[Tally], runs: Sequence[Run]) -> None:
        self.tallies = list(tallies)
        self.spending = [one for one in self.tallies if not one.plan]
        # quarter hour -> dollars and requests without a price, of either side
        self.quarters: dict[int, list[float]] = {}
        self._spent: dict[int, list[float]] = {}
        self._finished: dict[int, list[Finished]] = {}
        self._runs = {one.number: one for one in runs}
        self._due = [(over, one.number) for one in runs if (over := _over(one)) is not None]
        heapq.heapify(self._due)
        self._open: list[Held] = []

    def add(self, row: Response, usd: float | None, tokens: float, *, gone: bool) -> None:
        """A response, with what it would have cost; `gone` where it would not have been made."""
        before = sum(row[7:12])
        if row.run is not None:
            spent = self._spent.setdefault(row.run, [0.0] * 4)
            spent[0] += row.usd or 0.0
            spent[1] += before
            spent[2] += usd or 0.0
            spent[3] += tokens
        unpriced = (row.usd is None, usd is None and not gone)
        place = (row.session, row.project, row.agent)
        sides = ((row.usd or 0.0, before), (usd or 0.0, tokens))
        self.move(row.at, place, sides, unpriced)

    def move(
        self,
        at: float,
        place: tuple[int, int, int],
        sides: tuple[Figures, Figures],
        unpriced: tuple[bool, bool] = (False, False),
    ) -> None:
        """Add to the days and to every budget it falls under."""
        day = self.quarters.get(int(at // ledger.BUCKET))
        if day is None:
            day = self.quarters[int(at // ledger.BUCKET)] = [0.0] * 4
        day[0] += sides[HAPPENED][0]
        day[1] += sides[SIMULATED][0]
        day[2] += unpriced[HAPPENED]
        day[3] += unpriced[SIMULATED]
        for tally in self.spending:
            key = tally.key(*place)
            if key is not None:
                unit = tally.tokens
                tally.add(at, key, sides[HAPPENED][unit], sides[SIMULATED][unit])

    def hold(
        self, past: Past, run: Run, happened: Figures | None, simulated: Figures | None
    ) -> None:
        """Reserve for a subagent what it is expected to cost, on the sides where it runs."""
        over = run.ended if run.ended is not None else float("inf")
        if past.reconstructed and run.ended is None and run.last is not None:
            over = run.last  # nobody was there to see it end
        expires = min(past.at + reservations.LASTS, over)
        self._open.append(Held(expires, past, run.number, (happened, simulated)))

    def held(self, tally: Tally, past: Past) -> tuple[float, float]:
        """(happened, simulated): what running subagents may spend yet under that budget."""
        here = tally.key(past.session, past.project, None)
        found = [0.0, 0.0]
        for one in self._open:
            own = one.past
            if tally.key(own.session, own.project, own.agent_number) != here:
                continue
            spent = self._spent.get(one.run, [0.0] * 4)
            for side, expected in enumerate(one.sides):
                if expected is not None:
                    so_far = spent[2 * side + tally.tokens]
                    found[side] += max(0.0, expected[tally.tokens] - so_far)
        return found[HAPPENED], found[SIMULATED]

    def advance(self, at: float) -> None:
        """Let go of what ended by then."""
        if self._open:
            self._open = [one for one in self._open if one.expires > at]
        while self._due and self._due[0][0] <= at:
            run = self._runs[heapq.heappop(self._due)[1]]
            spent = self._spent.get(run.number, [0.0] * 4)
            sides = ((spent[0], spent[1]), (spent[2], spent[3]))
            insort(
                self._finished.setdefault(run.agent, []),
                Finished(run.last or run.ended or 0.0, sides),
            )

    def usual(self, agent: int, side: int) -> Figures | None:
        """The median of that type's last runs, as the gate takes it; None when it never ran."""
        found: list[Figures] = []
        for one in reversed(self._finished.get(agent, ())):
            if one.sides[side][1] > 0:
                found.append(one.sides[side])
            if len(found) == budgets.RUNS:
                break
        if not found:
            return None
        middle = (len(found) - 1) // 2
        dollars, tokens = zip(*found, strict=True)
        return sorted(dollars)[middle], sorted(tokens)[middle]


def _over(run: Run) -> float | None:
    """When a run counts as finished; None for one that never answered."""
    if run.ended is not None:
        return run.ended
    return None if run.last is None else run.last + budgets.SILENT

"""A decision that comes out otherwise, and what that makes of the runs it started."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from claude_tier.report.simulate.history import Past
from claude_tier.report.simulate.result import Changed, Verdict


class Fate(NamedTuple):
    """What becomes of a run's responses: another model, or None where there is no run."""

    change: Change
    model: str | None
    ran: str | None  # the tier that really ran; answers of others are left as they are


@dataclass
class Change:
    """A decision that comes out otherwise, while its cost is being summed."""

    past: Past
    simulated: Verdict
    happened_usd: float | None = 0.0
    simulated_usd: float | None = 0.0
    estimated: bool = False

    def add(self, happened: float | None, simulated: float | None) -> None:
        self.happened_usd = (self.happened_usd or 0.0) + (happened or 0.0)
        if self.simulated_usd is not None:
            self.simulated_usd = None if simulated is None else self.simulated_usd + simulated

    def result(self) -> Changed:
        past = self.past
        return Changed(
            at=past.at,
            session=past.named,
            tool_use_id=past.tool_use_id,
            tool=past.tool,
            agent=past.agent,
            happened=past.made,
            simulated=self.simulated,
            happened_usd=self.happened_usd,
            simulated_usd=self.simulated_usd,
            estimated=self.estimated,
            approximate=past.approximate,
            reconstructed=past.reconstructed,
        )

"""The savings of a span of time, summed from the kept rows of `saving`."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import NamedTuple

from claude_tier_hooks import ledger
from claude_tier_hooks.shapes import Json

from claude_tier.report import calendar
from claude_tier.report.days import Span
from claude_tier.report.savings import against, decided, plan, tokenizers, wording
from claude_tier.report.savings.baselines import MAIN
from claude_tier.report.savings.decided import Decided
from claude_tier.report.savings.plan import Window

# One day's, agent's and pair of models' sums, in the order of `Amounts`.
_SUMS = (
    "sum(requests), sum(left_out), sum(corrected), sum(uncorrected), sum(usd), sum(baseline_usd),"
    " sum(startup_usd), sum(rebuild_usd)"
)
DAY = 86400


class Amounts(NamedTuple):
    """Sums of rows; dollars but for the first four, which count responses."""

    requests: int = 0
    left_out: int = 0
    corrected: int = 0
    uncorrected: int = 0
    actual_usd: float = 0.0
    baseline_usd: float = 0.0
    startup_usd: float = 0.0
    rebuild_usd: float = 0.0

    @property
    def gross_usd(self) -> float:
        return self.baseline_usd - self.actual_usd

    @property
    def usd(self) -> float | None:
        """What was saved in the end, below 0 where it cost more; None where nothing has a price."""
        if self.left_out and not self.requests:
            return None
        return self.gross_usd - self.startup_usd - self.rebuild_usd


class Part(NamedTuple):
    """The saving of one day (2026-11-20), agent, or model (with what it ran instead of)."""

    key: str
    usd: float | None
    amounts: Amounts
    instead_of: str | None = None

    def fields(self, name: str) -> dict[str, object]:
        """The JSON of it, the key under that name."""
        made: dict[str, object] = {name: self.key}
        if name == "model":
            made["baseline"] = self.instead_of
        return {**made, "usd": self.usd, **self.amounts._asdict()}


@dataclass(frozen=True)
class Savings:
    """What a span's responses saved against the baseline: `main`, the main model of their session,
    or one model. Dollars at list prices; `usd` is net and None where nothing of it has a price.

    `gross_usd` is `baseline_usd` less `actual_usd`; `startup_usd` and `rebuild_usd` are taken off
    it. `left_out` counts responses without a price on either side, which are in no sum.
    `corrected` counts those whose tokens were converted by `token_factor`, `uncorrected` those
    between whose models no conversion is known.
    """

    baseline: str
    usd: float | None
    gross_usd: float
    actual_usd: float
    baseline_usd: float
    startup_usd: float
    rebuild_usd: float
    requests: int
    left_out: int
    corrected: int
    uncorrected: int
    by_day: tuple[Part, ...]
    by_agent: tuple[Part, ...]
    by_model: tuple[Part, ...]
    decisions: tuple[Decided, ...]
    more_decisions: bool
    plan: tuple[Window, ...]
    sentence: str

    def fields(self) -> dict[str, object]:
        """The JSON of it."""
        named = ("usd", "gross_usd", "actual_usd", "baseline_usd", "startup_usd", "rebuild_usd",
                 "requests", "left_out", "corrected", "uncorrected")  # fmt: skip
        return {
            "baseline": self.baseline,
            **{name: getattr(self, name) for name in named},
            "token_factor": tokenizers.FACTOR,
            "token_source": tokenizers.SOURCE,
            "days": [one.fields("day") for one in self.by_day],
            "agents": [one.fields("agent") for one in self.by_agent],
            "models": [one.fields("model") for one in self.by_model],
            "decisions": [asdict(one) for one in self.decisions],
            "more_decisions": self.more_decisions,
            "plan": [asdict(one) for one in self.plan],
            "sentence": self.sentence,
        }


def query(
    db: sqlite3.Connection,
    rules: Json,
    span: Span,
    *,
    project: int | None = None,
    baseline: str | None = None,
    now: float | None = None,
) -> Savings:
    """The savings of that span and project, from what `bring_up` kept.

    Another `baseline` than the configured one is reckoned anew from every response of the span,
    which takes seconds for a million of them. UserError for a model without a price.
    """
    raise NotImplementedError

"""The ledger of what was really billed: every response once, whatever the files say."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from decimal import Decimal

from .answer import Tokens

Totals = dict[str, int | float]


@dataclass(frozen=True)
class Charge:
    """One billed response, or one advisor's part of it (`is_request` False).

    `usd` is None where the model has no known price; `agent` is "main" outside of subagents and
    "unknown" where no file names the subagent's type.
    """

    session: str
    project: str
    agent: str
    model: str
    at: datetime
    tokens: Tokens
    usd: Decimal | None
    is_request: bool = True

    @property
    def day(self) -> str:
        return self.at.date().isoformat()


@dataclass(frozen=True)
class Hidden:
    """What the client charged without any row to show for it."""

    session: str
    model: str
    tokens: Tokens
    usd: Decimal


@dataclass
class Truth:
    """Everything billed, and what of it no reader can place.

    `unmeasured` counts responses whose final figures were never written: their charge holds the
    figures that were. `shared` are groups of sessions whose files do not tell which one of them
    owns a response: only the sum over a group is exact.
    """

    charges: list[Charge] = field(default_factory=list)
    hidden: list[Hidden] = field(default_factory=list)
    unmeasured: dict[str, int] = field(default_factory=dict)
    shared: list[tuple[str, ...]] = field(default_factory=list)

    def miss_final_figures(self, session: str) -> None:
        self.unmeasured[session] = self.unmeasured.get(session, 0) + 1

    def by(self, key: Callable[[Charge], str]) -> dict[str, Totals]:
        """Sum the charges that share a key, e.g. `by(lambda charge: charge.day)`."""
        groups: dict[str, list[Charge]] = {}
        for charge in self.charges:
            groups.setdefault(key(charge), []).append(charge)
        return {name: totals(groups[name]) for name in sorted(groups)}

    def unlisted(self) -> list[dict[str, str | int | float]]:
        """Sum what no row shows, per session and model."""
        sums: dict[tuple[str, str], tuple[Tokens, Decimal]] = {}
        for hidden in self.hidden:
            tokens, usd = sums.get((hidden.session, hidden.model), (Tokens(), Decimal()))
            sums[hidden.session, hidden.model] = (tokens + hidden.tokens, usd + hidden.usd)
        return [
            {"session": session, "model": model, **asdict(tokens), "usd": float(usd)}
            for (session, model), (tokens, usd) in sorted(sums.items())
        ]


def totals(charges: Iterable[Charge]) -> Totals:
    """Sum charges into the figures that reports show; dollars are of priced charges alone."""
    tokens, usd, requests, unpriced = Tokens(), Decimal(), 0, 0
    for charge in charges:
        tokens += charge.tokens
        usd += charge.usd or 0
        requests += charge.is_request
        unpriced += charge.usd is None
    return {
        "requests": requests,
        **asdict(tokens),
        "usd": float(usd),
        "unpriced_requests": unpriced,
    }

"""What a response would have cost on another model, by the hooks' own price function."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from claude_tier_hooks import prices
from claude_tier_hooks.shapes import Json

from claude_tier.report.savings import tokenizers

DAY = 86400
# Where the kinds of a response's tokens stand: input, output, cache read, cache write 5m and 1h.
READ, WRITE_5M, WRITE_1H = (
    prices.KINDS.index(kind) for kind in ("cache_read", "cache_write_5m", "cache_write_1h")
)
OUTPUT = prices.KINDS.index("output")


class Response(NamedTuple):
    """One row of `usage`; `run` is 0 for the conversation itself, `usd` None when unpriced.

    `requests` is 0 for an advisor's call, which is billed on the advisor's own model.
    """

    at: float
    run: int
    agent: int
    model: str
    requests: int
    fast: int
    geo: str | None
    tokens: tuple[float, ...]
    web_searches: int
    usd: float | None

    @property
    def cached(self) -> float:
        """The tokens of its prompt that were in the cache when it was answered."""
        return self.tokens[READ] + self.written

    @property
    def written(self) -> float:
        return self.tokens[WRITE_5M] + self.tokens[WRITE_1H]


class Rates:
    """The prices of a policy for the responses of one session, by where its requests went."""

    def __init__(self, rules: Json, host: str | None) -> None:
        self.table = prices.of_host(rules, rules.get("hosts") or {}, host)
        self.found: dict[tuple[str, int], Json | None] = {}

    def cost(self, model: str, one: Response, tokens: Sequence[float]) -> float | None:
        """Dollars for these tokens of a response, in the counts of the model that ran."""
        if self.table is None:
            return 0.0
        rate = self._rate(model, one.at)
        if rate is None:
            return None
        factor = tokenizers.factor(one.model, model)
        if factor is not None and factor != 1.0:
            tokens = [count * factor for count in tokens]
        usage = {
            "parts": [tokens],
            "speed": "fast" if one.fast else None,
            "geo": one.geo,
            "web_searches": one.web_searches,
        }
        return prices.at_rate(self.table, rate, usage)

    def _rate(self, model: str, at: float) -> Json | None:
        key = (model, int(at // DAY))  # prices change at midnight UTC
        if key not in self.found:
            models = self.table.get("models") if self.table else None
            self.found[key] = prices.entry(models or {}, model, at)
        return self.found[key]


def without_prompt(tokens: Sequence[float]) -> tuple[float, ...]:
    """Only what was answered."""
    return tuple(count if kind == OUTPUT else 0 for kind, count in enumerate(tokens))


def read_instead(tokens: Sequence[float], again: float) -> tuple[float, ...]:
    """So many of the tokens written to the cache read from it instead, the dearest writes first."""
    found = list(tokens)
    for kind in (WRITE_1H, WRITE_5M):
        moved = min(again, found[kind])
        found[kind] -= moved
        found[READ] += moved
        again -= moved
    return tuple(found)

"""What a response would have cost on another model, or by another price table."""

from __future__ import annotations

import sqlite3

from claude_tier_hooks import policy, prices, state
from claude_tier_hooks.shapes import Json

from claude_tier.report.savings import tokenizers
from claude_tier.report.simulate.history import Response

_FIGURES = ("models", "geo", "web_search_usd")


class Prices:
    """The price tables of the policy in force and of the other one."""

    def __init__(self, db: sqlite3.Connection, now: Json, other: Json) -> None:
        self.names = dict(db.execute("SELECT id, text FROM name").fetchall())
        self._now, self._other = now, other
        self._tables: dict[int | None, Json | None] = {}
        self._changed: dict[tuple[int, int | None], bool] = {}

    def as_it_was(self, row: Response) -> float | None:
        """The price of a response by the other table; what was recorded where it says the same."""
        key = (row.model, row.host)
        changed = self._changed.get(key)
        if changed is None:
            changed = self._changed[key] = self._differs(*key)
        return self._price(row, self.names.get(row.model, ""), 1.0) if changed else row.usd

    def on(self, row: Response, model: str) -> tuple[float | None, float]:
        """(dollars, tokens of the five kinds) of that response on another model."""
        factor = tokenizers.factor(self.names.get(row.model, ""), model) or 1.0
        return self._price(row, model, factor), sum(row[7:12]) * factor

    def first_run(self, model: str, at: float, shape: Json) -> float | None:
        """What a subagent of a type that never ran is expected to cost there."""
        return prices.price(self._other, model, at, shape)

    def _price(self, row: Response, model: str, factor: float) -> float | None:
        table = self._table(row.host)
        if table is None:
            return 0.0
        usage: Json = {kind: getattr(row, kind) * factor for kind in prices.KINDS}
        usage.update(web_searches=row.web_searches, speed="fast" if row.fast else None, geo=row.geo)
        return prices.price(table, model, row.at, usage)

    def _table(self, host: int | None) -> Json | None:
        if host not in self._tables:
            named = self.names.get(host) if host is not None else None
            self._tables[host] = prices.of_host(self._other, self._other["hosts"], named)
        return self._tables[host]

    def _differs(self, model: int, host: int | None) -> bool:
        """Whether the two policies price that model at that host differently."""
        named = self.names.get(host) if host is not None else None
        entries = []
        for one in (self._now, self._other):
            table = prices.of_host({key: one.get(key) for key in _FIGURES}, one["hosts"], named)
            name = self.names.get(model, "")
            models = (table or {}).get("models") or {}
            found = models.get(name) or models.get(prices.plain_id(name))
            entries.append((table is None, found))
        return entries[0] != entries[1]


class Targets:
    """Which model a decision makes of a spawn."""

    def __init__(self, tiers: list[str]) -> None:
        named = (state.read_json(policy.data_file("builtins.json")) or {}).get("models", {})
        self._models: dict[str, str] = named
        self._tiers = tiers

    def tier(self, model: str | None) -> str | None:
        return policy.tier_of(model, self._tiers)

    def of(self, made: Json, would: Json) -> str | None:
        """The model's id, for an alias the one it stands for now; None when nobody knows."""
        model = would["model"]
        if made["set"] and made["action"] in ("assigned", "lowered", "asked"):
            model = made["set"]
        elif model and self._capped(model, would.get("at_most")):
            model = would["at_most"]
        return self._models.get(model, model) if model else None

    def _capped(self, model: str, at_most: str | None) -> bool:
        """Whether the client itself runs that agent on a lower tier than its parent's."""
        return bool(at_most) and policy.cheaper(at_most, self.tier(model), self._tiers)

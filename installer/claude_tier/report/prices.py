"""The price table that is in force: shipped prices, the user's own over them, and what has none."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from claude_tier_hooks import prices, unpriced
from claude_tier_hooks.shapes import Json

from claude_tier.report import figures
from claude_tier.report.table import Column, render, wrapped

KINDS = prices.KINDS


@dataclass(frozen=True)
class Entry:
    """Dollars per million tokens of a model, from a day (inclusive) until a day (exclusive), UTC.

    `above` is {prompt_tokens, multiplier} of a long prompt's price; `fast` the multiplier of fast
    mode; `yours` tells a price from config.yaml.
    """

    model: str
    since: str | None
    until: str | None
    input: float
    output: float
    cache_read: float
    cache_write_5m: float
    cache_write_1h: float
    above: dict[str, float] | None
    fast: float | None
    yours: bool

    def fields(self) -> dict[str, object]:
        named = asdict(self)
        return {"model": named.pop("model"), "from": named.pop("since"), **named}


@dataclass(frozen=True)
class PriceTable:
    """All prices, and the models that the ledger has seen without one."""

    date: str
    source: str
    geo: dict[str, float]
    web_search_usd: float
    entries: tuple[Entry, ...]
    unpriced: tuple[tuple[str, int], ...]

    def fields(self) -> dict[str, object]:
        return {
            "date": self.date,
            "source": self.source,
            "geo": self.geo,
            "web_search_usd": self.web_search_usd,
            "models": [entry.fields() for entry in self.entries],
            "unpriced": [{"model": name, "responses": n} for name, n in self.unpriced],
        }


def query(db: sqlite3.Connection, rules: Json) -> PriceTable:
    """The prices of a policy, and what of the ledger they do not cover."""
    shipped = prices.shipped()
    return PriceTable(
        date=str(shipped.get("date")),
        source=str(shipped.get("source")),
        geo=rules["geo"] or {},
        web_search_usd=rules["web_search_usd"] or 0.0,
        entries=tuple(entries(rules["models"], shipped.get("models") or {})),
        unpriced=tuple(unpriced.models(db)),
    )


def entries(models: Json, shipped: Json) -> Iterator[Entry]:
    """Every dated price, a model's own ones told from the shipped."""
    for model, dated in models.items():
        for one in dated:
            kinds = {kind: float(one[kind]) for kind in KINDS}
            yield Entry(
                model=model,
                since=one.get("from"),
                until=one.get("until"),
                above=one.get("above"),
                fast=one.get("fast"),
                yours=one not in shipped.get(model, ()),
                **kinds,
            )


def as_text(table: PriceTable, *, width: int) -> str:
    """The screen of it."""
    names = {"Input": 0, "Output": 0, "Read": 0, "5m write": 1, "1h write": 2}
    kinds = (Column(name, figures=True, spare=spare) for name, spare in names.items())
    columns = [Column("Model"), *kinds, Column("Also")]
    rows = [_row(entry) for entry in table.entries]
    head, tail = wrapped(_head(table), width), wrapped(_tail(table), width)
    return "\n".join([*head, "", render(columns, rows, width=width), *tail])


def _head(table: PriceTable) -> list[str]:
    extra = [f"{geo.upper()} inference x{factor:g}" for geo, factor in table.geo.items()]
    extra.append(f"a web search {figures.money(table.web_search_usd)}")
    return [
        f"Dollars per million tokens, as of {table.date}.",
        f"Source: {table.source}.",
        f"Beside these: {', '.join(extra)}.",
    ]


def _row(entry: Entry) -> list[str]:
    return [entry.model, *(f"{getattr(entry, kind):g}" for kind in KINDS), ", ".join(_also(entry))]


def _also(entry: Entry) -> Iterator[str]:
    if entry.since:
        yield f"from {entry.since}"
    if entry.until:
        yield f"until {entry.until}"
    if entry.above:
        step, factor = entry.above["prompt_tokens"], entry.above["multiplier"]
        yield f"x{factor:g} above a prompt of {figures.count(step)}"
    if entry.fast:
        yield f"fast x{entry.fast:g}"
    if entry.yours:
        yield "yours"


def _tail(table: PriceTable) -> list[str]:
    if not table.unpriced:
        return []
    return [
        "",
        "Used without a known price, and so not in any sum of dollars:",
        *(f"  {name}  ({figures.plural(n, 'response')})" for name, n in table.unpriced),
        "Give them a price under `prices:` in config.yaml, or mark their provider `free: true`.",
    ]

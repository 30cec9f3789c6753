"""What each request really cost: a second, independent reading of the price list.

It shares no code and no data with the project, so that a wrong price there cannot hide here.
Decimals, because the truth should not depend on the order in which it is added up.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timezone
from decimal import Decimal
from typing import NamedTuple

from .answer import Tokens

GEO_US = Decimal("1.1")
WEB_SEARCH = Decimal("0.01")
LONG_PROMPT = 100_000
DATE_SUFFIX = re.compile(r"-\d{8}$")


class Rates(NamedTuple):
    """Dollars per million tokens of each kind."""

    input: Decimal
    output: Decimal
    cache_read: Decimal
    cache_write_5m: Decimal
    cache_write_1h: Decimal


def _rates(line: str) -> Rates:
    return Rates(*(Decimal(figure) for figure in line.split()))


# input, output, cache read, cache write 5m, cache write 1h
RATES = {
    "claude-fable-5-2": _rates("8 40 0.20 10 16"),
    "claude-mythos-5-2": _rates("8 40 0.20 10 16"),
    "claude-fable-5-1": _rates("10 50 0.25 12.5 20"),
    "claude-mythos-5-1": _rates("10 50 0.25 12.5 20"),
    "claude-fable-5": _rates("10 50 1.00 12.5 20"),
    "claude-mythos-5": _rates("10 50 1.00 12.5 20"),
    "claude-opus-5-5": _rates("4 20 0.20 5 8"),
    "claude-opus-5": _rates("5 25 0.50 6.25 10"),
    "claude-opus-4-8": _rates("5 25 0.50 6.25 10"),
    "claude-opus-4-7": _rates("5 25 0.50 6.25 10"),
    "claude-opus-4-6": _rates("5 25 0.50 6.25 10"),
    "claude-opus-4-5": _rates("5 25 0.50 6.25 10"),
    "claude-opus-4-1": _rates("15 75 1.50 18.75 30"),
    "claude-opus-4-0": _rates("15 75 1.50 18.75 30"),
    "claude-sonnet-5-5": _rates("2 10 0.10 2.5 4"),
    "claude-sonnet-5": _rates("2 10 0.20 2.5 4"),
    "claude-sonnet-4-6": _rates("3 15 0.30 3.75 6"),
    "claude-sonnet-4-5": _rates("3 15 0.30 3.75 6"),
    "claude-haiku-5-5": _rates("0.10 0.50 0.01 0.125 0.20"),
    "claude-haiku-4-5": _rates("1 5 0.10 1.25 2"),
}
FAST = {
    "claude-fable-5-2": 2,
    "claude-mythos-5-2": 2,
    "claude-opus-5-5": 2,
    "claude-opus-5": 2,
    "claude-opus-4-8": 2,
    "claude-opus-4-7": 6,
    "claude-opus-4-6": 6,
}
LONG_PROMPT_FACTOR = {"claude-haiku-5-5": 5}
SONNET_55_CHEAPER_READS = datetime(2026, 10, 7, tzinfo=timezone.utc)


def family(model: str) -> str:
    """Return the model without its release date: claude-haiku-4-5-20251001 is claude-haiku-4-5."""
    return DATE_SUFFIX.sub("", model)


def usd(
    model: str,
    tokens: Tokens,
    *,
    at: datetime,
    speed: str = "standard",
    geo: str = "",
    passes: tuple[Tokens, ...] = (),
) -> Decimal | None:
    """Price one request, or None for a model without a price.

    `passes` are its message iterations: where they add up to the whole, each meets the long
    prompt step by itself.
    """
    rates = _rates_at(family(model), at)
    if rates is None:
        return None
    parts = passes if sum(passes, Tokens()) == replace(tokens, web_searches=0) else (tokens,)
    cost = sum((_part(family(model), rates, part) for part in parts), Decimal())
    if speed == "fast":
        cost *= FAST.get(family(model), 1)
    if geo == "us":
        cost *= GEO_US
    return cost / 1_000_000 + tokens.web_searches * WEB_SEARCH


def _rates_at(model: str, at: datetime) -> Rates | None:
    rates = RATES.get(model)
    if model == "claude-sonnet-5-5" and rates and at < SONNET_55_CHEAPER_READS:
        return rates._replace(cache_read=Decimal("0.20"))
    return rates


def _part(model: str, rates: Rates, tokens: Tokens) -> Decimal:
    cost = (
        tokens.input_tokens * rates.input
        + tokens.output_tokens * rates.output
        + tokens.cache_read_tokens * rates.cache_read
        + tokens.cache_write_5m_tokens * rates.cache_write_5m
        + tokens.cache_write_1h_tokens * rates.cache_write_1h
    )
    if tokens.prompt > LONG_PROMPT:
        cost *= LONG_PROMPT_FACTOR.get(model, 1)
    return cost

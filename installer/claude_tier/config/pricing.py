"""Prices of models, as the configuration changes them."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Annotated

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationInfo,
    field_validator,
)
from pydantic_core import InitErrorDetails

from claude_tier.config.fields import Day, Dollars, Factor, Line, Section, detail, raise_all

CACHE_PRICES = ("cache_read", "cache_write_5m", "cache_write_1h")
Table = dict[str, list[dict[str, object]]]  # the shape of "models" in prices.json


class Step(Section):
    """A higher price for every token of a request whose prompt is larger than this."""

    prompt_tokens: Annotated[int, Field(gt=0)]
    multiplier: Factor


class Price(Section):
    """Dollars per million tokens of one model, from a day (inclusive) until a day (exclusive)."""

    since: Day | None = Field(default=None, alias="from")
    until: Day | None = None
    input: Dollars | None = None
    output: Dollars | None = None
    cache_read: Dollars | None = None
    cache_write_5m: Dollars | None = None
    cache_write_1h: Dollars | None = None
    above: Step | None = None
    fast: Factor | None = None

    @field_validator("until")
    @classmethod
    def _after_from(cls, until: datetime.date | None, info: ValidationInfo) -> datetime.date | None:
        since = info.data.get("since")
        if since and until and until <= since:
            raise ValueError(f"must be later than from ({since})")
        return until

    def record(self) -> dict[str, object]:
        """What the file says of it, written as in prices.json; `from` and `until` always there."""
        said = self.model_dump(mode="json", by_alias=True, exclude_unset=True)
        return {"from": None, "until": None, **said}


def _entries(value: object) -> object:
    return [value] if isinstance(value, dict) else value


def _no_overlap(entries: list[Price]) -> list[Price]:
    """Dated entries of one model must not both hold on any day."""
    first, last = datetime.date.min, datetime.date.max
    spans = [(entry.since or first, entry.until or last) for entry in entries]
    for index, (since, until) in enumerate(spans):
        if any(since < other[1] and other[0] < until for other in spans[:index]):
            raise_all([detail((index,), "overlaps the dates of an earlier entry")])
    return entries


Prices = dict[
    Line,
    Annotated[
        list[Price],
        Field(min_length=1),
        BeforeValidator(_entries),
        AfterValidator(_no_overlap),
    ],
]


def complete(prices: Prices, shipped: Table) -> Prices:
    """The prices again, if each can stand: input and output given where nothing is shipped."""
    raise_all([fault for model in prices for fault in _gaps(model, prices[model], shipped)])
    return prices


def merge(shipped: Table, own: Prices) -> Table:
    """The shipped table with the user's prices over it."""
    return shipped | {model: _merged(shipped.get(model, []), own[model]) for model in own}


def _changes_shipped(entries: list[Price]) -> bool:
    """Whether this is one undated entry: it changes the keys it names and leaves the others."""
    return len(entries) == 1 and entries[0].since is None and entries[0].until is None


def _gaps(model: str, entries: list[Price], shipped: Table) -> Iterator[InitErrorDetails]:
    if model in shipped and _changes_shipped(entries):
        return
    for index, entry in enumerate(entries):
        for key in ("input", "output"):
            if getattr(entry, key) is None:
                yield detail((model, index, key), "is required")


def _merged(shipped: list[dict[str, object]], own: list[Price]) -> list[dict[str, object]]:
    if shipped and _changes_shipped(own):
        said = own[0].model_dump(mode="json", exclude_unset=True)
        return [entry | said for entry in shipped]
    return [_whole(entry.record()) for entry in own]


def _whole(entry: dict[str, object]) -> dict[str, object]:
    """A cache price that is not given is the input price."""
    caches = {key: entry.get(key, entry["input"]) for key in CACHE_PRICES}
    return {"above": None, "fast": None, **entry, **caches}

"""Spending over time: one figure for each day or hour, apart by model, project or agent."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from claude_tier_hooks import ledger, unlisted

from claude_tier.report import calendar, day_sums, totals
from claude_tier.report.days import Span
from claude_tier.report.totals import Figures

KEPT = 8  # keys shown by name; the rest is one more, without a name
_SUMS = ", ".join(f"sum({name})" for name in ledger.SUMS)
MOST = 3660  # days; earlier ones are left out
_NOTHING: Figures = (0,) * len(ledger.SUMS)


class Cell(NamedTuple):
    """What one key used in one period."""

    period: int
    key: int
    sums: Figures


def fields(
    db: sqlite3.Connection, by: str, granularity: str, part: totals.Slice, now: float
) -> dict[str, object]:
    """The JSON of it: `periods` until now and, for each key, a figure for every one of them.

    What claims to be from later days is in no series: one such line would make it endless.
    """
    read = _days if granularity == "day" else _hours
    part = part._replace(span=_past(part.span, now))
    cells = [*read(db, by, part)]
    periods = [*_periods(granularity, part.span, cells, now)]
    numbers = [number for number, _, _ in periods]
    within = set(numbers)
    return {
        "periods": [{"start": start, "label": label} for _, start, label in periods],
        "keys": [*_keys(db, [cell for cell in cells if cell.period in within], numbers)],
    }


def _past(span: Span, now: float) -> Span:
    """The span, ending with today at the latest."""
    end = calendar.start_of(calendar.day_of(now) + 1)
    return span._replace(until=end if span.until is None else min(end, span.until))


def _days(db: sqlite3.Connection, by: str, part: totals.Slice) -> Iterator[Cell]:
    found = day_sums.source(part)
    query = f"SELECT day, {by}, {_SUMS} FROM {found.sql} WHERE source <> ? GROUP BY day, {by}"
    beyond = ledger.known_id(db, unlisted.SOURCE)
    for day, key, *sums in db.execute(query, (*found.values, beyond)):
        yield Cell(day, key, tuple(sums))


def _hours(db: sqlite3.Connection, by: str, part: totals.Slice) -> Iterator[Cell]:
    """A quarter hour belongs to the local hour it lies in, whatever the zone's offset."""
    since, until = part.span
    first = calendar.quarter_from(since or 0.0)
    last = calendar.quarter_from(calendar.start_of(calendar.LAST) if until is None else until)
    query = (
        f"SELECT start, {by}, {_SUMS} FROM bucket WHERE start >= ? AND start < ? AND source <> ?"
        f" AND ? IN (project, -1) GROUP BY start, {by}"
    )
    number = -1 if part.project is None else part.project
    beyond = ledger.known_id(db, unlisted.SOURCE)
    for start, key, *sums in db.execute(query, (first, last, beyond, number)):
        yield Cell(_hour(start * ledger.BUCKET), key, tuple(sums))


def _hour(moment: float) -> int:
    """When the local hour of that moment began."""
    local = time.localtime(moment)
    return int(moment) - local.tm_min * 60 - local.tm_sec


def _periods(
    granularity: str, span: Span, cells: Iterable[Cell], now: float
) -> Iterator[tuple[int, float, str]]:
    """(number, when it began, label) of every period, those without any use among them."""
    end = now if span.until is None else min(now, span.until - 1)
    if granularity == "day":
        last = calendar.day_of(end)
        used = min((cell.period for cell in cells), default=last)
        first = used if span.since is None else calendar.day_of(span.since)
        for number in range(max(first, last - MOST + 1), last + 1):
            yield number, calendar.start_of(number), calendar.text(number)
        return
    hour, last = _hour(span.since or now), _hour(end)
    while hour <= last:
        yield hour, float(hour), time.strftime("%Y-%m-%dT%H:%M", time.localtime(hour))
        hour = _hour(hour + 5400)  # an hour on, where clocks were set to a half as well


def _keys(
    db: sqlite3.Connection, cells: Iterable[Cell], periods: list[int]
) -> Iterator[dict[str, object]]:
    """The dearest first, what is left over last."""
    by_key: dict[int, dict[int, Figures]] = {}
    for cell in cells:
        row = by_key.setdefault(cell.key, {})
        row[cell.period] = totals.added((row.get(cell.period, _NOTHING), cell.sums))
    order = sorted(by_key, key=lambda key: _weight(by_key[key]))
    for key in order[:KEPT]:
        yield {"key": ledger.text_of(db, key) or "unknown", **_rows(by_key[key], periods)}
    rest: dict[int, Figures] = {}
    for key in order[KEPT:]:
        for period, sums in by_key[key].items():
            rest[period] = totals.added((rest.get(period, _NOTHING), sums))
    if rest:
        yield {"key": None, **_rows(rest, periods)}


def _rows(row: Mapping[int, Figures], periods: Iterable[int]) -> dict[str, object]:
    settled = [totals.settled(row.get(period, _NOTHING)) for period in periods]
    return {
        "usd": [one.usd if one.requests or one.tokens else 0.0 for one in settled],
        "requests": [one.requests for one in settled],
        "tokens": [one.tokens for one in settled],
    }


def _weight(row: Mapping[int, Figures]) -> tuple[float, float]:
    usd = ledger.SUMS.index("usd")
    return -sum(sums[usd] for sums in row.values()), -sum(sum(sums[1:6]) for sums in row.values())

"""Days as people name them, in local time."""

from __future__ import annotations

import datetime
import time
from typing import NamedTuple

import click

from claude_tier.report import calendar

NAMED = {"today": 0, "yesterday": -1}
FIRST, LAST = datetime.date(1970, 1, 1), datetime.date(2199, 12, 31)


class Span(NamedTuple):
    """From an epoch time (inclusive) until another (exclusive); None where there is no end."""

    since: float | None = None
    until: float | None = None


class Slice(NamedTuple):
    """Which part of the ledger is summed: a span of time and a project's number, or all of it."""

    span: Span = Span()
    project: int | None = None


def parse(text: str, now: float) -> datetime.date:
    """2026-11-20, `today` or `yesterday`; ValueError for anything else."""
    if text in NAMED:
        today = datetime.date.fromtimestamp(now)
        return today + datetime.timedelta(days=NAMED[text])
    try:
        day = datetime.datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise ValueError("must be a day such as 2026-11-20, today or yesterday") from None
    if not FIRST <= day <= LAST:
        raise ValueError(f"must be a day from {FIRST} to {LAST}")
    return day


def span(first: datetime.date | None, last: datetime.date | None) -> Span:
    """From the first day's start to the last day's end, either of which may be open.

    click.UsageError when the last day is before the first.
    """
    if first and last and first > last:
        raise click.UsageError(f"--since {first} is after --until {last}.")
    return Span(
        calendar.start_of(first.toordinal()) if first else None,
        calendar.start_of(last.toordinal() + 1) if last else None,
    )


def option(_ctx: click.Context, _param: click.Parameter, value: str | None) -> datetime.date | None:
    """The callback of an option whose value is a day."""
    try:
        return None if value is None else parse(value, time.time())
    except ValueError as fault:
        raise click.BadParameter(f"'{value}' {fault}") from None


def of(moment: float) -> str:
    """The local day an epoch time falls on: 2026-11-20."""
    return calendar.text(calendar.day_of(moment))

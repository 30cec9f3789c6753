"""Days as people name them, in local time."""

from __future__ import annotations

import datetime
import time
from typing import NamedTuple

import click

NAMED = {"today": 0, "yesterday": -1}


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
        return datetime.datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise ValueError("must be a day such as 2026-11-20, today or yesterday") from None


def span(first: datetime.date | None, last: datetime.date | None) -> Span:
    """From the first day's start to the last day's end, either of which may be open."""
    after = last + datetime.timedelta(days=1) if last else None
    return Span(_midnight(first) if first else None, _midnight(after) if after else None)


def option(_ctx: click.Context, _param: click.Parameter, value: str | None) -> datetime.date | None:
    """The callback of an option whose value is a day."""
    try:
        return None if value is None else parse(value, time.time())
    except ValueError as fault:
        raise click.BadParameter(f"'{value}' {fault}") from None


def of(moment: float) -> str:
    """The local day an epoch time falls on: 2026-11-20."""
    return time.strftime("%Y-%m-%d", time.localtime(moment))


def _midnight(day: datetime.date) -> float:
    return time.mktime((day.year, day.month, day.day, 0, 0, 0, 0, 0, -1))

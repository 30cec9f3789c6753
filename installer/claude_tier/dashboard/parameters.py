"""The parameters of an address: known ones only, each within its limits."""

from __future__ import annotations

import datetime
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from starlette.datastructures import QueryParams

from claude_tier.report import days

LONGEST = 1000  # characters; a path may be long
MOST = 500  # decisions in one answer
BY = ("model", "project", "agent", "day", "week", "month", "session", "block", "provider", "route")
SPLIT = ("model", "project", "agent")  # what a series can be kept apart by
GRANULARITIES = ("none", "hour", "day")
HOURS = 8 * 86400.0  # seconds; the longest span by hour
YEARS = 10  # the longest span by day
DAYS = YEARS * 366 * 86400.0  # seconds of it


class ParameterError(ValueError):
    """A parameter that is unknown, given twice, too long or out of its limits: 400."""


class Usage(NamedTuple):
    """Of /api/usage; a day each, `until` included."""

    by: str
    granularity: str
    span: days.Span
    project: str | None


class Decisions(NamedTuple):
    """Of /api/decisions; `before` is the `next` of the answer before."""

    limit: int
    before: tuple[float, str] | None
    agent: str | None
    action: str | None


def only(query: QueryParams, known: Sequence[str]) -> dict[str, str]:
    """The parameters by name; raises ParameterError. A token in an address ends up in logs."""
    found = query.multi_items()
    for name, value in found:
        if name not in known:
            raise ParameterError(f"there is no parameter {name[:40]!r} here")
        if len(value) > LONGEST:
            raise ParameterError(f"{name} is longer than {LONGEST} characters")
    if len({name for name, _ in found}) < len(found):
        raise ParameterError("a parameter is given twice")
    return dict(found)


def usage(given: Mapping[str, str], now: float | None = None) -> Usage:
    """Raises ParameterError."""
    granularity = _choice(given, "granularity", GRANULARITIES, "none")
    by = _choice(given, "by", BY if granularity == "none" else SPLIT, "model")
    moment = time.time() if now is None else now
    first, last = (_day(given, name, moment) for name in ("since", "until"))
    if first and last and first > last:
        raise ParameterError("since is after until")
    span = days.span(first, last)
    if granularity == "hour" and (span.since is None or _length(span, moment) > HOURS):
        raise ParameterError("by hour, since must be given and lie at most a week back")
    if granularity == "day" and span.since is not None and _length(span, moment) > DAYS:
        raise ParameterError(f"by day, since and until may be at most {YEARS} years apart")
    return Usage(by, granularity, span, given.get("project"))


def _length(span: days.Span, now: float) -> float:
    return (now if span.until is None else span.until) - (span.since or 0.0)


def decisions(given: Mapping[str, str]) -> Decisions:
    """Raises ParameterError."""
    text = given.get("limit", "50")
    short = text.isascii() and text.isdigit() and len(text) <= len(str(MOST))
    if not (short and 1 <= int(text) <= MOST):
        raise ParameterError(f"limit must be a number from 1 to {MOST}")
    before = given.get("before")
    return Decisions(
        limit=int(text),
        before=None if before is None else _cursor(before),
        agent=given.get("agent"),
        action=given.get("action"),
    )


def _cursor(text: str) -> tuple[float, str]:
    at, found, tool_use_id = text.partition("~")
    try:
        moment = float(at)
    except ValueError:
        moment = float("nan")
    if not found or not 0 <= moment < 1e12:
        raise ParameterError("before must be the `next` of an answer before")
    return moment, tool_use_id


def _choice(given: Mapping[str, str], name: str, allowed: Sequence[str], default: str) -> str:
    value = given.get(name, default)
    if value not in allowed:
        raise ParameterError(f"{name} must be one of {', '.join(allowed)}")
    return value


def _day(given: Mapping[str, str], name: str, now: float) -> datetime.date | None:
    text = given.get(name)
    try:
        return None if text is None else days.parse(text, now)
    except ValueError as fault:
        raise ParameterError(f"{name} {fault}") from None


USAGE = ("by", "granularity", "since", "until", "project")
DECISIONS = Decisions._fields

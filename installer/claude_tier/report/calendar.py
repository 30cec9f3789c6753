"""Local days, weeks and months as numbers: a day is `date.toordinal()` of it.

Times are epoch seconds. A day begins with its first second, also where the clock skips midnight or
strikes it twice, and has then 23 to 25 hours.
"""

from __future__ import annotations

import datetime
import time

from claude_tier_hooks import ledger

_FIRST, _LAST = -60_000_000_000.0, 253_000_000_000.0  # years that have a date, in any zone


def day_of(moment: float) -> int:
    """The local day of an epoch time."""
    local = time.localtime(min(max(moment, _FIRST), _LAST))
    return datetime.date(local.tm_year, local.tm_mon, local.tm_mday).toordinal()


def start_of(day: int) -> float:
    """The first moment of a local day; that of the next one where the zone left the day out."""
    date = datetime.date.fromordinal(day)
    at = time.mktime((date.year, date.month, date.day, 0, 0, 0, 0, 0, -1))
    while day_of(at - 1) >= day:
        at -= ledger.BUCKET
    while day_of(at) < day:
        at += ledger.BUCKET
    return at


def quarters(day: int) -> tuple[int, int]:
    """The quarter hours that begin on a local day: the first, and the one behind the last."""
    return quarter_from(start_of(day)), quarter_from(start_of(day + 1))


def quarter_from(moment: float) -> int:
    """The first quarter hour that begins at that time or later."""
    return int(-(-moment // ledger.BUCKET))


def week_of(day: int, week_start: int) -> int:
    """The first day of that day's week, which begins on `week_start` (0 is Monday)."""
    return day - (day - 1 - week_start) % 7


def month_of(day: int) -> int:
    """The first day of that day's month."""
    return datetime.date.fromordinal(day).replace(day=1).toordinal()


def text(day: int) -> str:
    """2026-11-20"""
    return datetime.date.fromordinal(day).isoformat()

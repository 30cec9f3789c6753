"""Local days, weeks and months as numbers: a day is `date.toordinal()` of it.

Times are epoch seconds. A day begins with its first second, also where the clock skips midnight or
strikes it twice, and has then 23 to 25 hours. Times before the first day there is belong to it, and
times after the last day to that.
"""

from __future__ import annotations

import datetime
import time
import zlib
from collections.abc import Iterable

from claude_tier_hooks import ledger

# Every clock library can reckon within these days, and no client wrote outside of them.
FIRST = datetime.date(1902, 1, 1).toordinal()
LAST = datetime.date(2400, 12, 31).toordinal()
_EARLIEST, _LATEST = -2_146_003_200.0, 13_601_260_800.0  # 1901-12-31 and 2401-01-03, UTC
_PAST, _FUTURE = -1e18, 1e18  # seconds; as quarter hours still integers of SQLite


def local(moment: float) -> time.struct_time:
    """The local date and time of an epoch time, or of the nearest that has one."""
    return time.localtime(min(max(moment, _EARLIEST), _LATEST))


def day_of(moment: float) -> int:
    """The local day of an epoch time, from FIRST to LAST."""
    at = local(moment)
    day = datetime.date(at.tm_year, at.tm_mon, at.tm_mday).toordinal()
    return min(max(day, FIRST), LAST)


def start_of(day: int) -> float:
    """The first moment of a local day; that of the next one where the zone left the day out.

    Nothing is before FIRST begins, or after LAST ends.
    """
    if day <= FIRST or day > LAST:
        return _PAST if day <= FIRST else _FUTURE
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


def fingerprint(days: Iterable[int]) -> str:
    """What tells another time zone: when these days begin and end. Empty for none."""
    bounds = [(day, *quarters(day)) for day in days]
    return str(zlib.crc32(repr(bounds).encode())) if bounds else ""


def week_of(day: int, week_start: int) -> int:
    """The first day of that day's week, which begins on `week_start` (0 is Monday)."""
    return day - (day - 1 - week_start) % 7


def month_of(day: int) -> int:
    """The first day of that day's month."""
    return datetime.date.fromordinal(day).replace(day=1).toordinal()


def text(day: int) -> str:
    """2026-11-20"""
    return datetime.date.fromordinal(day).isoformat()

"""When a provider says that it will serve again: in headers, or in the words of its error."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone, tzinfo
from email.utils import parsedate_to_datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

YEAR = 366 * 86400
_DATE = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:T| at | )?(?:(\d\d:\d\d(?::\d\d)?)(?:\.\d+)?)? ?(UTC|Z|[+-]\d\d:\d\d)?"
)
_EPOCH = re.compile(r"\|(\d{10})\b")
_AGAIN = re.compile(
    r"(?i:try again|retry|wait|resets?)(?: after)? in ((?:[\d.]+ ?(?:ms|[dhms])\w* ?)+)"
)
_PIECE = re.compile(r"([\d.]+) ?(ms|[dhms])")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
# Of the windows of a plan only the one that is named without a length is what was hit.
_RESET = re.compile(
    r"anthropic-ratelimit-(?:unified|(?!unified-).+)-reset\Z|x-ratelimit-reset(?:-.+)?\Z"
)
_CLOCK = re.compile(
    r"resets? (?:at |on )?(?:([A-Z][a-z]{2})\w* (\d{1,2})(?:,? at|,)? )?"
    r"(\d{1,2})(?::(\d\d))? ?([ap]m)(?: \(([\w/+-]+)\))?"
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def after(headers: Mapping[str, str], said: str, *, pace: bool, now: float) -> float | None:
    """Seconds until the server wants to be asked again; None where it does not say.

    The resets of rate limits only count for a request that was one too many: others carry them as
    well.
    """
    told = _retry_after(headers, now)
    if told is None and pace:
        told = _rate_limit(headers, now)
        told = _named_span(said) if told is None else told
    return told


def named(said: str, now: float) -> float | None:
    """The epoch time that the words name, UTC where they name no zone; None without one ahead."""
    found = [float(each) for each in _EPOCH.findall(said)]
    for day, clock, zone in _DATE.findall(said):
        offset = "+00:00" if zone in ("", "UTC", "Z") else zone
        try:
            moment = datetime.fromisoformat(f"{day}T{clock or '00:00'}{offset}")
        except ValueError:
            continue
        found.append(moment.timestamp())
    found.extend(_by_clock(said, now))
    ahead = [each for each in found if now < each < now + YEAR]
    return min(ahead, default=None)


def _by_clock(said: str, now: float) -> Iterator[float]:
    """The next time that a clock in that zone shows what is named: resets 3pm (Europe/Berlin)."""
    for month, day, hour, minute, half, zone in _CLOCK.findall(said):
        clock = int(hour) % 12 + (12 if half == "pm" else 0), int(minute or 0)
        date = (_MONTHS.index(month) + 1, int(day)) if month in _MONTHS else None
        try:
            yield _next(clock, date, _zone(zone), now)
        except (ValueError, OSError, ZoneInfoNotFoundError):  # no such day, no such zone
            continue


def _zone(name: str) -> tzinfo:
    """UTC is known everywhere, other zones where the system has them."""
    return timezone.utc if name in ("", "UTC") else ZoneInfo(name)


def _next(clock: tuple[int, int], date: tuple[int, int] | None, zone: tzinfo, now: float) -> float:
    """The next time of that hour and minute, on that month and day where there is one."""
    today = datetime.fromtimestamp(now, zone)
    moment = today.replace(hour=clock[0], minute=clock[1], second=0, microsecond=0)
    if date:
        moment = moment.replace(month=date[0], day=date[1])
    if moment <= today:
        moment = moment.replace(year=moment.year + 1) if date else moment + timedelta(days=1)
    return moment.timestamp()


def _retry_after(headers: Mapping[str, str], now: float) -> float | None:
    milliseconds = _number(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return milliseconds / 1000
    value = headers.get("retry-after", "")
    seconds = _number(value)
    return seconds if seconds is not None else _until_date(value, headers.get("date", ""), now)


def _until_date(value: str, date: str, now: float) -> float | None:
    """Seconds until an HTTP date, by the server's own clock where it tells the time."""
    moment = _http_date(value)
    if moment is None:
        return None
    return _sane(moment - (_http_date(date) or now))


def _http_date(value: str) -> float | None:
    try:
        found = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError):
        return None
    return (found if found.tzinfo else found.replace(tzinfo=timezone.utc)).timestamp()


def _rate_limit(headers: Mapping[str, str], now: float) -> float | None:
    """The latest reset among the limits that are used up."""
    return max(_resets(headers, now), default=None)


def _resets(headers: Mapping[str, str], now: float) -> Iterator[float]:
    for name, value in headers.items():
        left = headers.get(name.replace("reset", "remaining"), "0")
        if _RESET.match(name) and _number(left) == 0:
            span = _span(value, now)
            if span is not None:
                yield span


def _span(value: str, now: float) -> float | None:
    """Seconds of '6m0s', an epoch time, or an RFC 3339 time."""
    number = _number(value)
    if number is not None:
        epoch = number / 1000 if number > 10**11 else number
        return _sane(epoch - now) if epoch > 10**9 else number
    moment = named(value, now)
    return moment - now if moment is not None else _pieces(value)


def _named_span(said: str) -> float | None:
    match = _AGAIN.search(said)
    return _pieces(match[1]) if match else None


def _pieces(value: str) -> float | None:
    found = _PIECE.findall(value)
    try:
        return _sane(sum(float(size) * _SECONDS[unit] for size, unit in found)) if found else None
    except ValueError:
        return None


def _number(value: str) -> float | None:
    try:
        return _sane(float(value))
    except ValueError:
        return None


def _sane(seconds: float) -> float | None:
    """No time at all for what is past; None for what is no time."""
    return max(0.0, seconds) if math.isfinite(seconds) and seconds < 10**13 else None

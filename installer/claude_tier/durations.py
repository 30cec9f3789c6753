"""Lengths of time as people write them: 90s, 10m, 1h30m, 2d."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

import click

Decorated = TypeVar("Decorated", bound=Callable[..., object])

SECONDS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
LONGEST = 366 * SECONDS["d"]

_PART = re.compile(r"([0-9]{1,9})([wdhms])")
_WHOLE = re.compile(r"(?:[0-9]{1,9}[wdhms])+")


def parse(text: str) -> int:
    """Seconds in `text`; ValueError when it is not a duration between a second and a year."""
    if not _WHOLE.fullmatch(text):
        raise ValueError("must be a duration such as 90s, 10m, 1h30m or 2d")
    seconds = sum(int(number) * SECONDS[unit] for number, unit in _PART.findall(text))
    if not 0 < seconds <= LONGEST:
        raise ValueError("must be between 1s and 366d")
    return seconds


def spell(seconds: int) -> str:
    """The shortest spelling that `parse` reads back: 5400 -> 1h30m."""
    parts = []
    for unit, size in SECONDS.items():
        number, seconds = divmod(seconds, size)
        if number:
            parts.append(f"{number}{unit}")
    return "".join(parts) or "0s"


def option(_ctx: click.Context, _param: click.Parameter, value: str | None) -> int | None:
    """The callback of an option whose value is a duration."""
    try:
        return None if value is None else parse(value)
    except ValueError as fault:
        raise click.BadParameter(f"'{value}' {fault}") from None


def for_option(end: str) -> Callable[[Decorated], Decorated]:
    """Add `--for` to what stays until the command `end`; it arrives as the keyword `seconds`."""
    return click.option(
        "--for",
        "seconds",
        metavar="DURATION",
        callback=option,
        help=f"How long: 30m, 2h, 1d. Else until `{end}`.",
    )

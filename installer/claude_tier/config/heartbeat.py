"""Heartbeats: what holds where a HEARTBEAT.md says nothing, and for all of them together."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import InitErrorDetails

from claude_tier.config.fields import Line, Seconds, Section, Usd, detail, no_repeats, several
from claude_tier.config.providers import Provider
from claude_tier.config.routing import Chains, fault_in
from claude_tier.heartbeat.beat import ActiveHours

HALF_AN_HOUR = 1800
SHORTEST = 60  # seconds; what starts beats looks once a minute
_HOURS = re.compile(r"([01]\d|2[0-4]):([0-5]\d)\Z")


def _minute(text: object) -> int:
    found = _HOURS.match(text) if isinstance(text, str) else None
    minute = int(found[1]) * 60 + int(found[2]) if found else None
    if minute is None or minute > 24 * 60:
        raise ValueError('must be two times of a day such as "08:00-22:00"')
    return minute


def _hours(value: object) -> object:
    """Hours as "08:00-22:00" or {start, end}; the first minute counts, the last does not."""
    if isinstance(value, str):
        start, _, end = (part.strip() for part in value.partition("-"))
    elif isinstance(value, dict) and value.keys() == {"start", "end"}:
        start, end = value["start"], value["end"]
    else:
        raise ValueError('must be "08:00-22:00" or {start: "08:00", end: "22:00"}')
    hours = ActiveHours(_minute(start), _minute(end))
    if hours.start % (24 * 60) == hours.end % (24 * 60) and hours != (0, 24 * 60):
        raise ValueError("begin and end at the same time: give two times, or leave the key out")
    return hours


def _zone(name: str) -> str:
    """ZoneInfo looks for a file, so that a folder of its own or a path raises other errors too."""
    try:
        ZoneInfo(name)
    except (ValueError, KeyError, OSError):
        raise ValueError("must be the name of a time zone such as Europe/Berlin") from None
    return name


def _often(seconds: int) -> int:
    if seconds < SHORTEST:
        raise ValueError("must be at least 1m: beats are started once a minute")
    return seconds


def _folder(name: str) -> str:
    if name.startswith(("/", "~")) or ".." in name.split("/"):
        raise ValueError("must be a folder beside HEARTBEAT.md")
    return name


def _off(value: object) -> object:
    return [] if value == "off" else value


Interval = Annotated[Seconds, AfterValidator(_often)]
Hours = Annotated[ActiveHours, BeforeValidator(_hours)]
Zone = Annotated[Line, AfterValidator(_zone)]
Fallback = Annotated[
    list[Line], Field(max_length=10), BeforeValidator(several), AfterValidator(no_repeats)
]


class Limit(Section):
    """What all beats together may spend."""

    usd: Usd = 0.5
    period: Literal["day", "week", "month"] = "day"


class Heartbeat(Section):
    """The section `heartbeat`."""

    every: Interval = HALF_AN_HOUR
    model: Line = "haiku"
    fallback: Fallback = Field(default_factory=list)
    tz: Zone | None = None
    active_hours: Hours | None = None
    parallel: Annotated[int, Field(gt=0, le=64)] = 4
    budget: Limit = Limit()
    on_alert: Line | None = None
    ok_chars: Annotated[int, Field(ge=0, le=10_000)] = 300
    notes: Annotated[
        list[Annotated[Line, AfterValidator(_folder)]],
        BeforeValidator(several),
        BeforeValidator(_off),
    ] = Field(default_factory=lambda: ["notes", "memory"])


def fault_in_model(
    name: str, *, tiers: Collection[str], providers: dict[str, Provider], chains: Chains
) -> str | None:
    """What is wrong with a model's name; None for a tier of Claude and for what can be asked."""
    if name in tiers and name in chains:
        return f"is both a tier and a chain: write claude/{name}, or name the chain otherwise"
    if name in tiers:
        return None
    fault = fault_in(name, providers, chains)
    return f"{fault}; or a tier: {', '.join(tiers)}" if fault and "/" not in name else fault


def faults_of_heartbeat(
    given: Heartbeat, *, tiers: Collection[str], providers: dict[str, Provider], chains: Chains
) -> Iterator[InitErrorDetails]:
    """Models that lead nowhere, each at its own place."""
    named: list[tuple[tuple[str | int, ...], str]] = [
        (("model",), given.model),
        *((("fallback", index), name) for index, name in enumerate(given.fallback)),
    ]
    for place, name in named:
        if fault := fault_in_model(name, tiers=tiers, providers=providers, chains=chains):
            yield detail(place, fault)

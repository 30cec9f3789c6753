"""What a beat would do: its next times, and about how large and how dear its requests are.

Estimates are of a run in which the model has nothing to say. The output of its check and today's
notes come on top, and free checks that end a run before any request are not taken off.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import islice

from claude_tier.durations import spell
from claude_tier.heartbeat import models, request, schedule
from claude_tier.heartbeat.beat import ActiveHours, Beat, Cron, Every
from claude_tier.heartbeat.parts import is_empty
from claude_tier.pipelines.spending import Rates
from claude_tier.routing.prompt import BYTES_PER_TOKEN

SHOWN = 3  # next times
ANSWER = 10  # tokens: HEARTBEAT_OK
WEEK = 7 * 86_400
FOR_EVER = 1e11


@dataclass(frozen=True)
class Preview:
    """One beat; one that asks nothing has no bytes.

    `usd` is of one run on the first model it asks; it and `usd_a_day` are None where the model has
    no price, and with tools, whose requests nobody can count before.
    """

    beat: Beat
    next: tuple[float, ...]
    bytes: int
    tokens: int
    usd: float | None
    runs_a_day: float

    @property
    def usd_a_day(self) -> float | None:
        return None if self.usd is None else self.usd * self.runs_a_day

    def fields(self) -> dict[str, object]:
        """The JSON of it."""
        return {
            **described(self.beat),
            "next": list(self.next),
            "estimate": {
                "request_bytes": self.bytes,
                "prompt_tokens": self.tokens,
                "usd": self.usd,
                "runs_a_day": self.runs_a_day,
                "usd_a_day": self.usd_a_day,
            },
        }


def preview(beat: Beat, rates: Rates, now: float) -> Preview:
    """That beat from now on."""
    nothing = request.Evidence("", None, None)
    size = 0 if is_empty(beat.prompt) else request.size(request.prompt(beat, nothing, now))
    tokens = math.ceil(size / BYTES_PER_TOKEN)
    return Preview(
        beat=beat,
        next=tuple(islice(schedule.slots(beat, now, FOR_EVER), SHOWN)),
        bytes=size,
        tokens=tokens,
        usd=None if beat.tools and tokens else _usd(beat, rates, tokens),
        runs_a_day=sum(1 for _ in schedule.slots(beat, now, now + WEEK)) / 7,
    )


def _usd(beat: Beat, rates: Rates, tokens: int) -> float | None:
    if tokens == 0:
        return 0.0  # nobody is asked
    first = models.targets(rates.config, beat.models[0])[0]
    return rates.usd(first, prompt=tokens, answer=ANSWER)


def described(beat: Beat) -> dict[str, object]:
    """The JSON of what a file says of a beat."""
    return {
        "name": beat.name,
        "line": beat.line,
        "schedule": when(beat),
        "tz": beat.tz,
        "models": list(beat.models),
        "check": beat.check,
        "tools": list(beat.tools),
        "budget_usd": beat.usd,
    }


def when(beat: Beat) -> str:
    """Its schedule in words: every 30m, 08:00-22:00."""
    return (
        f"{_planned(beat.schedule)}, {_hours(beat.active)}"
        if beat.active
        else _planned(beat.schedule)
    )


def _planned(schedule: Every | Cron) -> str:
    if isinstance(schedule, Cron):
        return f"cron {schedule.expression}"
    return f"every {spell(schedule.seconds)}"


def _hours(active: ActiveHours) -> str:
    return "-".join(f"{minute // 60:02}:{minute % 60:02}" for minute in active)

"""A run that has begun: what it is about, how things stand, and what it came to."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, NamedTuple

from claude_tier.heartbeat.alerts import Alert
from claude_tier.heartbeat.receipts import End
from claude_tier.heartbeat.request import Evidence
from claude_tier.routing.prompt import Prompt

if TYPE_CHECKING:
    from claude_tier_hooks.shapes import Json

    from claude_tier.config import Config
    from claude_tier.heartbeat.known import Known

LEVELS = ("ok", "warn", "cap", "stop")


class Spent(NamedTuple):
    """The level of the budgets that hold for a beat, and which one says so."""

    level: str
    budget: str | None = None


@dataclass(frozen=True)
class Case:
    """`disabled` is why the beat is switched off, `evidence` what it was asked about when all was
    well; `at` is an epoch time, `deadline` one of time.monotonic.
    """

    known: Known
    config: Config
    rules: Json
    spent: Spent
    disabled: str | None
    evidence: str | None
    at: float
    deadline: float

    @property
    def left(self) -> float:
        """Seconds until its time is over."""
        return max(0.0, self.deadline - time.monotonic())


class Asked(NamedTuple):
    """What there is to ask about, and the request."""

    evidence: Evidence
    prompt: Prompt


class Outcome(NamedTuple):
    """What a run came to, what it has to tell, and what the model said."""

    end: End
    alerts: tuple[Alert, ...] = ()
    said: str = ""

    def fields(self) -> dict[str, object]:
        """The JSON of it."""
        return {
            **asdict(self.end),
            "said": self.said,
            "alerts": [one.fields() for one in self.alerts],
        }

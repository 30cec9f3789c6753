"""The switch of emergency mode, and what a mode that is on says of itself."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from claude_tier_hooks import router_health, state
from claude_tier_hooks.shapes import Json

from claude_tier.routing import wording

OFF = "claude-tier emergency off"
REASON = "switched on by hand"


@dataclass(frozen=True)
class Emergency:
    """Why only local models answer. `until` is None where no time is known; `ends` says how."""

    reason: str
    since: float | None
    until: float | None
    ends: str

    def fields(self) -> dict[str, object]:
        """The JSON of it."""
        return asdict(self)

    def text(self, now: float) -> str:
        """every paid target is cooling, until 14:05"""
        if self.until is None:
            return self.reason
        return f"{self.reason}, until {wording.moment(self.until, now)}"


def standing(now: float) -> Emergency | None:
    """The switch, as long as it holds."""
    return of(router_health.emergency(now))


def of(switch: Json | None) -> Emergency | None:
    """What `router_health` says of the switch."""
    return Emergency(REASON, switch["since"], switch["until"], OFF) if switch else None


def turn_on(now: float, seconds: int | None) -> Emergency:
    """Set the switch for so many seconds, without an end when None."""
    until = None if seconds is None else now + seconds
    state.write_private(
        state.path(router_health.SWITCH), json.dumps({"since": now, "until": until}) + "\n"
    )
    return Emergency(REASON, now, until, OFF)


def turn_off(now: float) -> bool:
    """Take the switch away; whether it was still in effect."""
    was_on = standing(now) is not None
    Path(state.path(router_health.SWITCH)).unlink(missing_ok=True)
    return was_on

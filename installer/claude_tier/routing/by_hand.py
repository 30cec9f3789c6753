"""The switch of emergency mode, and what a mode that is on says of itself."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from claude_tier_hooks import emergency, state
from claude_tier_hooks.shapes import Json

from claude_tier.routing import wording


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
    return of(emergency.by_hand(now))


def of(found: Json | None) -> Emergency | None:
    """What the hooks' rule says is on."""
    return Emergency(**found) if found else None


def turn_on(now: float, seconds: int | None) -> Emergency:
    """Set the switch for so many seconds, without an end when None."""
    until = None if seconds is None else now + seconds
    switch = {"since": now, "until": until}
    state.write_private(state.path(emergency.SWITCH), json.dumps(switch) + "\n")
    return Emergency(emergency.BY_HAND, now, until, emergency.OFF)


def turn_off(now: float) -> bool:
    """Take the switch away; whether it was still in effect."""
    was_on = standing(now) is not None
    Path(state.path(emergency.SWITCH)).unlink(missing_ok=True)
    return was_on

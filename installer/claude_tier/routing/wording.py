"""What the router says of failures and of what is kept out, in words."""

from __future__ import annotations

import time

from claude_tier.routing.cooling import Cooling

CAUSES = {
    "pace": "too many requests",
    "billing": "its money or quota is used up",
    "key": "its key is missing or was refused",
    "model": "it does not have that model",
    "server": "it failed",
    "connect": "nobody answered there",
    "timeout": "it was silent",
}


SOON = 60  # seconds ahead in which the minute would not tell much


def moment(at: float, now: float) -> str:
    """14:05, with the seconds where it is less than a minute ahead, the day where not today's."""
    there, here = time.localtime(at), time.localtime(now)
    clock = "%H:%M:%S" if 0 < at - now < SOON else "%H:%M"
    return time.strftime(clock if there[:3] == here[:3] else f"%a %b %d {clock}", there)


def until(kept: Cooling, now: float) -> str:
    """until 14:05, until its key changes"""
    if kept.until is None:
        return "until its key changes"
    if kept.probing or kept.until <= now:
        return "until a try under way has succeeded"
    return f"until {moment(kept.until, now)}"


def cooling(kept: Cooling, now: float) -> str:
    """Why a target is not asked: which failure, since when, until when."""
    since = moment(kept.since, now)
    return f"cooling since {since} {until(kept, now)} ({cause(kept)})"


def cause(kept: Cooling) -> str:
    """it failed: the failure; where nobody was reached, the failure alone says so"""
    return kept.why if kept.cause == "connect" else f"{CAUSES[kept.cause]}: {kept.why}"


def seconds(span: float) -> str:
    """0.6 s, 9 s"""
    return f"{span:.1f} s" if span < 1 else f"{span:.0f} s"


def plain(message: str) -> str:
    """A message without the full stop that the sentence around it has."""
    return message.strip().rstrip(".")

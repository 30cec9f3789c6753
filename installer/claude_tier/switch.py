"""The off switch: while it is set the hooks only count, and every subagent runs as asked."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from claude_tier_hooks import state

from claude_tier.errors import UserError


@dataclass(frozen=True)
class Switched:
    """How the switch stands now: `until` is an epoch time, None while it has no end."""

    off: bool
    until: float | None
    changed: bool


def refuse_in_session(command: str) -> None:
    """The way out is for the user: Claude has a shell, and must not lift its own limits."""
    if os.environ.get("CLAUDECODE"):
        raise UserError(
            f"`claude-tier {command}` does not run inside a Claude Code session: "
            "that switch is the user's.",
            hint=f"Ask the user to run `claude-tier {command}` in a terminal of their own.",
        )


def turn_off(now: float, seconds: int | None) -> Switched:
    """Set the switch for so many seconds, without an end when None."""
    until = None if seconds is None else now + seconds
    state.write_private(_file(), json.dumps({"until": until}) + "\n")
    return Switched(off=True, until=until, changed=True)


def turn_on(now: float) -> Switched:
    """Take the switch away; `changed` tells whether it was still in effect."""
    was_off = state.off_until(now) is not None
    Path(_file()).unlink(missing_ok=True)
    return Switched(off=False, until=None, changed=was_off)


def _file() -> str:
    return state.path("off")

"""Where a run has come to, told to whoever watches this process by `sys.audit`."""

from __future__ import annotations

import sys

EVENT = "claude_tier.heartbeat"


def step(name: str) -> None:
    """The next thing to do: claim and watch of a tick, spawn, check, call and finish of a beat."""
    sys.audit(EVENT, name)

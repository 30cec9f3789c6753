"""Claude Code sessions that run on this machine now, as the client itself registers them.

One file for each in <config>/sessions, named by process id (seen with 2.1.329); none where the
client keeps no such folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from claude_tier_hooks import state

_LATEST = 1e14  # milliseconds; what is later is no time


@dataclass(frozen=True)
class Session:
    """`busy` while it works on an answer; `since` is an epoch time."""

    id: str
    folder: str
    busy: bool
    since: float | None


def running() -> list[Session]:
    """The sessions whose process is alive, the oldest first."""
    return sorted(_found(), key=lambda one: (one.since or 0.0, one.id))


def _found() -> Iterator[Session]:
    for file in Path(state.config_dir(), "sessions").glob("*.json"):
        row = state.read_json(str(file)) or {}
        pid = row.get("pid")
        if isinstance(pid, int) and isinstance(row.get("sessionId"), str) and _alive(pid):
            yield Session(
                id=state.storable(row["sessionId"]),
                folder=state.storable(str(row.get("cwd") or "")),
                busy=row.get("status") == "busy",
                since=_seconds(row.get("startedAt")),
            )


def _seconds(milliseconds: object) -> float | None:
    if not isinstance(milliseconds, int) or not 0 <= milliseconds <= _LATEST:
        return None
    return milliseconds / 1000


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return pid > 0


def age(since: float | None, now: float) -> str:
    """How long it has run: 12 min, 3 h, 2 days."""
    if since is None:
        return ""
    minutes = max(0, int((now - since) // 60))
    if minutes < 120:
        return f"{minutes} min"
    hours = minutes // 60
    return f"{hours} h" if hours < 48 else f"{hours // 24} days"

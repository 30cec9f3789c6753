"""The heartbeat's tick of every minute: whether anything is due, before anything is paid for.

`heartbeat tick` leaves in due.json when the next beat is planned, and what the plan was made from.
While none of that has changed nothing is due: no ledger is opened and no model is asked. Else the
recorded `claude-tier` takes over this very process.
"""

from __future__ import annotations

import os
import sys
import time

from . import state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .shapes import Json

ZONE = "/etc/localtime"  # a machine that moves to another time zone has other times to plan


def due_file() -> str:
    return state.path("heartbeat", "due.json")


def alive_file() -> str:
    """Its mtime is the last tick's, so that quiet can be told from dead."""
    return state.path("heartbeat", "alive")


def main() -> int:
    """End the minute when nothing is due; 1 when the command cannot be started."""
    if not is_due(time.time()):
        mark_alive()
        return 0
    command = recorded()
    if not command:
        sys.stderr.write("claude-tier: nothing is compiled; run `claude-tier compile`\n")
        return 1
    try:
        os.environ["PYTHONSAFEPATH"] = "1"
        os.execv(command[0], [*command, "heartbeat", "tick"])
    except OSError as fault:
        state.log_fault("heartbeat", fault)
        sys.stderr.write("claude-tier: %s cannot be started: %s\n" % (command[0], fault.strerror))
        return 1


def is_due(now: float) -> bool:
    """Whether a beat is planned for now, or the plan is not of what is there now."""
    due = state.read_json(due_file())
    try:
        return due is None or _passed(due, now) or any(map(_differs, due["files"].items()))
    except (KeyError, TypeError, AttributeError):  # of another version of ours
        return True


def _passed(due: Json, now: float) -> bool:
    """A clock that was set back has to be looked at as well."""
    return now < due["at"] or (due["next"] is not None and now >= due["next"])


def _differs(one: tuple[str, object]) -> bool:
    return version(one[0]) != one[1]


def version(file: str) -> list[int] | None:
    """What changes with a file; None where there is none."""
    try:
        now = os.stat(file)
    except OSError:
        return None
    return [now.st_size, now.st_mtime_ns]


def recorded() -> list[str]:
    """The command that compiled the policy; [] when there is none."""
    command = (state.read_json(state.path("policy.json")) or {}).get("command")
    known = isinstance(command, list) and all(isinstance(word, str) for word in command)
    return command if known else []  # type: ignore[return-value]


def mark_alive() -> None:
    """Say that ticks come; a folder that cannot be written is not worth a minute's run."""
    try:
        os.makedirs(state.path("heartbeat"), mode=0o700, exist_ok=True)
        descriptor = os.open(alive_file(), os.O_WRONLY | os.O_CREAT, 0o600)
        os.utime(descriptor)
        os.close(descriptor)
    except OSError as fault:
        state.log_fault("heartbeat", fault)

"""What starts the heartbeat's tick every minute: one module for each scheduler.

A new one is a module with the functions of `Scheduler` and one line in `SCHEDULERS`.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from typing import Protocol

from claude_tier.errors import UserError
from claude_tier.heartbeat.schedulers import cron, launchd, systemd
from claude_tier.heartbeat.schedulers.job import Added, Job


class Scheduler(Protocol):
    """What each module here can do; what goes wrong raises UserError."""

    def missing(self) -> str | None:
        """Why it cannot be used on this machine; None where it can."""

    def preview(self, job: Job) -> str:
        """What it would be given, each file below its place."""

    def add(self, job: Job) -> Added:
        """Have it start the job every minute, instead of what it had under that name."""

    def remove(self, name: str, made: Collection[str]) -> list[str]:
        """Take the job of that name out, and what was made for it; what was done, in sentences."""

    def place(self, name: str) -> str | None:
        """Where the entry of that name stands; None where there is none."""

    def look(self, name: str) -> str:
        """What to do where no tick comes."""


SCHEDULERS: Mapping[str, Scheduler] = {"cron": cron, "launchd": launchd, "systemd": systemd}


def pick(platform: str = sys.platform) -> str:
    """The one this machine has; UserError that says what each one lacks."""
    wanted = ("launchd", "cron") if platform == "darwin" else ("systemd", "cron")
    lacks = {name: SCHEDULERS[name].missing() for name in wanted}
    for name, why in lacks.items():
        if why is None:
            return name
    reasons = "; ".join(f"{name}: {why}" for name, why in lacks.items())
    raise UserError(
        f"nothing on this machine can start the heartbeat every minute ({reasons})",
        "Install cron, or have something else run `claude-tier heartbeat tick` every minute.",
    )


def require(name: str) -> Scheduler:
    """That one; UserError where this machine does not have it."""
    found = SCHEDULERS[name]
    if why := found.missing():
        raise UserError(f"{name} cannot be used here: {why}", "Without --scheduler one is chosen.")
    return found

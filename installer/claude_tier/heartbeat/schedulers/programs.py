"""The schedulers' own programs: crontab, systemctl, launchctl."""

from __future__ import annotations

import os
import subprocess
from typing import NamedTuple

from claude_tier.errors import UserError

SECONDS = 30  # for one of them


class Said(NamedTuple):
    """How a program ended, and what it printed."""

    code: int
    out: bytes
    err: str


def run(*words: str, given: bytes = b"") -> Said:
    """Run it in the language that its messages are read in; UserError where it does not end."""
    try:
        done = subprocess.run(
            words, input=given, capture_output=True, timeout=SECONDS, check=False,
            env={**os.environ, "LC_ALL": "C"},
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as fault:
        raise UserError(f"`{' '.join(words)}` did not work: {fault}") from fault
    return Said(done.returncode, done.stdout, done.stderr.decode(errors="replace").strip())


def require(*words: str, given: bytes = b"") -> Said:
    """The same, and UserError where it fails."""
    said = run(*words, given=given)
    if said.code:
        why = said.err.splitlines()[-1] if said.err else f"exit code {said.code}"
        raise UserError(f"`{' '.join(words)}` failed: {why}")
    return said

"""What a scheduler starts: the tick's script, in an environment that says who and where it is.

Schedulers start programs with next to nothing: cron's PATH is /usr/bin:/bin, its USER and LANG are
empty. What the tick, its checks and `claude` need is set in the entry itself. Keys never are.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from claude_tier import paths
from claude_tier.errors import UserError
from claude_tier.install.interpreter import own_python

NAME = "claude-tier-heartbeat"
SCRIPT = "hooks/heartbeat_tick.py"
USUAL = ("/usr/local/bin", "/usr/bin", "/bin")
LANGUAGE = "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8"
# Taken along as they are, where they are set.
KEPT = ("CLAUDE_CONFIG_DIR", "CLAUDE_TIER_CLIENT", "TZ")


@dataclass(frozen=True)
class Job:
    """One entry. `name` is that of no other state folder of this user."""

    name: str
    python: str
    script: str
    environment: Mapping[str, str]

    @property
    def words(self) -> tuple[str, ...]:
        return self.python, "-S", "-E", self.script


class Added(NamedTuple):
    """What was done, in sentences, and what was not there before: folders, or the crontab."""

    lines: tuple[str, ...]
    made: tuple[str, ...] = ()


def job() -> Job:
    """That of this user's state folder; UserError without the hooks, or for a path no entry holds.

    Line breaks and bytes that are not UTF-8 cannot be written in all of the schedulers' languages.
    """
    script = paths.state_dir() / SCRIPT
    if not script.exists():
        raise UserError(
            f"{script} is not there, which a scheduler would start",
            "Run `claude-tier install` first.",
        )
    made = Job(name(), own_python(), str(script), dict(_environment()))
    for text in (*made.words, *made.environment.values()):
        if not text.isprintable():  # also half surrogate pairs, which stand for other bytes
            raise UserError(
                f"{text!r} has characters that no scheduler's entry can hold",
                "Rename that folder, or set CLAUDE_CONFIG_DIR to another.",
            )
    return made


def name() -> str:
    """Of the entry: claude-tier-heartbeat, with a mark where Claude Code's folder is another.

    A crontab is the user's, whatever HOME says.
    """
    folder = paths.config_dir()
    if folder == Path(pwd.getpwuid(os.getuid()).pw_dir, ".claude"):
        return NAME
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()
    return f"{NAME}-{digest[:8]}"


def _environment() -> Iterator[tuple[str, str]]:
    user = pwd.getpwuid(os.getuid()).pw_name
    yield "PATH", ":".join(dict.fromkeys(_folders()))
    yield "HOME", str(Path.home())
    yield "USER", user
    yield "LOGNAME", user
    yield "SHELL", "/bin/sh"
    yield "LANG", os.environ.get("LANG") or LANGUAGE
    yield from ((each, os.environ[each]) for each in KEPT if os.environ.get(each))


def _folders() -> Iterator[str]:
    """Those of PATH here; one that depends on where a program is started is not taken along."""
    yield from (each for each in os.environ.get("PATH", "").split(":") if each.startswith("/"))
    yield from USUAL

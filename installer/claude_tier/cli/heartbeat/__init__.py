"""`claude-tier heartbeat`: one file in this folder for each of its commands."""

from __future__ import annotations

import click

from claude_tier.cli import LazyGroup

# Every command with its one line for `--help`, so that help imports none of them.
COMMANDS = {
    "init": "Write a commented HEARTBEAT.md to begin with.",
    "lint": "Check a HEARTBEAT.md; show what it would run and cost.",
    "add": "Let a HEARTBEAT.md run on this machine.",
    "remove": "Let it run no longer.",
    "list": "Show the files that were added, and their checks.",
    "status": "Show whether it lives, and what each check came to.",
    "history": "Show what became of each planned time.",
    "install": "Have a scheduler look every minute whether one is due.",
    "uninstall": "Have it look no longer.",
    "run": "Run a check now.",
    "disable": "Let a check pause.",
    "enable": "Let it go on.",
    "tick": "Run what is due; started every minute by a scheduler.",
}


class Heartbeat(LazyGroup):
    """The commands of this folder."""

    table = COMMANDS
    package = __name__


@click.group(cls=Heartbeat)
def command() -> None:
    """Run the checks of HEARTBEAT.md on time, on haiku or a local model.

    A check is silent when there is nothing to say, and leaves a receipt every time.
    docs/heartbeat.md says what a file may hold.

    \b
    Examples:
      claude-tier heartbeat init
      claude-tier heartbeat lint HEARTBEAT.md
      claude-tier heartbeat add HEARTBEAT.md
    """

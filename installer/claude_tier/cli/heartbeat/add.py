"""`claude-tier heartbeat add`: a file may run on this machine."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

from claude_tier import switch
from claude_tier.errors import UserError
from claude_tier.heartbeat.naming import file_argument


@click.command()
@file_argument
@click.option("--yes", is_flag=True, help="Allow checks and tools without asking.")
def command(*, file: Path, yes: bool) -> int:
    """Let the checks of a file run here, as they are now.

    A check whose command, tools or models change, or whose text does where it has tools, waits
    until the file is added again; the others go on. What has a command or tools is shown and asked
    about, and not added inside a Claude Code session.

    \b
    Examples:
      claude-tier heartbeat add
      claude-tier heartbeat add ~/notes/HEARTBEAT.md
    """
    from claude_tier.heartbeat import document, linting, screen, trust
    from claude_tier.pipelines.screen import safe

    loaded = document.load(file, linting.usual())
    if loaded.faults:
        raise UserError("\n".join(map(str, loaded.faults)), "Nothing was added.")
    click.echo(screen.powers(loaded.beats))
    if any(beat.check or beat.tools for beat in loaded.beats):
        switch.refuse_in_session("heartbeat add")
        if not (yes or _agreed()):
            click.echo("Nothing was added.", err=True)
            return 1
    trust.add(loaded.source.path, loaded.beats, time.time())
    click.echo(f"Added {safe(str(loaded.source.path))}.")
    return 0


def _agreed() -> bool:
    if not sys.stdin.isatty():
        raise UserError(
            "checks and tools are allowed with --yes, or where a terminal can be asked",
            "Nothing was added.",
        )
    return click.confirm("Let them run on this machine?", err=True)

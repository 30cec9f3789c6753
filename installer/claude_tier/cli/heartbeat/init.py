"""`claude-tier heartbeat init`: a file to begin with."""

from __future__ import annotations

from pathlib import Path

import click

from claude_tier.heartbeat.naming import file_argument


@click.command()
@file_argument
@click.option("--force", is_flag=True, help="Replace a file that is there; it is kept as .bak.")
def command(*, file: Path, force: bool) -> int:
    """Write a HEARTBEAT.md whose comments say what it may hold.

    It asks nothing until you write an item into it.

    \b
    Examples:
      claude-tier heartbeat init
      claude-tier heartbeat init ~/notes
    """
    from claude_tier.heartbeat import beginning

    for line in beginning.write(file, force=force):
        click.echo(line)
    return 0

"""`claude-tier heartbeat remove`: a file runs no longer."""

from __future__ import annotations

from pathlib import Path

import click

from claude_tier.errors import UserError
from claude_tier.heartbeat.naming import file_argument


@click.command()
@file_argument
def command(*, file: Path) -> int:
    """Let nothing of a file run here any more. The file and its receipts stay.

    \b
    Examples:
      claude-tier heartbeat remove
      claude-tier heartbeat remove ~/notes/HEARTBEAT.md
    """
    from claude_tier.heartbeat import trust

    path = trust.real_path(file)
    if not trust.remove(path):
        raise UserError(
            f"{path} was not added", "`claude-tier heartbeat list` shows those that were."
        )
    click.echo(f"Removed {path}.")
    return 0

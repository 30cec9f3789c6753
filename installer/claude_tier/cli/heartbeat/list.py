"""`claude-tier heartbeat list`."""

from __future__ import annotations

import click


@click.command()
def command() -> int:
    """Not there yet.

    \b
    Examples:
      claude-tier heartbeat list
    """
    return 1

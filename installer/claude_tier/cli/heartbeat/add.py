"""`claude-tier heartbeat add`."""

from __future__ import annotations

import click


@click.command()
def command() -> int:
    """Not there yet.

    \b
    Examples:
      claude-tier heartbeat add
    """
    return 1

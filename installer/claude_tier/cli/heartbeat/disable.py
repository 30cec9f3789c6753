"""`claude-tier heartbeat disable`: a check pauses."""

from __future__ import annotations

import click


@click.command()
@click.argument("name")
def command(*, name: str) -> int:
    """Let a check run no longer; its planned times get receipts that say so.

    \b
    Examples:
      claude-tier heartbeat disable deploys
    """
    from claude_tier.heartbeat import switching

    found = switching.switch(name, on=False)
    click.echo(f"{found.name} is off." if found.changed else f"{found.name} was off.")
    return 0

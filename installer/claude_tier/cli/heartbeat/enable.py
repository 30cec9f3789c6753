"""`claude-tier heartbeat enable`: a check goes on."""

from __future__ import annotations

import click

from claude_tier import switch


@click.command()
@click.argument("name")
def command(*, name: str) -> int:
    """Let a check that was disabled, or that failed ten times in a row, run again from now on.

    \b
    Examples:
      claude-tier heartbeat enable deploys
    """
    from claude_tier.heartbeat import switching

    switch.refuse_in_session("heartbeat enable")
    found = switching.switch(name, on=True)
    click.echo(f"{found.name} is on again." if found.changed else f"{found.name} was on.")
    return 0

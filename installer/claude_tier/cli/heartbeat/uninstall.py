"""`claude-tier heartbeat uninstall`: no scheduler starts the tick any more."""

from __future__ import annotations

import click

from claude_tier import switch


@click.command()
def command() -> int:
    """Take the entry out of the scheduler; files, receipts and alerts stay.

    Refused inside a Claude Code session.

    \b
    Examples:
      claude-tier heartbeat uninstall
    """
    from claude_tier.heartbeat import scheduling

    switch.refuse_in_session("heartbeat uninstall")
    for line in scheduling.uninstall() or ["Nothing was installed."]:
        click.echo(line)
    return 0

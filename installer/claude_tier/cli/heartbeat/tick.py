"""`claude-tier heartbeat tick`: what cron, systemd or launchd start every minute."""

from __future__ import annotations

import click


@click.command()
def command() -> int:
    """Run what is due, and write a receipt for every planned time.

    A scheduler starts `hooks/heartbeat_tick.py` every minute, which ends at once when nothing is
    due and else becomes this command. It says nothing, and ends when the beats it started have.

    \b
    Examples:
      claude-tier heartbeat tick
    """
    from claude_tier.heartbeat.tick import Tick

    Tick().run()
    return 0

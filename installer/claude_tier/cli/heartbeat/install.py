"""`claude-tier heartbeat install`: a scheduler starts the tick every minute."""

from __future__ import annotations

import click

from claude_tier import switch

SCHEDULERS = ("cron", "launchd", "systemd")


@click.command()
@click.option(
    "--scheduler",
    type=click.Choice(SCHEDULERS),
    help="Which one; otherwise launchd on macOS, your systemd where one runs, else cron.",
)
@click.option("--dry-run", is_flag=True, help="Show what would be written, and where.")
def command(*, scheduler: str | None, dry_run: bool) -> int:
    """Have a scheduler of yours look every minute whether a check is due.

    Nothing runs as root, and what else stands in a crontab stays as it is. Run it again after
    PATH has changed, or to take another scheduler. Refused inside a Claude Code session.

    \b
    Examples:
      claude-tier heartbeat install
      claude-tier heartbeat install --scheduler cron --dry-run
    """
    from claude_tier.heartbeat import scheduling

    if dry_run:
        click.echo(scheduling.preview(scheduler))
        return 0
    switch.refuse_in_session("heartbeat install")
    for line in scheduling.install(scheduler):
        click.echo(line)
    for line in scheduling.warnings():
        click.echo(f"Warning: {line}", err=True)
    return 0

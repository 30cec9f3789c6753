"""`claude-tier heartbeat status`: whether it lives, and what each check came to."""

from __future__ import annotations

import time

import click

from claude_tier.output import json_option, print_json


@click.command()
@json_option
def command(*, as_json: bool) -> int:
    """Show whether ticks come, the budget, and each check's last run, outcome and next time.

    Where a check did not run at its last time, that is said with the reason. Exit with 1 when the
    scheduler is dead.

    \b
    Examples:
      claude-tier heartbeat status
      claude-tier heartbeat status --json
    """
    from claude_tier_hooks import policy

    from claude_tier import config, paths
    from claude_tier.heartbeat import health
    from claude_tier.report import ledger_file

    now = time.time()
    loaded = config.load(paths.state_dir() / config.CONFIG).config
    with ledger_file.as_it_stands() as db:
        found = health.query(db, loaded, policy.load(), now)
    if as_json:
        print_json(found.fields())
    else:
        from claude_tier.heartbeat import health_screen
        from claude_tier.report.table import width

        click.echo(health_screen.as_text(found, now=now, width=width()))
    return 1 if found.scheduler == "dead" else 0

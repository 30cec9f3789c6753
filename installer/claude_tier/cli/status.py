"""`claude-tier status`: the state of things on one screen."""

from __future__ import annotations

import time
from pathlib import Path

import click
from claude_tier_hooks import policy, project

from claude_tier.output import json_option, print_json
from claude_tier.report import status
from claude_tier.report.ledger_file import up_to_date
from claude_tier.report.table import width


@click.command()
@json_option
def command(*, as_json: bool) -> int:
    """Show what is on, each budget, today's spending, running sessions and the last decisions.

    Budgets are those of this folder's project.

    \b
    Examples:
      claude-tier status
      claude-tier status --json
    """
    folder, now = str(Path.cwd()), time.time()
    rules = policy.load(project.root(folder))
    with up_to_date(rules) as db:
        found = status.query(db, rules, folder, now)
    if as_json:
        print_json(found.fields())
    else:
        from claude_tier.report import status_screen

        click.echo(status_screen.as_text(found, now=now, width=width()))
    return 0

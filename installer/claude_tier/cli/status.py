"""`claude-tier status`: the state of things on one screen."""

from __future__ import annotations

import time
from pathlib import Path

import click
from claude_tier_hooks import policy, project

from claude_tier import durations
from claude_tier.output import json_option, print_json
from claude_tier.report import status
from claude_tier.report.ledger_file import up_to_date
from claude_tier.report.table import width

EVERY = 2.0  # seconds between two looks with --watch


@click.command()
@click.option("--watch", is_flag=True, help="Stay on the screen and follow what happens.")
@click.option(
    "--every",
    metavar="DURATION",
    callback=durations.option,
    help="Between two looks with --watch: 2s unless told.",
)
@json_option
def command(*, watch: bool, every: int | None, as_json: bool) -> int:
    """Show what is on, each budget, today's spending, running sessions and the last decisions.

    Budgets are those of this folder's project. `--watch` stays on the screen: q ends it, the
    space bar looks at once. With `--json` it prints one object on a line for each look.

    \b
    Examples:
      claude-tier status
      claude-tier status --json
      claude-tier status --watch
      claude-tier status --watch --json --every 1m
    """
    folder, now = str(Path.cwd()), time.time()
    if every is not None and not watch:
        raise click.UsageError("--every goes with --watch.")
    if watch:
        from claude_tier.report.monitor import loop

        show = loop.watch_json if as_json else loop.watch
        return show(folder, EVERY if every is None else every)
    rules = policy.load(project.root(folder))
    with up_to_date(rules) as db:
        found = status.query(db, rules, folder, now)
    if as_json:
        print_json(found.fields())
    else:
        from claude_tier.report import status_screen

        click.echo(status_screen.as_text(found, now=now, width=width()))
    return 0

"""`claude-tier budget`: what is left, as an exit code."""

from __future__ import annotations

import time
from pathlib import Path

import click
from claude_tier_hooks import policy, project

from claude_tier.output import json_option, print_json
from claude_tier.report import budgets, pace
from claude_tier.report.ledger_file import up_to_date
from claude_tier.report.table import width


@click.group()
def command() -> None:
    """Check budgets.

    \b
    Examples:
      claude-tier budget check && claude -p "..."
    """


@command.command(short_help="Exit with 1 when a budget is at its level.")
@click.option(
    "--at",
    "level",
    type=click.Choice(budgets.LEVELS[1:]),
    default="cap",
    show_default=True,
    help="The level that counts as reached.",
)
@json_option
def check(*, level: str, as_json: bool) -> int:
    """Exit with 0 while every budget is below the level, with 1 when one has reached it.

    The budgets are those of this folder's project. What running subagents may still spend is shown
    but not counted. A budget whose figures nobody knows has reached nothing.

    \b
    Examples:
      claude-tier budget check
      claude-tier budget check --at warn --json
    """
    folder = str(Path.cwd())
    rules = policy.load(project.root(folder))
    with up_to_date(rules) as db:
        place = budgets.here(db, folder)
        now = time.time()
        standings = budgets.query(db, rules, place, now)
        paces = pace.query(db, rules, place, now) if as_json else ()
    reached = budgets.reached(standings, level)
    if as_json:
        names = [one.name for one in reached]
        found = {"budgets": budgets.fields(standings), "pace": pace.fields(paces)}
        print_json({"at": level, "reached": names, **found})
    elif standings:
        click.echo(budgets.as_text(standings, width=width()))
    else:
        click.echo("No budget is set.")
    return 1 if reached else 0

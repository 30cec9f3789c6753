"""`claude-tier ledger`: sum it, check it, copy it, rebuild it."""

from __future__ import annotations

import datetime

import click
from claude_tier_hooks import policy

from claude_tier.output import json_option, print_json
from claude_tier.report import days, totals
from claude_tier.report.ledger_file import up_to_date
from claude_tier.report.table import width


@click.group()
def command() -> None:
    """Sum, check, copy and rebuild the ledger of everything that was used.

    \b
    Examples:
      claude-tier ledger totals --by day
      claude-tier ledger verify
      claude-tier ledger rebuild
    """


@command.command("totals")
@click.option("--by", type=click.Choice(totals.KEYS), default="model", show_default=True)
@click.option(
    "--since", metavar="DAY", callback=days.option, help="First day: 2026-11-20, today, yesterday."
)
@click.option("--until", metavar="DAY", callback=days.option, help="Last day, included.")
@click.option("--project", metavar="DIR", help="Only what this project used.")
@json_option
def totals_command(
    *,
    by: str,
    since: datetime.date | None,
    until: datetime.date | None,
    project: str | None,
    as_json: bool,
) -> int:
    """Sum tokens and dollars. Days are local days.

    Rows and totals are what transcripts show. What the client charged beyond them (compaction,
    titles) stands apart, as `unlisted`.

    \b
    Examples:
      claude-tier ledger totals
      claude-tier ledger totals --by day --since 2026-11-01
      claude-tier ledger totals --by agent --project . --json
    """
    with up_to_date(policy.load()) as db:
        number = totals.project_number(db, project) if project else None
        part = totals.Slice(days.span(since, until), number)
        found = totals.query(db, by, part)
    if as_json:
        print_json(found.fields())
    else:
        click.echo(totals.as_text(found, width=width()))
    return 0

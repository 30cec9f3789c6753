"""`claude-tier heartbeat history`: what became of each planned time."""

from __future__ import annotations

import datetime

import click

from claude_tier.output import json_option, print_json
from claude_tier.report import days

LAST = 50  # receipts, unless a day is named


@click.command()
@click.argument("name", required=False)
@click.option(
    "--since", metavar="DAY", callback=days.option, help="First day: 2026-11-20, today, yesterday."
)
@click.option("-n", "last", type=click.IntRange(1), help="How many: 50 unless a day is named.")
@json_option
def command(
    *, name: str | None, since: datetime.date | None, last: int | None, as_json: bool
) -> int:
    """Show the receipts, oldest first: what ran, what did not and why, who answered, what it cost.

    Planned times in a row that came to the same share a line. Of what was skipped for free, the
    bytes that were not sent and about their price are summed below.

    \b
    Examples:
      claude-tier heartbeat history
      claude-tier heartbeat history disk --since yesterday
      claude-tier heartbeat history --since 2026-11-01 --json
    """
    from claude_tier.heartbeat import history
    from claude_tier.report import ledger_file

    most = last or (-1 if since else LAST)
    with ledger_file.as_it_stands() as db:
        found = history.query(db, name, since=days.span(since, None).since, most=most)
    if as_json:
        print_json({"receipts": [one.fields() for one in found]})
    else:
        from claude_tier.report.table import width

        click.echo(history.as_text(found, width=width()))
    return 0

"""`claude-tier heartbeat list`: the files that were added."""

from __future__ import annotations

import time

import click

from claude_tier.output import json_option, print_json


@click.command()
@json_option
def command(*, as_json: bool) -> int:
    """Show the files that were added, their checks, and which of those run.

    \b
    Examples:
      claude-tier heartbeat list
      claude-tier heartbeat list --json
    """
    from claude_tier.heartbeat import linting, listing, screen
    from claude_tier.report import ledger_file
    from claude_tier.report.table import width

    with ledger_file.as_it_stands() as db:
        found = listing.files(db, linting.usual(), time.time())
    if as_json:
        print_json({"files": [one.fields() for one in found]})
    elif found:
        click.echo("\n\n".join(screen.listed(one, width=width()) for one in found))
    else:
        click.echo("No file was added. `claude-tier heartbeat add` adds the one of this folder.")
    return 0

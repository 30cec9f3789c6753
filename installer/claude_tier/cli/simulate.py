"""`claude-tier simulate`: the ledger's history under another policy."""

from __future__ import annotations

import datetime
from pathlib import Path

import click
from claude_tier_hooks import policy, prices
from claude_tier_hooks.shapes import Json

from claude_tier.output import json_option, print_json
from claude_tier.progress import Bar
from claude_tier.report import days, ledger_file, simulate, table


@click.command()
@click.option(
    "--policy",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="A config.yaml to decide by. Without it: check that the history comes out as it was.",
)
@click.option("--since", metavar="DAY", callback=days.option, help="From this day on.")
@click.option("--until", metavar="DAY", callback=days.option, help="Up to this day, all of it.")
@json_option
def command(
    *,
    file: Path | None,
    since: datetime.date | None,
    until: datetime.date | None,
    as_json: bool,
) -> int:
    """Decide the past again: what would another policy have cost and denied?

    Every recorded decision goes through the hooks' own rules once more. With --policy so do
    subagents from before the install, told by what ran. Nothing is changed, neither the policy in
    force nor the ledger.

    \b
    Examples:
      claude-tier simulate
      claude-tier simulate --policy stricter.yaml --since 2026-11-01
      claude-tier simulate --policy stricter.yaml --json
    """
    other = _compiled(file) if file else None
    rules = policy.load()
    with ledger_file.up_to_date(rules) as db, Bar("Replaying") as bar:
        found = simulate.replay(
            db, rules, days.span(since, until), policy=other, name=str(file), progress=bar
        )
    if as_json:
        print_json(found.fields())
    else:
        click.echo(simulate.as_text(found, width=table.width()))
    return 0


def _compiled(file: Path) -> Json:
    """That file as a policy, without a trace in the state folder; raises ConfigError."""
    from claude_tier import config
    from claude_tier.config import policy as compiling

    try:
        loaded = config.load(file)
    except config.ConfigError as error:
        error.hint = "Nothing was simulated."
        raise
    made = dict(compiling.rules(loaded.config))
    shipped = prices.shipped()
    figures = {key: shipped.get(key) for key in ("geo", "web_search_usd")}
    return {**made, **figures, "models": made["prices"]}

"""`claude-tier prices`: the price table, and whether the installed client charges the same."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack

import click
from claude_tier_hooks import policy
from claude_tier_hooks.shapes import Json

from claude_tier.output import json_option, print_json
from claude_tier.progress import Bar
from claude_tier.report import prices
from claude_tier.report.ledger_file import up_to_date
from claude_tier.report.table import width


@click.command()
@click.option("--check", is_flag=True, help="Compare with what the installed client charges.")
@json_option
def command(*, check: bool, as_json: bool) -> int:
    """Show the price table with its date and source, and models that were used without a price.

    `--check` runs the installed `claude` in a scratch home against a scripted API on this machine,
    tells it known usage of every model, and compares its dollars with ours. It spends nothing and
    needs no login; the exit code is 1 where they differ.

    \b
    Examples:
      claude-tier prices
      claude-tier prices --check
    """
    rules = policy.load()
    if check:
        return _check(rules, as_json=as_json)
    with up_to_date(rules) as db:
        table = prices.query(db, rules)
    if as_json:
        print_json(table.fields())
    else:
        click.echo(prices.as_text(table, width=width()))
    return 0


def _check(rules: Json, *, as_json: bool) -> int:
    from claude_tier.install.doctor import elsewhere
    from claude_tier.livecheck import Namespace
    from claude_tier.report import price_check

    elsewhere.refuse(os.environ, elsewhere.managed_files())
    with ExitStack() as stack:
        namespace = stack.enter_context(Namespace()) if Namespace.available() else None
        bar = stack.enter_context(Bar("Asking the client"))
        checked = price_check.check(rules, time.time(), namespace=namespace, progress=bar)
    if as_json:
        print_json(checked.fields())
    else:
        click.echo(price_check.as_text(checked, width=width()))
    return 0 if checked.same else 1

"""`claude-tier on`: apply the configuration again."""

from __future__ import annotations

import time
from dataclasses import asdict

import click

from claude_tier import switch
from claude_tier.output import json_option, print_json


@click.command()
@json_option
def command(*, as_json: bool) -> int:
    """Apply assignments, budgets and the fan-out gate again after `claude-tier off`.

    \b
    Examples:
      claude-tier on
    """
    switch.refuse_in_session("on")
    switched = switch.turn_on(time.time())
    if as_json:
        print_json(asdict(switched))
    elif switched.changed:
        click.echo("On: new subagents follow the configuration again.")
    else:
        click.echo("It was on already.", err=True)
    return 0

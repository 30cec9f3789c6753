"""`claude-tier off`: stand aside."""

from __future__ import annotations

import time
from dataclasses import asdict

import click

from claude_tier import durations, switch
from claude_tier.output import json_option, print_json


@click.command()
@durations.for_option("claude-tier on")
@json_option
def command(*, seconds: int | None, as_json: bool) -> int:
    """Let every new subagent run as asked, without assignments, budgets or the fan-out gate.

    Spending is still counted. Refused inside a Claude Code session.

    \b
    Examples:
      claude-tier off              until `claude-tier on`
      claude-tier off --for 2h     for two hours
    """
    switch.refuse_in_session("off")
    switched = switch.turn_off(time.time(), seconds)
    if as_json:
        print_json(asdict(switched))
    else:
        click.echo(f"Off {_until(switched.until)}. Turn on again with `claude-tier on`.")
    return 0


def _until(moment: float | None) -> str:
    if moment is None:
        return "until you turn it on"
    return time.strftime("until %Y-%m-%d %H:%M:%S", time.localtime(moment))

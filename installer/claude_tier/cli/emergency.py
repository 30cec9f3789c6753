"""`claude-tier emergency`: only models on this machine are asked."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from claude_tier import durations, switch
from claude_tier.output import json_option, print_json

if TYPE_CHECKING:
    from claude_tier.config import Config
    from claude_tier.routing.by_hand import Emergency


@click.group(invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> int | None:
    """Show or switch the mode in which only models on this machine are asked.

    It is also on by itself while a budget of yours is at `stop`, and for a request whose paid
    targets are all cooling. It is about the router's own requests: sessions of Claude Code go on.

    \b
    Examples:
      claude-tier emergency
      claude-tier emergency on --for 2h
      claude-tier emergency off
    """
    return context.invoke(status) if context.invoked_subcommand is None else None


@command.command(short_help="Show whether it is on, and why.")
@json_option
def status(*, as_json: bool = False) -> int:
    """Show whether it is on for every request from this folder, why, until when, and the way out.

    \b
    Examples:
      claude-tier emergency status
      claude-tier emergency status --json
    """
    now = time.time()
    _show(_standing(now, _configuration()), now, as_json=as_json)
    return 0


@command.command(short_help="Ask only models on this machine.")
@durations.for_option("claude-tier emergency off")
@json_option
def on(*, seconds: int | None, as_json: bool) -> int:
    """Ask only models on this machine, for a while or until switched off.

    \b
    Examples:
      claude-tier emergency on
      claude-tier emergency on --for 2h
    """
    from claude_tier.routing import by_hand

    now = time.time()
    _show(by_hand.turn_on(now, seconds), now, as_json=as_json)
    return 0


@command.command(short_help="Take the switch away.")
@json_option
def off(*, as_json: bool) -> int:
    """Take the switch away; what else keeps the mode on is said. Refused inside a session.

    \b
    Examples:
      claude-tier emergency off
    """
    from claude_tier.routing import by_hand

    switch.refuse_in_session("emergency off")
    now = time.time()
    changed = by_hand.turn_off(now)
    found = _standing(now, _configuration_or_before())
    if as_json:
        print_json({"changed": changed, **_fields(found)})
    else:
        click.echo("Switched off." if changed else "It was not switched on.")
        if found:
            click.echo(_text(found, now))
    return 0


def _configuration() -> Config:
    from claude_tier import config, paths

    return config.load(paths.state_dir() / config.CONFIG).config


def _configuration_or_before() -> Config:
    """Where config.yaml has a mistake, which was warned of, what the policy before it tells."""
    from claude_tier_hooks import policy

    from claude_tier.config import Config, ConfigError

    try:
        return _configuration()
    except ConfigError:
        local_only = policy.load()["router"]["local_only"]
        return Config.model_validate({"router": {"local_only": local_only}})


def _standing(now: float, known: Config) -> Emergency | None:
    from claude_tier_hooks import policy, project

    from claude_tier.report import ledger_file
    from claude_tier.routing import emergency

    folder = str(Path.cwd())
    rules = policy.load(project.root(folder))
    with ledger_file.as_it_stands() as db:
        ledger_file.catch_up(db, rules, shows_use=False)
        return emergency.standing(db, known, rules, now, folder)


def _show(found: Emergency | None, now: float, *, as_json: bool) -> None:
    if as_json:
        print_json(_fields(found))
    else:
        click.echo(_text(found, now))


def _fields(found: Emergency | None) -> dict[str, object]:
    if found is None:
        return {"on": False, "reason": None, "since": None, "until": None, "ends": None}
    return {"on": True, **found.fields()}


def _text(found: Emergency | None, now: float) -> str:
    if found is None:
        return "Off: every target that is not cooling may be asked."
    return f"On: {found.text(now)}. Only models on this machine are asked.\nTo end it: {found.ends}"

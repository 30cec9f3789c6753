"""`claude-tier cooldown`: what is kept out after a failure, and how to ask it again."""

from __future__ import annotations

import time

import click
from claude_tier_hooks import cooldowns, ledger

from claude_tier.errors import UserError
from claude_tier.output import json_option, print_json
from claude_tier.report import ledger_file
from claude_tier.routing import cooling
from claude_tier.routing.cooling import Cooling


@click.group(invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> int | None:
    """Show or end the cooldowns of providers that failed.

    All requests of the router share them, whichever process makes them.

    \b
    Examples:
      claude-tier cooldown list
      claude-tier cooldown clear openrouter
    """
    return context.invoke(listing) if context.invoked_subcommand is None else None


@command.command("list", short_help="Show what is kept out, why and how long.")
@json_option
def listing(*, as_json: bool = False) -> int:
    """Show what is kept out: cause, since when, when it is tried next, and how to clear it.

    When a cooldown is over, one request tries; an answer ends it, a failure makes the next longer.
    Those of a key that was replaced, or of a provider that config.yaml has no more, are left out,
    as they keep nothing out.

    \b
    Examples:
      claude-tier cooldown list
      claude-tier cooldown list --json
    """
    now = time.time()
    with ledger_file.as_it_stands() as db:
        found = _current(cooling.listed(db, now))
    if as_json:
        print_json({"cooldowns": [one.fields() for one in found]})
    else:
        from claude_tier.report import cooling as screen
        from claude_tier.report.table import width

        click.echo(screen.as_text(found, now=now, width=width()))
    return 0


def _current(found: tuple[Cooling, ...]) -> tuple[Cooling, ...]:
    """Without those that keep nothing out any more; all where config.yaml does not tell."""
    if not found:
        return found
    from claude_tier import config, paths
    from claude_tier.routing import cooldown

    try:
        known = config.load(paths.state_dir() / config.CONFIG).config
    except config.ConfigError:  # warned of before
        return found
    return cooldown.current(found, known)


@command.command(short_help="Let it be asked again.")
@click.argument("what", required=False, metavar="[PROVIDER[/MODEL]]")
@json_option
def clear(*, what: str | None, as_json: bool) -> int:
    """Let a provider or one of its models be asked again; all of them where none is named.

    Exit with 1 when what is named is not cooling.

    \b
    Examples:
      claude-tier cooldown clear
      claude-tier cooldown clear openrouter
      claude-tier cooldown clear ollama/qwen3:8b
    """
    provider, _, model = (what or "").partition("/")
    with ledger_file.as_it_stands() as db, ledger.Writing(db):
        number = cooldowns.clear(db, provider or None, model or None)
    if what and not number:
        raise UserError(
            f"{what} is not cooling", "`claude-tier cooldown list` shows what is.", code=1
        )
    if as_json:
        print_json({"cleared": number})
    else:
        click.echo(f"Cleared {number} cooldown{'' if number == 1 else 's'}.")
    return 0

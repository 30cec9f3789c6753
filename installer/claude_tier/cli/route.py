"""`claude-tier route`: where a task would go, without asking anybody."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from claude_tier.errors import UserError
from claude_tier.output import json_option, print_json

if TYPE_CHECKING:
    from claude_tier.config import Config
    from claude_tier.routing.cooling import Cooling
    from claude_tier.routing.router import Allowed
    from claude_tier.routing.routes import Choice


@click.command()
@click.argument("text", metavar="TEXT|-")
@click.option(
    "--file", "-f", "files", multiple=True, metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A text file that would come along; may be given several times.",
)  # fmt: skip
@click.option("--explain", is_flag=True, help="Show the evidence and each route with why not.")
@json_option
def command(*, text: str, files: tuple[Path, ...], explain: bool, as_json: bool) -> int:
    """Show what kind of task a text is, the route it takes and the models that would be asked.

    In emergency mode that is said, and who is not asked. Nobody is asked here. With - the text is
    read from stdin.

    \b
    Examples:
      claude-tier route "Summarise these notes" --file notes.md
      claude-tier route --explain "Rename getUser to fetchUser everywhere"
      git log -20 | claude-tier route - --json
    """
    from claude_tier import config, paths
    from claude_tier.report.table import width
    from claude_tier.routing import classify, explaining, question, routes

    loaded = config.load(paths.state_dir() / config.CONFIG).config
    asked = question.read(text, files)
    recognised = classify.recognise(asked.text, context_tokens=asked.context_tokens)
    choice = routes.choose(loaded, recognised, asked.text)
    now = time.time()
    found = explaining.explained(
        loaded,
        recognised,
        choice,
        allowed=_allowed(loaded, choice),
        cooling=_cooling(loaded, now),
    )
    if as_json:
        print_json(found.fields())
        return 0
    click.echo(explaining.as_text(found, now=now, width=width()))
    if explain:
        click.echo()
        click.echo(explaining.reasons(found, width=width()))
    return 0


def _allowed(known: Config, choice: Choice) -> Allowed:
    """Whom the router would let a request ask now; it is silent, as the ledger's fault is said."""
    import anyio
    from claude_tier_hooks import policy, project

    from claude_tier.routing.router import Router

    async def decided() -> Allowed:
        async with Router(known, policy.load(project.root(str(Path.cwd())))) as router:
            return await router.allowed(choice.targets)

    return anyio.run(decided)


def _cooling(known: Config, now: float) -> tuple[Cooling, ...]:
    """What is kept out; where the ledger cannot be read, that is said and nothing is."""
    from claude_tier.routing import cooldown, cooling
    from claude_tier.routing.setup import listing

    try:
        found = [cooling.Cooling.of(row, now) for row in listing.cooling(now)]
        return cooldown.current(found, known)
    except UserError as error:
        click.echo(f"claude-tier: {error.message}", err=True)
        return ()

"""`claude-tier providers`: what answers requests: list it, check it, set it up."""

from __future__ import annotations

import sys
import time
from collections.abc import Collection, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
from claude_tier_hooks import policy, project

from claude_tier import switch
from claude_tier.errors import UserError
from claude_tier.output import json_option, print_json
from claude_tier.progress import Bar

if TYPE_CHECKING:
    from claude_tier.config import Config
    from claude_tier.routing.setup.checking import Checked
    from claude_tier.routing.target import Target


@click.group(invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> int | None:
    """Show, check and set up who can be asked: local models, other vendors, your own Claude.

    \b
    Examples:
      claude-tier providers               what is configured
      claude-tier providers check         what of it works, and how to mend the rest
      claude-tier providers setup         look what is here and put it into config.yaml
    """
    return context.invoke(listing) if context.invoked_subcommand is None else None


@command.command("list", short_help="Show every provider: address, key, price.")
@json_option
def listing(*, as_json: bool = False) -> int:
    """Show every provider: its address, where its key comes from, its price, what cools.

    Nothing is asked, and no key is shown.

    \b
    Examples:
      claude-tier providers list
      claude-tier providers list --json
    """
    from claude_tier.report.table import width
    from claude_tier.routing.setup import listing as lists

    try:
        cooling = lists.cooling(time.time())
    except UserError as error:
        click.echo(f"claude-tier: {error.message}", err=True)
        cooling = []
    found = lists.listed(_config(), cooling)
    if as_json:
        print_json({"providers": [one.fields() for one in found]})
    else:
        click.echo(lists.as_text(found, width=width()))
    return 0


@command.command(short_help="Look what works, and how to mend the rest.")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--ask", is_flag=True, help="Have each configured target answer one tiny prompt.")
@json_option
def check(*, names: tuple[str, ...], ask: bool, as_json: bool) -> int:
    """Look whether providers can be reached and have the models that config.yaml names.

    Exit with 1 when one of them does not work. Only lists of models are asked for, which costs
    nothing; --ask says before what it may cost.

    \b
    Examples:
      claude-tier providers check
      claude-tier providers check ollama --ask
      claude-tier providers check --json
    """
    from claude_tier.report.table import width
    from claude_tier.routing.setup import screen

    config = _config()
    checked = _looked(config, names)
    if ask:
        checked = _asked(config, checked)
    if as_json:
        print_json({"providers": [one.fields() for one in checked]})
    else:
        click.echo(screen.as_text(checked, width=width()))
    return _code(checked)


@command.command(short_help="Put what is on this machine into config.yaml.")
@click.option("--yes", is_flag=True, help="Write without asking.")
@click.option("--dry-run", is_flag=True, help="Show the changes as a diff and make none.")
@json_option
def setup(*, yes: bool, dry_run: bool, as_json: bool) -> int:
    """Look what is on this machine and put what is missing into config.yaml.

    Ollama, llama-server and LiteLLM are looked for at their usual addresses, keys by the names of
    their variables. Local models that fit into the memory are proposed for the roles small, coding
    and large. What is in the file stays as it is; then each role answers one tiny prompt.
    Refused inside a Claude Code session.

    \b
    Examples:
      claude-tier providers setup --dry-run     only show what would change
      claude-tier providers setup               ask before anything is written
      claude-tier providers setup --yes --json  for scripts
    """
    from claude_tier.routing.setup import steps, writing

    if not dry_run:
        switch.refuse_in_session("providers setup")
    found = steps.look(_config())
    if not as_json:
        for line in found.lines():
            click.echo(line)
    if found.change.diff and not dry_run:
        _agree(yes=yes, shown=not as_json)
        writing.write(found.proposal.additions, time.time())
    checked = () if dry_run else _checked_roles(found.proposal.pulls)
    if as_json:
        fields = [one.fields() for one in checked]
        print_json({**found.fields(dry_run=dry_run), "checked": fields})
    else:
        _show_end(found.pull_lines(), checked)
    return _code(checked)


def _agree(*, yes: bool, shown: bool) -> None:
    """Go on with the user's word alone, given to what they were shown."""
    if yes:
        return
    if not (shown and sys.stdin.isatty()):
        why = "there is no terminal to confirm on" if shown else "--json asks no question"
        raise UserError(
            f"nothing was written: {why}",
            "Use --yes to confirm it, or --dry-run to see what would change.",
        )
    if not click.confirm("Write this?", err=True):
        raise UserError("nothing was written")


def _checked_roles(missing: Collection[Target]) -> tuple[Checked, ...]:
    """The roles as they are now, each with an answer, but for models that are not there yet."""
    from claude_tier.routing.setup import checking
    from claude_tier.routing.setup.proposing import filled_roles

    config = _config()
    wanted = [target for target in filled_roles(config) if target not in missing]
    if not wanted:
        return ()
    checked = _looked(config, {target.provider for target in wanted})
    return _asked(config, checking.only(checked, wanted))


def _looked(config: Config, names: Collection[str]) -> tuple[Checked, ...]:
    import anyio

    from claude_tier.routing import providers
    from claude_tier.routing.setup import checking

    with Bar("Looking at providers") as bar:
        look = partial(checking.check, config, names, clients=providers.client, progress=bar)
        return anyio.run(look)


def _asked(config: Config, checked: Sequence[Checked]) -> tuple[Checked, ...]:
    """Say what it may cost, then ask."""
    import anyio

    from claude_tier.routing import providers
    from claude_tier.routing.setup import asking, screen

    rules = policy.load(project.root(str(Path.cwd())))
    targets = asking.asked_for(checked)
    if not targets:
        return tuple(checked)
    click.echo(screen.before(asking.estimate(rules, targets, time.time())), err=True)
    with Bar("Asking") as bar:
        ask = partial(asking.ask, config, rules, checked, clients=providers.client, progress=bar)
        return anyio.run(ask)


def _show_end(pulls: Iterable[str], checked: Sequence[Checked]) -> None:
    from claude_tier.report.table import width
    from claude_tier.routing.setup import screen

    for line in pulls:
        click.echo(line)
    if checked:
        click.echo(screen.as_text(checked, width=width()))


def _code(checked: Sequence[Checked]) -> int:
    return 0 if all(one.works for one in checked) else 1


def _config() -> Config:
    from claude_tier import config, paths

    return config.load(paths.state_dir() / config.CONFIG).config

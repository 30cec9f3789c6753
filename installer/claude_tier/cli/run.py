"""`claude-tier run`: the unmodified `claude` in a group's environment."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from claude_tier.groups.profile import Profile


@click.command()
@click.option("--group", "name", metavar="NAME", required=True, help="Of `groups`, or main.")
@click.option("--dry-run", is_flag=True, help="Only show the environment; start nothing.")
@click.argument("arguments", metavar="-- [CLAUDE ARGUMENTS]", nargs=-1, type=click.UNPROCESSED)
def command(*, name: str, dry_run: bool, arguments: tuple[str, ...]) -> int:
    """Run `claude` with its own arguments on the endpoint of a group, or on Claude itself.

    Input, output, terminal, signals and exit code are the client's. Where the endpoint does not
    answer, the group's `fallback` does, and that is said; see docs/groups.md.

    \b
    Examples:
      claude-tier run --group chat -- -p "summarise README.md"
      claude-tier run --group main
      claude-tier run --group chat --dry-run
    """
    from claude_tier import config, paths
    from claude_tier.groups import profile, starting
    from claude_tier.groups.arguments import Arguments

    checked = config.load(paths.state_dir() / config.CONFIG).config
    environ = dict(os.environ)
    start = starting.Start(
        checked,
        profile.of(checked, name, environ),
        Arguments(arguments),
        environ,
        Path.cwd(),
        lambda line: click.echo(f"claude-tier: {line}", err=True),
    )
    if not dry_run:
        return start.run()
    start.rehearse()
    _show(start.profile, environ)
    return 0


def _show(profile: Profile, environ: dict[str, str]) -> None:
    from claude_tier.groups.starting import described
    from claude_tier.groups.writing import as_shell

    click.echo(described(profile))
    click.echo(as_shell(profile, environ), nl=False)

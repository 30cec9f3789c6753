"""`claude-tier compile`: what the hooks run when a configuration file has changed."""

from __future__ import annotations

from pathlib import Path

import click
from claude_tier_hooks import state

from claude_tier import config


@click.command(hidden=True)
@click.option(
    "--project",
    "root",
    type=click.Path(path_type=Path),
    metavar="ROOT",
    help="Compile this project's .claude/claude-tier.yaml as well.",
)
@click.option("--quiet", is_flag=True, help="Print mistakes only.")
def command(*, root: Path | None, quiet: bool) -> int:
    """Compile config.yaml into policy.json.

    \b
    Examples:
      claude-tier compile
      claude-tier compile --project ~/src/app
    """
    folder = Path(state.state_dir())
    if root is None:
        result = config.compile_user_policy(folder)
    else:
        result = config.compile_project_policy(folder, root)
    if quiet:
        return 0
    for note in result.notes:
        click.echo(f"claude-tier: {note}", err=True)
    if result.changed:
        click.echo(f"Compiled {result.path}" if result.path else "Removed the project's policy")
    return 0

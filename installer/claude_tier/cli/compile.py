"""`claude-tier compile`: what the hooks run when a configuration file has changed, by hand."""

from __future__ import annotations

from pathlib import Path

import click
from claude_tier_hooks import policy, project, state

from claude_tier import config


@click.command()
@click.option(
    "--project",
    "root",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Compile this project's .claude/claude-tier.yaml as well.",
)
@click.option("--quiet", is_flag=True, help="Print mistakes only.")
def command(*, root: Path | None, quiet: bool) -> int:
    """Check config.yaml and compile it into the policy.json that the hooks read.

    The hooks and most commands do this by themselves when it has changed.
    A mistake is shown with its line; then the policy before it stays in force.

    \b
    Examples:
      claude-tier compile
      claude-tier compile --project ~/src/app
    """
    folder = Path(state.state_dir())
    if root is None:
        result = config.compile_user_policy(folder)
    else:
        result = config.compile_project_policy(folder, Path(project.root(str(root.absolute()))))
    if quiet:
        return 0
    for note in result.notes:
        click.echo(f"claude-tier: {note}", err=True)
    if result.changed:
        click.echo(f"Compiled {result.path}" if result.path else "Removed the project's policy")
    else:
        click.echo(_unchanged(folder, root, has_own=result.path is not None))
    return 0


def _unchanged(folder: Path, root: Path | None, *, has_own: bool) -> str:
    """What is in force, though nothing had to be compiled."""
    if root is not None:
        name = policy.PROJECT_FILE
        return f"{name} is in force." if has_own else f"The project has no {name}."
    if (folder / config.CONFIG).exists():
        return f"{config.CONFIG} is in force."
    return f"There is no {config.CONFIG}: the defaults are in force."

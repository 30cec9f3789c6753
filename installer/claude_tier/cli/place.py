"""Where to install or uninstall: the folder and scope that both commands take."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

import click

from claude_tier import paths

if TYPE_CHECKING:
    from claude_tier.install.outcome import Outcome
    from claude_tier.install.scopes import Scope, Target

DRY_RUN = (
    "Make no change, and show it: files that are all ours by name and size (with --json in full), "
    "others as a diff."
)
Decorated = TypeVar("Decorated", bound=Callable[..., object])


def place_options(function: Decorated) -> Decorated:
    """Add DIR and `--scope`; they arrive as the keywords `folder` and `scope`."""
    scope = click.option(
        "--scope",
        type=click.Choice(["user", "project", "local"]),
        help="For you everywhere (the default), for everyone in a project (the default with DIR), "
        "or for you in one project.",
    )
    folder = click.argument(
        "folder", metavar="[DIR]", required=False, type=click.Path(path_type=Path)
    )
    return folder(scope(function))


def target(folder: Path | None, scope: str | None, *, trusted: bool = False) -> Target:
    """The place meant by DIR and `--scope`; raises UserError or a usage error."""
    paths.require_posix()
    from claude_tier.install import scopes  # needs what Windows does not have

    chosen = scope or ("project" if folder else "user")
    if folder and chosen == "user":
        raise click.UsageError("DIR goes with --scope project or --scope local.")
    return scopes.target(cast("Scope", chosen), paths.config_dir(), folder, trusted=trusted)


def show(outcome: Outcome, *, as_json: bool) -> int:
    """Print what was done on stdout, what was left and what to look out for on stderr."""
    if as_json:
        from claude_tier.output import print_json

        print_json(outcome.fields())
        return 0
    for line in outcome.preview() if outcome.dry_run else outcome.lines():
        click.echo(line)
    for line in outcome.remarks():
        click.echo(line, err=True)
    return 0

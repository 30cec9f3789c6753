"""`claude-tier install`: set up hooks, agents, skills and the status line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from claude_tier import bundle, switch
from claude_tier.cli import place
from claude_tier.output import json_option

if TYPE_CHECKING:
    from claude_tier.install.manifest import Preset


@click.command()
@place.place_options
@click.option(
    "--preset",
    type=click.Choice(["balanced", "budget", "premium"]),
    help="Which table of assignments and budgets to start from.",
)
@click.option("--dry-run", is_flag=True, help=place.DRY_RUN)
@click.option(
    "--force",
    is_flag=True,
    help="Replace agent and skill files of the same name until uninstall, and follow links "
    "out of a project.",
)
@click.option("--mcp", is_flag=True, help="Also register local models as tools of Claude.")
@json_option
def command(
    *,
    folder: Path | None,
    scope: str | None,
    preset: str | None,
    dry_run: bool,
    force: bool,
    mcp: bool,
    as_json: bool,
) -> int:
    """Set up hooks, agents and skills in Claude Code; run it again after an upgrade.

    Everything else in the files it touches stays as it is, byte for byte.

    \b
    Examples:
      claude-tier install                    for you, in every project
      claude-tier install --preset budget    with the budget preset
      claude-tier install --dry-run          only show what would change
      claude-tier install ~/src/app          for everyone who clones that project
      claude-tier install --scope local      for you, in this project only
      claude-tier install --mcp              with local models as tools of Claude
    """
    target = place.target(folder, scope, trusted=force)
    if preset and not dry_run:
        switch.refuse_in_session(f"install --preset {preset}")
    from claude_tier.install import installing

    request = installing.Request(
        target, bundle.root(), preset=cast("Preset | None", preset), force=force, mcp=mcp
    )
    outcome = installing.install(request, dry_run=dry_run)
    code = place.show(outcome, as_json=as_json)
    if not as_json and not outcome.changes and not outcome.calls:
        click.echo("Nothing to change: already installed.")
    elif not as_json and not dry_run:
        click.echo("Start a Claude Code session; `claude-tier status` shows what comes of it.")
    return code

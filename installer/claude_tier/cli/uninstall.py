"""`claude-tier uninstall`: put every file back."""

from __future__ import annotations

from pathlib import Path

import click

from claude_tier import switch
from claude_tier.cli import place
from claude_tier.output import json_option


@click.command()
@place.place_options
@click.option(
    "--purge",
    is_flag=True,
    help="Remove the folder claude-tier/ as well, with all that is kept in it. Transcripts that "
    "are still there are counted again by the next command that reads them.",
)
@click.option("--dry-run", is_flag=True, help=place.DRY_RUN)
@click.option("--force", is_flag=True, help="Follow links out of a project.")
@json_option
def command(
    *,
    folder: Path | None,
    scope: str | None,
    purge: bool,
    dry_run: bool,
    force: bool,
    as_json: bool,
) -> int:
    """Take everything back out of Claude Code; what is yours stays unless purged.

    Only what claude-tier wrote is taken out. What you or others wrote since stays, and so do
    configuration, ledger, pipelines with their runs, alerts, tokens and switches; it is said.
    Refused inside a Claude Code session.

    \b
    Examples:
      claude-tier uninstall                  for you
      claude-tier uninstall --purge          and forget all that was counted
      claude-tier uninstall ~/src/app        from a project
    """
    target = place.target(folder, scope, trusted=force)
    if not dry_run:
        switch.refuse_in_session("uninstall")
    from claude_tier.install import uninstalling

    request = uninstalling.Request(target, purge=purge)
    return place.show(uninstalling.uninstall(request, dry_run=dry_run), as_json=as_json)

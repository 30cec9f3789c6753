"""`claude-tier heartbeat lint`: what is wrong with a file, else what it would do."""

from __future__ import annotations

import time
from pathlib import Path

import click

from claude_tier.output import json_option, print_json


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path(path_type=Path))
@json_option
def command(*, paths: tuple[Path, ...], as_json: bool) -> int:
    """Check files; show the next three times of each check, and about what a request costs.

    Without PATH, the HEARTBEAT.md of this folder. Exit with 1 when there is a mistake: nothing of
    that file would run. Nothing is asked, and no check is run.

    \b
    Examples:
      claude-tier heartbeat lint
      claude-tier heartbeat lint ~/notes/HEARTBEAT.md --json
    """
    from claude_tier.heartbeat import linting
    from claude_tier.heartbeat.naming import NAME
    from claude_tier.report.table import width

    found = linting.files(paths, time.time())
    if as_json:
        print_json({"files": [one.fields() for one in found]})
    else:
        click.echo("\n\n".join(linting.as_text(one, width=width()) for one in found))
    if not paths and not Path(NAME).exists():
        click.echo("`claude-tier heartbeat init` writes one.", err=True)
    return 1 if any(one.faults for one in found) else 0

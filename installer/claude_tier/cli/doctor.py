"""`claude-tier doctor`: find what keeps the hooks from working."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from claude_tier import paths
from claude_tier.output import json_option, print_json

if TYPE_CHECKING:
    from claude_tier.install.doctor.report import Report


@click.command()
@click.option("--live", is_flag=True, help="Drive your Claude Code against a scripted API.")
@click.option(
    "--client",
    type=click.Path(path_type=Path),
    metavar="PROGRAM",
    help="With --live: which Claude Code to drive instead of the `claude` on PATH.",
)
@json_option
def command(*, live: bool, client: Path | None, as_json: bool) -> int:
    """Look at everything the hooks need, and say what is wrong and what to do.

    It mends nothing, but like most commands it compiles a changed config.yaml first.
    The exit code is 1 when there is a fault.

    With --live it runs your own Claude Code in a scratch home, against an API on this machine that
    answers by script: it reaches no network and spends nothing, and shows for that version whether
    the hooks run, a subagent's model is set, tokens are counted and prices agree.

    \b
    Examples:
      claude-tier doctor
      claude-tier doctor --live
      claude-tier doctor --json
    """
    if client and not live:
        raise click.UsageError("--client goes with --live.")
    paths.require_posix()
    return _show(_live(client) if live else _examined(), as_json=as_json)


def _examined() -> Report:
    from claude_tier.install import doctor

    return doctor.examine(doctor.Machine())


def _live(client: Path | None) -> Report:
    from claude_tier.install.doctor import live

    return live.examine(client)


def _show(report: Report, *, as_json: bool) -> int:
    if as_json:
        print_json(report.fields())
    else:
        for line in report.lines():
            click.echo(line)
    return report.exit_code

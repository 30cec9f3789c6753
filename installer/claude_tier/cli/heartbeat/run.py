"""`claude-tier heartbeat run`: one check, now."""

from __future__ import annotations

import shlex
import time
import uuid
from typing import TYPE_CHECKING

import click

from claude_tier.errors import UserError
from claude_tier.output import json_option, print_json

if TYPE_CHECKING:
    from claude_tier.heartbeat.case import Outcome


@click.command()
@click.argument("name", required=False, metavar="NAME")  # --claimed has its own
@click.option("--now", is_flag=True, help="At once, which is what it does in any case.")
@click.option("--dry-run", is_flag=True, help="Run its check, show the request, and ask nobody.")
@click.option("--claimed", metavar="RUN", hidden=True, help="Carry out what a tick has claimed.")
@json_option
def command(
    *,
    name: str | None,
    now: bool,  # noqa: ARG001 - there is no other time
    dry_run: bool,
    claimed: str | None,
    as_json: bool,
) -> int:
    """Run a check now, whatever its schedule and its last answer say.

    Budgets hold, and so does what its file was allowed. Exit with 1 when it failed.

    \b
    Examples:
      claude-tier heartbeat run deploys
      claude-tier heartbeat run deploys --dry-run
      claude-tier heartbeat run ~/notes/HEARTBEAT.md#deploys --json
    """
    from claude_tier.heartbeat import running

    if claimed:
        return 0 if running.run(claimed, _mute) else 1
    if name is None:
        raise click.UsageError("Missing argument 'NAME'.")
    if dry_run:
        return _rehearsed(name, as_json=as_json)
    outcome = running.run(_claimed(name), lambda line: click.echo(line, err=True))
    if outcome is None:
        raise UserError(f"{name} was given up before it began", "Try it again.")
    _show(outcome, as_json=as_json)
    return 0 if outcome.end.status in ("ran", "skipped") else 1


def _rehearsed(name: str, *, as_json: bool) -> int:
    from claude_tier.heartbeat import rehearsal

    found = rehearsal.rehearse(name)
    if as_json:
        print_json(found.fields())
    else:
        click.echo(rehearsal.as_text(found))
    return 0


def _mute(_line: str) -> None:
    """Nobody is there."""


def _claimed(name: str) -> str:
    """A run of that beat, by hand."""
    from claude_tier_hooks import ledger

    from claude_tier.heartbeat import alerts, known, processes, receipts, running

    world = known.read()
    found = world.find(name)
    beat = found.beat
    if found.barred in (known.CHANGED, known.NEW):
        allow = (
            f"`claude-tier heartbeat add {shlex.quote(str(beat.file))}` lets it run as it is now."
        )
        raise UserError(f"{beat.name} is {found.barred}", allow)
    run = uuid.uuid4().hex
    alerts.tell(running.settle(), world.config.heartbeat.on_alert)
    with running.opened() as db, ledger.Writing(db):
        if receipts.is_open(db, beat.id):
            raise UserError(f"{beat.name} is running", "Wait until it is done.")
        receipts.claim(db, beat.id, time.time(), run=run, origin="hand", worker=processes.me())
    return run


def _show(outcome: Outcome, *, as_json: bool) -> None:
    from claude_tier.pipelines.screen import safe

    if as_json:
        print_json(outcome.fields())
        return
    if outcome.said:
        click.echo(safe(outcome.said))
    for alert in outcome.alerts:
        if alert.kind != "answer":
            click.echo(safe(alert.text), err=True)
    if outcome.end.ok:
        click.echo("All is well.", err=True)
    if outcome.end.reason:
        click.echo(safe(f"{outcome.end.status}: {outcome.end.reason}"), err=True)

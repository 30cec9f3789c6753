"""`claude-tier log`: what was asked, set and run for each subagent."""

from __future__ import annotations

import datetime
import json
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click
from claude_tier_hooks import policy

from claude_tier.output import json_option, print_json
from claude_tier.report import days, decisions, ledger_file
from claude_tier.report.decisions import Decision, Slice

POLL = 1.0  # seconds between two looks with --follow
WATCHED = 500  # decisions that --follow looks at again for their proof


@click.command()
@click.option("--follow", is_flag=True, help="Go on until interrupted; --json prints lines.")
@click.option("--day", metavar="DAY", callback=days.option, help="2026-11-20, today, yesterday.")
@click.option("--session", metavar="ID", help="One session; the beginning of its id will do.")
@click.option("-n", "last", type=click.IntRange(1), help="How many: 20 unless a day is named.")
@json_option
def command(
    *,
    follow: bool,
    day: datetime.date | None,
    session: str | None,
    last: int | None,
    as_json: bool,
) -> int:
    """Show the decision on each new subagent, oldest first.

    What was asked for and would have run, what was set instead and why, the budget, and the model
    that really ran, with the proof.

    \b
    Examples:
      claude-tier log
      claude-tier log --day yesterday --json
      claude-tier log --follow
    """
    part = Slice(days.span(day, day), session, last or (None if day else 20))
    if follow:
        return _follow(part, as_json=as_json)
    with ledger_file.up_to_date(policy.load()) as db:
        found = decisions.query(db, part)
    if as_json:
        print_json({"decisions": [one.fields() for one in found]})
    elif found:
        click.echo(decisions.as_text(found))
    else:
        click.echo("No subagent was started.")
    return 0


def _follow(part: Slice, *, as_json: bool) -> int:
    with ledger_file.up_to_date(policy.load()) as db:
        start = decisions.query(db, part)
    since = start[0].at if start else time.time()
    watched = part._replace(span=part.span._replace(since=since), last=WATCHED)

    def read() -> Sequence[Decision]:
        with _reading() as db:
            return decisions.query(db, watched)

    for news in decisions.follow(read, lambda: time.sleep(POLL)):
        for one in news:
            text = json.dumps({"version": 1, **one.fields()}, ensure_ascii=False)
            click.echo(text if as_json else decisions.as_text([one]) + "\n")
    return 0


@contextmanager
def _reading() -> Iterator[sqlite3.Connection]:
    """Hooks write decisions and proofs; nothing has to be read from transcripts for those."""
    with ledger_file.said():
        db = ledger_file.opened()
        try:
            yield db
        finally:
            db.close()

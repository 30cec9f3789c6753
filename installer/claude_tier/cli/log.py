"""`claude-tier log`: what was asked, set and run for each subagent."""

from __future__ import annotations

import datetime
import json
import sqlite3
import time
from collections.abc import Sequence

import click
from claude_tier_hooks import decision, policy

from claude_tier.output import json_option, print_json
from claude_tier.report import days, decisions, ledger_file, totals
from claude_tier.report.decisions import Decision, Slice

ACTIONS = (
    decision.KEPT, decision.ASSIGNED, decision.LOWERED, decision.DENIED, decision.ASKED,
    decision.LEFT,
)  # fmt: skip
POLL = 1.0  # seconds between two looks with --follow
WATCHED = 500  # decisions that --follow looks at again for their proof


@click.command()
@click.option("--follow", is_flag=True, help="Go on until interrupted; --json prints lines.")
@click.option("--day", metavar="DAY", callback=days.option, help="2026-11-20, today, yesterday.")
@click.option(
    "--since", metavar="DAY", callback=days.option, help="First day: 2026-11-20, today, yesterday."
)
@click.option("--until", metavar="DAY", callback=days.option, help="Last day, included.")
@click.option("--session", metavar="ID", help="One session; the beginning of its id will do.")
@click.option("--agent", metavar="TYPE", help="One agent type: Explore, explorer.")
@click.option("--project", metavar="DIR", help="Only what this project started.")
@click.option("--router", is_flag=True, help="The requests of the router instead.")
@click.option("--action", type=click.Choice(ACTIONS), help="Only what we did so with.")
@click.option("-n", "last", type=click.IntRange(1), help="How many: 20 unless a day is named.")
@json_option
def command(
    *,
    follow: bool,
    day: datetime.date | None,
    since: datetime.date | None,
    until: datetime.date | None,
    session: str | None,
    agent: str | None,
    project: str | None,
    router: bool,
    action: str | None,
    last: int | None,
    as_json: bool,
) -> int:
    """Show the decision on each new subagent, oldest first.

    What was asked for and would have run, what was set instead and why, the budget, and the model
    that really ran, with the proof. With `--router`, what became of each request of the router:
    whom it asked, what failed and why, who answered, how long it took and what it cost.

    \b
    Examples:
      claude-tier log
      claude-tier log --day yesterday --json
      claude-tier log --action denied --since 2026-11-01
      claude-tier log --follow
      claude-tier log --router --day today
    """
    if day and (since or until):
        raise click.UsageError("--day and --since or --until exclude each other.")
    if router and (follow or agent or action):
        raise click.UsageError("--router goes without --follow, --agent and --action.")
    named = day or since or until
    part = Slice(
        span=days.span(day or since, day or until),
        session=session,
        last=last or (None if named else 20),
        agent=agent,
        action=action,
    )
    with ledger_file.up_to_date(policy.load()) as db:
        if project:
            part = part._replace(project=totals.project_number(db, project))
        if router:
            return _requests(db, part, filtered=any((named, session, project)), as_json=as_json)
        found = decisions.query(db, part)
    if follow:
        return _follow(part, found, as_json=as_json)
    if as_json:
        print_json({"decisions": [one.fields() for one in found]})
    elif found:
        click.echo(decisions.as_text(found))
    else:
        filtered = any((named, session, agent, project, action))
        click.echo(decisions.NO_MATCH if filtered else decisions.NONE)
    return 0


def _requests(db: sqlite3.Connection, part: Slice, *, filtered: bool, as_json: bool) -> int:
    from claude_tier.report import exchanges

    found = exchanges.query(db, part)
    if as_json:
        print_json({"requests": [one.fields() for one in found]})
    elif found:
        click.echo(exchanges.as_text(found))
    else:
        click.echo(exchanges.NO_MATCH if filtered else exchanges.NONE)
    return 0


def _follow(part: Slice, start: Sequence[Decision], *, as_json: bool) -> int:
    since = start[0].at if start else time.time()
    watched = part._replace(span=part.span._replace(since=since), last=WATCHED)

    def read() -> Sequence[Decision]:
        # Hooks write decisions and proofs: no transcript has to be read for those.
        with ledger_file.as_it_stands() as db:
            return decisions.query(db, watched)

    for news in decisions.follow(read, lambda: time.sleep(POLL)):
        for one in news:
            text = json.dumps({"version": 1, **one.fields()}, ensure_ascii=False)
            click.echo(text if as_json else decisions.as_text([one]) + "\n")
    return 0

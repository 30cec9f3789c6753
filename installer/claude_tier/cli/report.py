"""`claude-tier report`: what was used and what it cost, by day, session, model and more."""

from __future__ import annotations

import datetime
import sqlite3
import sys

import click
from claude_tier_hooks import policy
from claude_tier_hooks.shapes import Json

from claude_tier.output import json_option, print_json
from claude_tier.report import days, spending, totals
from claude_tier.report.ledger_file import brought_up, up_to_date
from claude_tier.report.spending import Slice
from claude_tier.report.table import width

SHOWN = 50  # sessions or blocks on the screen, unless told otherwise


@click.command()
@click.argument("view", metavar="[BY]", type=click.Choice(spending.BY), required=False)
@click.option(
    "--since", metavar="DAY", callback=days.option, help="First day: 2026-11-20, today, yesterday."
)
@click.option("--until", metavar="DAY", callback=days.option, help="Last day, included.")
@click.option("--project", metavar="DIR", help="Only what this project used.")
@click.option("-n", "last", type=click.IntRange(1), help="Only that many, the newest or dearest.")
@click.option("--all", "every", is_flag=True, help=f"All sessions or blocks, not just {SHOWN}.")
@click.option("--savings", is_flag=True, help="What tiering saved, instead of a view.")
@click.option("--baseline", metavar="MODEL", help="Saved against it: main, or a model or tier.")
@click.option("--reconcile", is_flag=True, help="Compare with the client's own saved costs.")
@json_option
@click.option("--csv", "as_csv", is_flag=True, help="Print the rows as CSV.")
def command(
    *,
    view: str | None,
    since: datetime.date | None,
    until: datetime.date | None,
    project: str | None,
    last: int | None,
    every: bool,
    savings: bool,
    baseline: str | None,
    reconcile: bool,
    as_json: bool,
    as_csv: bool,
) -> int:
    """Sum what was used: tokens by kind, requests and dollars.

    BY is one of day (unless told otherwise), week, month, session, project, agent, model, block,
    provider and route.

    Days, weeks and months are local ones; a week begins where `week_start` says. A block is five
    hours from the full hour of its first use. Reads and Writes are of the prompt cache, Cached is
    the part of all prompt tokens that was read from it. What the client charged beyond transcript
    rows (compaction, titles) stands apart. `$1.20+` is a sum that some requests without a price
    are missing from.

    --savings shows what the same requests would have cost on a baseline (the main model of their
    session, unless told), net of what tiering itself costs, and how that was reckoned.

    --reconcile compares each session with the cost that the client itself saved for it, and says
    why a figure differs. Its exit code is 1 when one differs without a reason. What the client
    charged beyond our rows counts as unlisted, so a row that was missed shows there, not as a
    difference.

    \b
    Examples:
      claude-tier report
      claude-tier report month --project .
      claude-tier report session --since yesterday
      claude-tier report model --csv > models.csv
      claude-tier report --savings --baseline opus
      claude-tier report --reconcile
    """
    _refuse_both("--json and --csv", as_json, as_csv)
    _refuse_both("-n and --all", last, every)
    option = "--savings" if savings else "--reconcile" if reconcile else None
    if option and (view or last or every):
        raise click.UsageError(f"{option} stands in the place of a view, of -n and --all.")
    _check_savings(wanted=savings, baseline=baseline, other=reconcile or as_csv)
    span = days.span(since, until)
    by = view or "day"
    rules = policy.load()
    with up_to_date(rules) as db:
        number = totals.project_number(db, project) if project else None
        part = Slice(span, number)
        if savings:
            return _savings(db, rules, part, baseline, as_json=as_json)
        if reconcile:
            return _reconcile(db, rules, part, as_json=as_json, as_csv=as_csv)
        limited = by in ("session", "block") and not (every or as_json or as_csv)
        found = spending.query(db, rules, by, part, last=last or (SHOWN if limited else None))
    return _show(found, as_json=as_json, as_csv=as_csv)


def _check_savings(*, wanted: bool, baseline: str | None, other: bool) -> None:
    if wanted and other:
        raise click.UsageError("--savings goes with neither --reconcile nor --csv.")
    if baseline and not wanted:
        raise click.UsageError("--baseline goes with --savings.")


def _refuse_both(names: str, one: object, other: object) -> None:
    if one and other:
        raise click.UsageError(f"{names} exclude each other.")


def _show(found: spending.Spending, *, as_json: bool, as_csv: bool) -> int:
    if as_json:
        print_json(found.fields())
    elif as_csv:
        from claude_tier.report import sheet

        rows = [spending.row_fields(found.by, row) for row in found.rows]
        sheet.write(spending.columns(found.by, routed=found.routed), rows, sys.stdout)
    else:
        from claude_tier.report.spending import screen

        click.echo(screen.as_text(found, width=width()))
    return 0


def _savings(
    db: sqlite3.Connection, rules: Json, part: Slice, baseline: str | None, *, as_json: bool
) -> int:
    from claude_tier.report import savings

    brought_up(db, lambda db: savings.bring_up(db, rules))
    found = savings.query(db, rules, part.span, project=part.project, baseline=baseline)
    if as_json:
        print_json(found.fields())
    else:
        click.echo(savings.as_text(found, width=width()))
    return 0


def _reconcile(
    db: sqlite3.Connection, rules: Json, part: Slice, *, as_json: bool, as_csv: bool
) -> int:
    from claude_tier.report import reconcile, reconcile_screen

    found = reconcile.query(db, rules, part)
    if as_json:
        print_json(found.fields())
    elif as_csv:
        from claude_tier.report import sheet

        sheet.write(reconcile.COLUMNS, [one.flat() for one in found.sessions], sys.stdout)
    else:
        click.echo(reconcile_screen.as_text(found, width=width()))
    return 0 if found.agrees else 1

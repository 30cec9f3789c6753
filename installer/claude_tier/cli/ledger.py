"""`claude-tier ledger`: sum it, check it, copy it, rebuild it."""

from __future__ import annotations

import datetime
import time
from pathlib import Path

import click
from claude_tier_hooks import policy

from claude_tier.output import json_option, print_json
from claude_tier.report import days, export, totals
from claude_tier.report.ledger_file import said, up_to_date
from claude_tier.report.table import width


@click.group()
def command() -> None:
    """Sum, export, check, copy and rebuild the ledger of everything that was used.

    \b
    Examples:
      claude-tier ledger totals --by day
      claude-tier ledger export --format csv --output usage.csv
      claude-tier ledger verify
      claude-tier ledger rebuild
    """


@command.command("totals")
@click.option("--by", type=click.Choice(totals.KEYS), default="model", show_default=True)
@click.option(
    "--since", metavar="DAY", callback=days.option, help="First day: 2026-11-20, today, yesterday."
)
@click.option("--until", metavar="DAY", callback=days.option, help="Last day, included.")
@click.option("--project", metavar="DIR", help="Only what this project used.")
@json_option
def totals_command(
    *,
    by: str,
    since: datetime.date | None,
    until: datetime.date | None,
    project: str | None,
    as_json: bool,
) -> int:
    """Sum tokens and dollars. Days are local days.

    Rows and totals are what transcripts show. What the client charged beyond them (compaction,
    titles) stands apart, as `unlisted`.

    \b
    Examples:
      claude-tier ledger totals
      claude-tier ledger totals --by day --since 2026-11-01
      claude-tier ledger totals --by agent --project . --json
    """
    span = days.span(since, until)
    with up_to_date(policy.load()) as db:
        number = totals.project_number(db, project) if project else None
        part = totals.Slice(span, number)
        found = totals.query(db, by, part)
    if as_json:
        print_json(found.fields())
    else:
        click.echo(totals.as_text(found, width=width()))
    return 0


@command.command("export", short_help="Print every row as JSON lines or CSV.")
@click.option("--format", "form", type=click.Choice(["jsonl", "csv"]), default="jsonl")
@click.option("--what", type=click.Choice(export.WHAT), default="usage", show_default=True)
@click.option(
    "--since", metavar="DAY", callback=days.option, help="First day: 2026-11-20, today, yesterday."
)
@click.option("--until", metavar="DAY", callback=days.option, help="Last day, included.")
@click.option("--project", metavar="DIR", help="Only what this project used.")
@click.option(
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write to a file that only you can read, whole or not at all.",
)
def export_command(
    *,
    form: str,
    what: str,
    since: datetime.date | None,
    until: datetime.date | None,
    project: str | None,
    output: Path | None,
) -> int:
    """Print every row: one JSON object in each line, or CSV. docs/json.md names the fields.

    `usage` is one row for each response, `unlisted` what the client charged without one, by
    session and model, `decisions` one for each new subagent, `requests` one for each request of
    the router, whether or not somebody answered. No prompt text is in any of them;
    a decision has the short description of its Agent call, unless the configuration says
    `log: {descriptions: false}`.

    \b
    Examples:
      claude-tier ledger export --since 2026-11-01 > usage.jsonl
      claude-tier ledger export --format csv --output usage.csv
      claude-tier ledger export --what decisions --project .
    """
    rules, span = policy.load(), days.span(since, until)
    with up_to_date(rules) as db, export.output(output) as stream:
        number = totals.project_number(db, project) if project else None
        columns, rows = export.WHAT[what]
        part = totals.Slice(span, number)
        export.write(rows(db, rules, part), columns, form, stream)
    return 0


@command.command("verify", short_help="Check the ledger's file and sums.")
@json_option
def verify_command(*, as_json: bool) -> int:
    """Check the ledger's file, its sums, its names and its spool; change nothing.

    The exit code is 1 where something is wrong, and each fault comes with what to do.

    \b
    Examples:
      claude-tier ledger verify
    """
    from claude_tier.repair import verify

    with said():
        found = verify.verify()
    whole = all(one.ok for one in found)
    if as_json:
        print_json({"ok": whole, "findings": [one.fields() for one in found]})
    else:
        click.echo(verify.as_text(found))
    return 0 if whole else 1


@command.command("rebuild", short_help="Put a damaged ledger together again.")
@json_option
def rebuild_command(*, as_json: bool) -> int:
    """Put the ledger together again from damaged files, backups and every transcript.

    Nothing is taken away, hooks may go on meanwhile, and a second run changes nothing.

    \b
    Examples:
      claude-tier ledger rebuild
    """
    from claude_tier.repair import rebuild

    with said():
        done = rebuild.rebuild(policy.load())
    if as_json:
        print_json(done.fields())
    else:
        click.echo(rebuild.as_text(done))
    return 0


@command.command("backup", short_help="Copy the ledger to today's backup.")
@json_option
def backup_command(*, as_json: bool) -> int:
    """Copy the ledger to today's backup; the newest seven days are kept.

    A session makes one each day by itself.

    \b
    Examples:
      claude-tier ledger backup
    """
    from claude_tier_hooks import backup

    with up_to_date(policy.load()):
        path = backup.write(time.time())
    if as_json:
        print_json({"path": path})
    else:
        click.echo(f"Copied the ledger to {path}")
    return 0

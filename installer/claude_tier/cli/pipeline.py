"""`claude-tier pipeline`: run, look at and forget pipelines."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from claude_tier import durations
from claude_tier.errors import UserError
from claude_tier.output import json_option, print_json

if TYPE_CHECKING:
    from claude_tier.pipelines.running import Ended
    from claude_tier.pipelines.runs import Run
    from claude_tier.pipelines.starting import Wanted


@click.group()
def command() -> None:
    """Run pipelines: steps with a model, a budget and a fallback each.

    A run that was ended goes on where it was. docs/pipelines.md says what a file may hold.

    \b
    Examples:
      claude-tier pipeline list
      claude-tier pipeline run extract-and-synthesise --input files='notes/*.md'
      claude-tier pipeline run review.yaml --input topic=locks --dry-run
      claude-tier pipeline run --resume 20261120-140211-3f9c
    """


@command.command("run", short_help="Run a pipeline and print its result.")
@click.argument("name", metavar="FILE|NAME", required=False)
@click.option(
    "--input", "-i", "given", multiple=True, metavar="NAME=VALUE",
    help="An input; NAME=@FILE is the text of a file.",
)  # fmt: skip
@click.option("--resume", "resumed", metavar="RUN", help="Go on with a run that was ended.")
@click.option("--dry-run", is_flag=True, help="Show order, targets and estimates; ask nobody.")
@click.option("--yes", is_flag=True, help="Write files without asking.")
@click.option(
    "--max-usd", "limit", type=click.FloatRange(min=0, min_open=True), metavar="USD",
    help="Ask for nothing that goes beyond this.",
)  # fmt: skip
@json_option
def run_command(
    *,
    name: str | None,
    given: tuple[str, ...],
    resumed: str | None,
    dry_run: bool,
    yes: bool,
    limit: float | None,
    as_json: bool,
) -> int:
    """Run a pipeline; print the output of its last step, or of the step named `result`.

    What happens is told on stderr, with the cost of each step. Each step's output is kept for a
    week: after Ctrl-C, a failure or a crash `--resume` asks only for what is missing, or was
    changed since in the file or its inputs.

    \b
    Examples:
      claude-tier pipeline run extract-and-synthesise --input files='notes/*.md'
      claude-tier pipeline run change --input task='rename Foo' --input files=foo.py
      claude-tier pipeline run review.yaml --input diff=@changes.diff --max-usd 0.50 --json
      claude-tier pipeline run --resume 20261120-140211-3f9c
    """
    if name is None and resumed is None:
        raise click.UsageError("Name a pipeline, or a run with --resume.")
    if dry_run and resumed:
        raise click.UsageError("--dry-run and --resume exclude each other.")
    from claude_tier.pipelines import load, runs, starting

    run = runs.find(resumed) if resumed else None
    if run is not None:
        wanted = starting.again(run, name=name, given=given, limit=limit)
    else:
        wanted = starting.Wanted(load.find(name or ""), given, Path.cwd(), limit)
    if dry_run:
        return _show_plan(wanted, as_json=as_json)
    with starting.begun(wanted, run, yes=yes) as job:
        try:
            ended = starting.carried_out(job, yes=yes)
        except KeyboardInterrupt:
            click.echo(f"Interrupted. {_go_on(job.run)}", err=True)
            raise
    return _show_end(ended, job.run, as_json=as_json)


def _show_plan(wanted: Wanted, *, as_json: bool) -> int:
    from claude_tier.pipelines import screen, starting
    from claude_tier.report.table import width

    found = starting.plan(wanted)
    if as_json:
        print_json(found.fields())
    else:
        click.echo(screen.plan(found, width=width()))
    return 0


def _show_end(ended: Ended, run: Run, *, as_json: bool) -> int:
    from claude_tier.pipelines import screen

    click.echo(f"{run.id}: {screen.spent(ended.spent, ended.unpriced)} in all", err=True)
    if as_json:
        print_json(ended.fields())
    elif ended.result is not None:
        _print(ended.value)
    if ended.failed is not None:
        raise UserError(screen.safe(f"{ended.failed.step}: {ended.failed.why}"), _go_on(run))
    if ended.answer is not None and ended.result is None:
        where = f"`claude-tier pipeline show {run.id}` has what the others said."
        raise UserError(f"there is no result: {ended.answer} was skipped", where)
    return 0


def _print(value: object) -> None:
    """A text as it is, anything else as JSON; on a terminal without what it would obey."""
    from claude_tier.pipelines import screen

    text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
    click.echo(screen.safe(text) if sys.stdout.isatty() else text)


def _go_on(run: Run) -> str:
    return f"`claude-tier pipeline run --resume {run.id}` goes on from here."


@command.command("list", short_help="Show the pipelines that can be run by name.")
@json_option
def list_command(*, as_json: bool) -> int:
    """Show the pipelines that can be run by name: those shipped, and yours.

    Yours are the .yaml files in pipelines/ of claude-tier's folder. Any other is run by its path.

    \b
    Examples:
      claude-tier pipeline list
    """
    from claude_tier.pipelines import listing, screen
    from claude_tier.report.table import width

    found = listing.pipelines(Path.cwd())
    if as_json:
        print_json({"pipelines": [one.fields() for one in found]})
    else:
        click.echo(screen.listed(found, width=width()))
    return 0


@command.command("check", short_help="Check a pipeline; every mistake with its line.")
@click.argument("name", metavar="FILE|NAME")
@json_option
def check_command(*, name: str, as_json: bool) -> int:
    """Check a pipeline: keys, references, targets and schemas; every mistake with its line.

    \b
    Examples:
      claude-tier pipeline check review.yaml
    """
    from claude_tier.pipelines import load, starting

    path = load.find(name)
    pipeline = load.load(path, starting.setting(Path.cwd()).config)
    order = [step.id for step in pipeline.in_order]
    if as_json:
        print_json({"path": str(path), "name": pipeline.name, "order": order})
    else:
        click.echo(f"{path}: {pipeline.name} can be run: {', '.join(order)}")
    return 0


@command.command("runs")
@json_option
def runs_command(*, as_json: bool) -> int:
    """Show the runs that are kept, newest first. They go after a week.

    \b
    Examples:
      claude-tier pipeline runs
    """
    from claude_tier.pipelines import runs, screen
    from claude_tier.report.table import width

    found = runs.every()
    if as_json:
        shown = [{"run": one.id, "ended": one.standing, **_told(one)} for one in found]
        print_json({"runs": shown})
    elif found:
        click.echo(screen.runs(found, width=width()))
    else:
        click.echo("No run is kept.")
    return 0


def _told(run: Run) -> dict[str, object]:
    """What of a run's record is for scripts."""
    keys = ("pipeline", "path", "given", "folder", "limit", "started", "spent", "unpriced")
    return {key: run.record.get(key) for key in keys}


@command.command("show", short_help="Show what became of each step of a run.")
@click.argument("name", metavar="RUN")
@click.option("--step", metavar="ID", help="Print what this step answered.")
@json_option
def show_command(*, name: str, step: str | None, as_json: bool) -> int:
    """Show what became of each step of a run, or what one of them answered.

    \b
    Examples:
      claude-tier pipeline show 20261120-140211-3f9c
      claude-tier pipeline show 20261120-140211-3f9c --step plan
    """
    from claude_tier.pipelines import runs, screen
    from claude_tier.pipelines.outcome import Outcome
    from claude_tier.report.table import width

    run = runs.find(name)
    units = [(unit, Outcome.of(kept)) for unit, kept in run.outcomes().items()]
    if step is not None:
        units = [one for one in units if one[0].partition(".")[0] == step]
        if not units:
            raise UserError(f"the run {run.id} has nothing of a step {step}")
    if as_json:
        shown = [{"step": unit, **one.fields()} for unit, one in units]
        print_json({"run": run.id, "ended": run.standing, **_told(run), "outcomes": shown})
    elif step is not None:
        _print("\n\n".join(one.text or one.why or "" for _, one in units))
    else:
        click.echo(screen.runs([run], width=width()))
        click.echo()
        click.echo(screen.outcomes(units, width=width()))
    return 0


@command.command("forget")
@click.argument("names", metavar="RUN...", nargs=-1)
@click.option(
    "--older", metavar="DURATION", callback=durations.option, help="All unchanged for so long."
)
@json_option
def forget_command(*, names: tuple[str, ...], older: int | None, as_json: bool) -> int:
    """Remove runs, with every text that was kept of them.

    \b
    Examples:
      claude-tier pipeline forget 20261120-140211-3f9c
      claude-tier pipeline forget --older 1d
    """
    from claude_tier.pipelines import runs

    if bool(names) == (older is not None):
        raise click.UsageError("Name runs, or --older.")
    if older is not None:
        gone = list(runs.forget_older(older, time.time()))
    else:
        gone = [runs.find(name) for name in names]
        for run in gone:
            runs.forget(run)
    if as_json:
        print_json({"forgotten": [run.id for run in gone]})
    else:
        for run in gone:
            click.echo(f"Removed {run.folder}")
        if not gone:
            click.echo("No run is that old.")
    return 0


@command.command("undo", short_help="Put back the files that a run wrote.")
@click.argument("name", metavar="RUN")
@json_option
def undo_command(*, name: str, as_json: bool) -> int:
    """Put back the files that a run wrote, where nobody changed them since.

    The exit code is 1 where one was left.

    \b
    Examples:
      claude-tier pipeline undo 20261120-140211-3f9c
    """
    from claude_tier.pipelines import runs, writing

    found = writing.undo(runs.find(name))
    if as_json:
        print_json({"files": [one.fields() for one in found]})
    else:
        for one in found:
            click.echo(f"{one.path}: {one.what}")
        if not found:
            click.echo("Nothing to put back.")
    return 0 if all(one.done for one in found) else 1

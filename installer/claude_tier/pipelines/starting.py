"""What was typed to what is run: a new run, or one that goes on."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import anyio
from claude_tier_hooks import policy, project
from claude_tier_hooks.shapes import Json

from claude_tier import config as configuration
from claude_tier import paths
from claude_tier.errors import UserError
from claude_tier.pipelines import inputs, load, planning, progress, runs
from claude_tier.pipelines.model import Pipeline
from claude_tier.pipelines.planning import Plan
from claude_tier.pipelines.running import Ended, Job, Runner
from claude_tier.pipelines.runs import Run
from claude_tier.pipelines.spending import Rates
from claude_tier.routing.router import Router

if TYPE_CHECKING:
    from claude_tier.config import Config


class Setting(NamedTuple):
    """The user's configuration, and the policy of the folder."""

    config: Config
    rules: Json


@dataclass(frozen=True)
class Wanted:
    """A file, what it is given, where it runs, and what it may cost at most in dollars."""

    path: Path
    given: tuple[str, ...]
    folder: Path
    limit: float | None = None

    def record(self, pipeline: Pipeline) -> dict[str, object]:
        """What is kept of it, to go on by."""
        return {
            "pipeline": pipeline.name,
            "path": str(self.path),
            "given": list(self.given),
            "folder": str(self.folder),
            "limit": self.limit,
        }


def setting(folder: Path) -> Setting:
    """Of a run in that folder."""
    loaded = configuration.load(paths.state_dir() / configuration.CONFIG)
    return Setting(loaded.config, policy.load(project.root(str(folder))))


def again(run: Run, *, name: str | None, given: Sequence[str], limit: float | None) -> Wanted:
    """What a run was asked for, with what is said anew; UserError where that is not known."""
    record = run.record
    path, folder, before = record.get("path"), record.get("folder"), record.get("given")
    if not isinstance(path, str) or not isinstance(folder, str) or not isinstance(before, list):
        raise UserError(f"the run {run.id} cannot go on: its record cannot be read")
    named = {str(one).partition("=")[0] for one in given}
    kept = [str(one) for one in before if str(one).partition("=")[0] not in named]
    held = record.get("limit")
    return Wanted(
        load.find(name) if name else load.find(path),
        (*kept, *given),
        Path(folder),
        limit if limit is not None or not isinstance(held, int | float) else float(held),
    )


def plan(wanted: Wanted) -> Plan:
    """What a run would ask and cost, without a request."""
    config, rules = setting(wanted.folder)
    pipeline = load.load(wanted.path, config)
    values = inputs.values(pipeline, wanted.given, wanted.folder)
    rates = Rates(config, rules)

    async def planned() -> Plan:
        async with Router(config, rules, origin="pipeline") as router:
            return await planning.plan(
                pipeline, values, folder=wanted.folder, rates=rates, router=router
            )

    return anyio.run(planned)


@contextmanager
def begun(wanted: Wanted, resumed: Run | None, *, yes: bool) -> Iterator[Job]:
    """The job, held against every other process; runs that are too old go first."""
    config, rules = setting(wanted.folder)
    pipeline = load.load(wanted.path, config)
    values = inputs.values(pipeline, wanted.given, wanted.folder)
    _refuse_unasked(pipeline, yes=yes)
    now, record = time.time(), wanted.record(pipeline)
    run = resumed or runs.begin(record, now)
    with run.locked():
        runs.forget_older(runs.KEPT, now)
        run.note(**record, ended=None)
        yield Job(pipeline, values, config, rules, wanted.folder, run, wanted.limit)


def carried_out(job: Job, *, yes: bool) -> Ended:
    """Run it to its end, and note how that was."""
    steps = [step.id for step in job.pipeline.steps]
    with progress.showing(steps, yes=yes) as watcher:
        ended = anyio.run(Runner(job, watcher, watcher.confirm).run)
    job.run.note(ended=ended.status)
    return ended


def _refuse_unasked(pipeline: Pipeline, *, yes: bool) -> None:
    """UserError, before anything is spent, where files would be written and nobody can be asked."""
    writing = [step.id for step in pipeline.steps if step.write is not None]
    if writing and not yes and not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UserError(
            f"the pipeline {pipeline.name} writes files ({', '.join(writing)})",
            "Run it with --yes, or in a terminal, where it asks before it writes.",
        )

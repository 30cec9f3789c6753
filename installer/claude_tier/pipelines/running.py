"""One run of a pipeline: steps as soon as they have what they need, those independent in parallel.

After a failure nothing new is begun; what is under way is let come to its end, and kept.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypedDict, final

import anyio
from anyio.abc import ObjectSendStream
from claude_tier_hooks.shapes import Json

from claude_tier.errors import UserError
from claude_tier.pipelines import condition, request, writing
from claude_tier.pipelines.asking import Desk
from claude_tier.pipelines.keeping import Part
from claude_tier.pipelines.model import Pipeline, Step, edges
from claude_tier.pipelines.outcome import Outcome, Status, StepOutcome
from claude_tier.pipelines.runs import Run
from claude_tier.pipelines.speaking import SPEAKER, Speaker
from claude_tier.pipelines.spending import Purse, Rates
from claude_tier.pipelines.template import Content, Scope
from claude_tier.pipelines.units import Units
from claude_tier.pipelines.writing import Confirm
from claude_tier.routing.router import Router

if TYPE_CHECKING:
    from claude_tier.config import Config

AT_ONCE = 8  # requests of one run
NO_OUTPUT = {"text": "", "json": None}  # of a step that was left out by its fallback


class Watcher(Protocol):
    """Who is told how it goes; names are those of steps."""

    def began(self, step: str, units: int) -> None: ...

    def said(self, step: str, line: str) -> None: ...

    def ended(self, outcome: StepOutcome) -> None: ...


@dataclass(frozen=True)
class Job:
    """What is to be run, with what, where, and for how much at most."""

    pipeline: Pipeline
    inputs: Scope
    config: Config
    rules: Json
    folder: Path
    run: Run
    limit: float | None = None


@dataclass(frozen=True)
class Ended:
    """What became of every step, in the order of the file."""

    run: str
    pipeline: str
    steps: tuple[StepOutcome, ...]
    answer: str | None  # the step whose output is the result
    spent: float
    unpriced: int

    @property
    def failed(self) -> StepOutcome | None:
        """The first that failed."""
        return next((one for one in self.steps if one.status == "failed"), None)

    @property
    def result(self) -> StepOutcome | None:
        """The step that is the result, where it has an output."""
        found = next((one for one in self.steps if one.step == self.answer), None)
        return found if found and found.status == "answered" else None

    @property
    def value(self) -> object:
        """The result itself: text or JSON; None where there is none."""
        return None if self.result is None else value_of(self.result)

    @property
    def status(self) -> str:
        return "failed" if self.failed else "done"

    def fields(self) -> dict[str, object]:
        """The JSON of it."""
        return {
            "run": self.run,
            "pipeline": self.pipeline,
            "status": self.status,
            "usd": self.spent,
            "unpriced": self.unpriced,
            "result": self.value,
            "steps": [one.fields() for one in self.steps],
        }


def value_of(outcome: StepOutcome) -> object:
    """A step's output: its text or JSON, or a list of them."""
    there = [one for one in outcome.units if one.status == "answered"]
    each = [one.text if one.value is None else one.value for one in there]
    if outcome.repeats:
        return each
    return each[0] if each else ""


@final
@dataclass
class Runner:
    """Runs one job once; `confirm` is asked before files are written."""

    job: Job
    watcher: Watcher
    confirm: Confirm
    outcomes: dict[str, StepOutcome] = field(default_factory=dict)

    def __post_init__(self) -> None:
        job = self.job
        self.purse = Purse(*_limit(job), **_paid(job.run))
        self.steps = {step.id: step for step in job.pipeline.steps}
        self.scope: dict[str, object] = {"inputs": job.inputs, "steps": {}}

    async def run(self) -> Ended:
        """Every step, or what could be done of them."""
        job = self.job
        async with Router(job.config, job.rules, origin="pipeline", say=self._said) as router:
            self.units = Units(
                Desk(router, Rates(job.config, job.rules), self._said),
                job.run,
                job.pipeline.name,
                anyio.CapacityLimiter(AT_ONCE),
                self.purse,
            )
            try:
                await self._every_step()
            finally:  # an interruption ends no step, and costs what was under way
                with suppress(UserError):
                    self._note_costs()
        return self._ended()

    async def _every_step(self) -> None:
        order = TopologicalSorter(edges(self.job.pipeline.steps))
        order.prepare()
        send, receive = anyio.create_memory_object_stream[str](len(self.steps))
        async with send, receive, anyio.create_task_group() as group:
            while order.is_active():
                for name in order.get_ready():
                    group.start_soon(self._step, self.steps[name], send)
                order.done(await receive.receive())

    async def _step(self, step: Step, done: ObjectSendStream[str]) -> None:
        SPEAKER.set(Speaker(step.id))
        try:
            outcome = await self._outcome(step)
            self._note_costs()
        except UserError as error:
            why = f"{error.message} ({error.hint})" if error.hint else error.message
            outcome = StepOutcome(step.id, "failed", why=why)
        self._take(step, outcome)
        await done.send(step.id)

    def _take(self, step: Step, outcome: StepOutcome) -> None:
        self.outcomes[step.id] = outcome
        steps = self.scope["steps"]
        assert isinstance(steps, dict)
        steps[step.id] = _output(step, outcome)
        self.watcher.ended(outcome)

    async def _outcome(self, step: Step) -> StepOutcome:
        why_not = self._why_not(step)
        if why_not is not None:
            return why_not
        scope = request.scope_of(step, self.scope, self.job.folder)
        if step.when is not None and not condition.holds(step.when, scope):
            return StepOutcome(step.id, "skipped", why=f"not {step.when}")
        parts = _parts(step, scope)
        self.watcher.began(step.id, len(parts))
        if step.write is None:
            return _whole(step, await self.units.ask(step, scope, parts))
        here = writing.Place(self.job.folder, self.job.run, self.confirm)
        return _whole(step, await writing.write(step, scope, parts, place=here))

    def _note_costs(self) -> None:
        self.job.run.note(spent=self.purse.spent, unpriced=self.purse.unpriced)

    def _why_not(self, step: Step) -> StepOutcome | None:
        """Why the step does not begin at all."""
        if any(one.status == "failed" for one in self.outcomes.values()):
            return StepOutcome(step.id, "left", why="an earlier step failed")
        for name in sorted(step.after):
            before = self.outcomes[name]
            if before.status == "skipped" and not before.units:
                return StepOutcome(step.id, "skipped", why=f"{name} was skipped")
        return None

    def _said(self, line: str) -> None:
        speaker = SPEAKER.get()
        self.watcher.said(speaker.step, f"{speaker.item}: {line}" if speaker.item else line)

    def _ended(self) -> Ended:
        pipeline = self.job.pipeline
        return Ended(
            self.job.run.id,
            pipeline.name,
            tuple(self.outcomes[step.id] for step in pipeline.steps),
            pipeline.answer,
            self.purse.spent,
            self.purse.unpriced,
        )


class Paid(TypedDict):
    """What a run has cost so far."""

    spent: float
    unpriced: int


def _limit(job: Job) -> tuple[float | None, str]:
    """What the run may cost at most, and the name of what says so."""
    own = job.pipeline.budget.usd if job.pipeline.budget else None
    if job.limit is not None and (own is None or job.limit < own):
        return job.limit, "--max-usd"
    return own, f"the budget of the pipeline {job.pipeline.name}"


def _paid(run: Run) -> Paid:
    """By its record, or by its outcomes where it was killed before that was noted."""
    outcomes = [Outcome.of(kept) for kept in run.outcomes().values()]
    spent = math.fsum(one.usd for one in outcomes if one.usd is not None)
    unpriced = sum(one.requests for one in outcomes if one.usd is None)
    noted = run.record.get("spent"), run.record.get("unpriced")
    return Paid(
        spent=max(spent, noted[0] if isinstance(noted[0], float) else 0.0),
        unpriced=max(unpriced, noted[1] if isinstance(noted[1], int) else 0),
    )


def _parts(step: Step, scope: Scope) -> Sequence[Part | None]:
    """The items of a step with for_each; else the step itself."""
    if step.for_each is None:
        return [None]
    return [Part(number, item) for number, item in enumerate(request.items(step, scope))]


def _whole(step: Step, units: Sequence[Outcome]) -> StepOutcome:
    """The step's outcome, from those of its items."""
    repeats = step.for_each is not None
    failed = next((one for one in units if one.status == "failed"), None)
    if failed is not None:
        why = f"{failed.item}: {failed.why}" if failed.item else failed.why
        return StepOutcome(step.id, "failed", tuple(units), why, repeats)
    if units and all(one.status == "skipped" for one in units):
        return StepOutcome(step.id, "skipped", tuple(units), units[0].why, repeats)
    status: Status = "answered" if step.write is None else "written"
    return StepOutcome(step.id, status, tuple(units), repeats=repeats)


def _output(step: Step, outcome: StepOutcome) -> dict[str, object]:
    """What later steps can refer to; an item that was left out is not in the lists."""
    there = [one for one in outcome.units if one.status == "answered"]
    if outcome.repeats:
        texts = [Content(f"{step.id}: {one.item}", one.text) for one in there]
        return {"text": texts, "json": [one.value for one in there]}
    return {"text": there[0].text, "json": there[0].value} if there else dict(NO_OUTPUT)

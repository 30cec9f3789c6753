"""The requests of one step: one, or one for each item; each kept as soon as it is answered.

What an earlier part of the same run has kept is taken from there, if nothing it depends on differs.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import anyio

from claude_tier.config.routing import SKIP
from claude_tier.errors import UserError
from claude_tier.pipelines import keeping, request
from claude_tier.pipelines.asking import Asking, Desk
from claude_tier.pipelines.keeping import Part
from claude_tier.pipelines.model import Step
from claude_tier.pipelines.outcome import Outcome, Tally
from claude_tier.pipelines.runs import Run
from claude_tier.pipelines.speaking import SPEAKER, Speaker
from claude_tier.pipelines.spending import Purse
from claude_tier.pipelines.template import Scope
from claude_tier.routing.prompt import Prompt


@dataclass(frozen=True)
class Units:
    """What the steps of a run share: whom they ask, where it is kept, what may be spent."""

    desk: Desk
    run: Run
    pipeline: str
    limiter: anyio.CapacityLimiter
    purse: Purse

    async def ask(
        self, step: Step, scope: Scope, parts: Sequence[Part | None]
    ) -> tuple[Outcome, ...]:
        """The outcomes of what was begun; after a failure nothing is."""
        limit = step.budget.usd if step.budget else None
        purse = Purse(limit, f"the budget of the step {step.id}", above=self.purse)
        found = self._settled(step, scope, parts)
        few = anyio.CapacityLimiter(step.parallel)

        async def one(part: Part | None) -> Outcome:
            try:
                return await self._one(step, scope, part, purse=purse)
            except UserError as error:  # it cannot be kept
                return Outcome("failed", why=error.message)

        async def ask(part: Part | None) -> None:
            async with few:
                if not any(one.status == "failed" for one in found.values()):
                    found[keeping.unit(step, part)] = await one(part)

        async with anyio.create_task_group() as group:
            for part in parts:
                if keeping.unit(step, part) not in found:
                    group.start_soon(ask, part)
        return tuple(found[name] for name in sorted(found))

    def _settled(
        self, step: Step, scope: Scope, parts: Sequence[Part | None]
    ) -> dict[str, Outcome]:
        """What an earlier part of the run has answered, for each item by what is asked of it."""
        if not self.run.outcomes():
            return {}
        prints, names = dict[str, str](), dict[str, str | None]()
        for part in parts:
            unit = keeping.unit(step, part)
            with suppress(UserError):  # it is told when its turn comes
                prompt = request.prompt(step, _own(scope, part))
                prints[unit] = request.of_prompt(step, prompt)
                names[unit] = _name(part)
        kept = keeping.settle(self.run, step, prints)
        return {unit: replace(one, item=names[unit]) for unit, one in kept.items()}

    async def _one(self, step: Step, scope: Scope, part: Part | None, *, purse: Purse) -> Outcome:
        unit, began, tally = keeping.unit(step, part), time.monotonic(), Tally()
        item = _name(part)
        SPEAKER.set(Speaker(step.id, item))
        try:
            prompt = request.prompt(step, _own(scope, part))
            found = await self._asked(step, prompt, purse=purse, tally=tally)
        except UserError as error:
            why = f"{error.message} ({error.hint})" if error.hint else error.message
            found = Outcome("skipped" if SKIP in step.fallback else "failed", why=why)
        whole = tally.onto(found, item=item, seconds=time.monotonic() - began)
        self.run.keep(unit, whole.fields())
        return whole

    async def _asked(self, step: Step, prompt: Prompt, *, purse: Purse, tally: Tally) -> Outcome:
        targets = request.targets(step, self.desk.rates.config)
        asking = Asking(self.desk, step, f"{self.pipeline}/{step.id}", purse, tally)
        async with self.limiter:
            answer, value = await asking.ask(prompt, targets)
        return Outcome(
            "answered",
            request.of_prompt(step, prompt),
            text=answer.text,
            value=value,
            asked=str(targets.all[0]),
            target=str(answer.target),
            model=answer.model,
        )


def _own(scope: Scope, part: Part | None) -> Scope:
    """The values that the request for an item can refer to."""
    return {**scope, "item": part.item.value} if part else scope


def _name(part: Part | None) -> str | None:
    return part.item.name if part else None

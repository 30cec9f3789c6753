"""What a run would ask now, in order, without asking: targets, tokens and dollars, all estimated.

An output that is not there yet counts as long as its step may answer, so the figures are on the
high side; the price of a target is that of the first one.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from claude_tier.pipelines import request, template
from claude_tier.pipelines.model import Pipeline, Step
from claude_tier.pipelines.request import Item
from claude_tier.pipelines.spending import Rates
from claude_tier.pipelines.template import Scope, Unknown
from claude_tier.routing.router import Allowed, Router


@dataclass(frozen=True)
class Planned:
    """One step. `usd` is for the prompts alone, `usd_most` with answers as long as they may be;
    both are None for a target without a price. `at_most` marks a count that is not known yet.
    `why_not` has the targets that may not be asked now; without any other nothing is."""

    step: str
    after: tuple[str, ...]
    targets: tuple[str, ...]
    requests: int
    at_most: bool
    prompt_tokens: int
    answer_tokens: int
    usd: float | None
    usd_most: float | None
    when: str | None = None
    writes: str | None = None
    why_not: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """All of them, with what is priced summed up."""

    pipeline: str
    steps: tuple[Planned, ...]

    @property
    def usd(self) -> float:
        return math.fsum(one.usd or 0 for one in self.steps)

    @property
    def usd_most(self) -> float:
        return math.fsum(one.usd_most or 0 for one in self.steps)

    @property
    def why_not(self) -> dict[str, str]:
        """The targets that may not be asked now, of all steps."""
        return {target: why for one in self.steps for target, why in one.why_not.items()}

    @property
    def nobody(self) -> tuple[str, ...]:
        """The steps that nobody may be asked for now."""
        return tuple(one.step for one in self.steps if one.why_not and not one.targets)

    @property
    def unpriced(self) -> tuple[str, ...]:
        """The steps that no price is known for."""
        return tuple(one.step for one in self.steps if one.usd is None)

    def fields(self) -> dict[str, object]:
        """The JSON of it."""
        return {
            "pipeline": self.pipeline,
            "estimate": True,
            "usd": self.usd,
            "usd_most": self.usd_most,
            "unpriced": list(self.unpriced),
            "steps": [asdict(one) for one in self.steps],
        }


async def plan(
    pipeline: Pipeline, inputs: Scope, *, folder: Path, rates: Rates, router: Router
) -> Plan:
    """The steps in the order they would begin; UserError where a value cannot be there."""
    steps: dict[str, object] = {}
    scope: Scope = {"inputs": inputs, "steps": steps}
    planned = []
    for step in pipeline.in_order:
        own = request.scope_of(step, scope, folder)
        items = request.items(step, own) if step.for_each else (Item("", None),)
        allowed = await _allowed(step, rates, router)
        planned.append(_planned(step, own, items, rates=rates, allowed=allowed))
        answer = Unknown(step.max_tokens * len(items))
        steps[step.id] = {"text": answer, "json": answer}
    return Plan(pipeline.name, tuple(planned))


async def _allowed(step: Step, rates: Rates, router: Router) -> Allowed:
    """Whom the step would ask as things stand, and who may not be asked."""
    if step.write is not None:
        return Allowed(())
    asked = request.targets(step, rates.config).all
    return await router.allowed(asked, local_only=step.local_only)


def _planned(
    step: Step, scope: Scope, items: Sequence[Item], *, rates: Rates, allowed: Allowed
) -> Planned:
    targets, prompts = allowed.targets, list[int]()
    if targets:
        prompts = [_tokens(step, {**scope, "item": item.value}) for item in items]
    return Planned(
        step=step.id,
        after=tuple(sorted(step.after)),
        targets=tuple(map(str, targets)),
        requests=len(prompts),
        at_most=any(isinstance(item.value, Unknown) for item in items),
        prompt_tokens=sum(prompts),
        answer_tokens=step.max_tokens * len(prompts),
        usd=_sum(rates.usd(targets[0], prompt=one) for one in prompts),
        usd_most=_sum(rates.usd(targets[0], prompt=one, answer=step.max_tokens) for one in prompts),
        when=step.when,
        writes=step.write.path if step.write else None,
        why_not=_why_not(allowed, time.time()),
    )


def _why_not(allowed: Allowed, now: float) -> dict[str, str]:
    """Of each target that may not be asked, why."""
    on = allowed.because
    emergency = f"emergency mode, {on.text(now)}" if on else None
    return {str(target): emergency or why for target, _, why in allowed.kept}


def _tokens(step: Step, scope: Scope) -> int:
    """Of one prompt, outputs that are not there yet included."""
    texts = filter(None, (step.prompt, step.system))
    missing = sum(template.unknown_tokens(text, scope) for text in texts)
    return request.prompt(step, scope).estimated_tokens + missing


def _sum(parts: Iterable[float | None]) -> float | None:
    """The sum; None where a part is not known."""
    found = list(parts)
    known = [one for one in found if one is not None]
    return math.fsum(known) if len(known) == len(found) else None

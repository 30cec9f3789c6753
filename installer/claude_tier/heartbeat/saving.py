"""What a request that was not made would have cost: an estimate, and said to be one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from claude_tier_hooks import policy, project

from claude_tier.heartbeat import models, request
from claude_tier.routing.prompt import BYTES_PER_TOKEN, Prompt

if TYPE_CHECKING:
    from claude_tier_hooks.shapes import Json

    from claude_tier.config import Config
    from claude_tier.heartbeat.beat import Beat


class Saved(NamedTuple):
    """Bytes of a request, and dollars where the beat's first model has a price."""

    size: int
    usd: float | None


def of(config: Config, rules: Json, beat: Beat, asked: Prompt) -> Saved:
    """For one request that costs as much as its own text."""
    from claude_tier.pipelines.spending import Rates

    size = request.size(asked)
    first = models.targets(config, beat.models[0])[0]
    return Saved(size, Rates(config, rules).usd(first, prompt=size // BYTES_PER_TOKEN))


def of_nothing(config: Config, beat: Beat, now: float) -> Saved:
    """For a beat without anything to do in it, asked all the same."""
    evidence = request.evidence(beat, None, (), now)
    rules = policy.load(project.root(str(beat.file.parent)))
    return of(config, rules, beat, request.prompt(beat, evidence, now))

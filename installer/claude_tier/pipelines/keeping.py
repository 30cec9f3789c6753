"""Under which name an outcome is kept, and when one that is kept will do."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from claude_tier.pipelines.model import Step
from claude_tier.pipelines.outcome import Outcome
from claude_tier.pipelines.request import Item
from claude_tier.pipelines.runs import Run


class Part(NamedTuple):
    """One of the items of a step, by its number."""

    number: int
    item: Item


def unit(step: Step, part: Part | None) -> str:
    """The name: of the step, or of one of its items."""
    return step.id if part is None else f"{step.id}.{part.number:04}"


def reusable(run: Run, unit: str, fingerprint: str) -> Outcome | None:
    """The outcome that is kept, if nothing that it depends on differs."""
    kept = run.kept(unit)
    if not kept or kept.get("fingerprint") != fingerprint:
        return None
    found = Outcome.of(kept)
    return replace(found, reused=True) if found.status in ("answered", "written") else None

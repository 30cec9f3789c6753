"""Under which name an outcome is kept, and when one that is kept will do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from claude_tier.pipelines.model import Step
from claude_tier.pipelines.outcome import Outcome
from claude_tier.pipelines.request import Item
from claude_tier.pipelines.runs import Run

DONE = ("answered", "written")


class Part(NamedTuple):
    """One of the items of a step, by its number."""

    number: int
    item: Item


def unit(step: Step, part: Part | None) -> str:
    """The name: of the step, or of one of its items."""
    return step.id if part is None else f"{step.id}.{part.number:04}"


def of_step(unit: str) -> str:
    """The step that a unit belongs to."""
    return unit.partition(".")[0]


def reusable(run: Run, unit: str, fingerprint: str) -> Outcome | None:
    """The outcome that is kept, if nothing that it depends on differs."""
    kept = run.kept(unit)
    if not kept or kept.get("fingerprint") != fingerprint:
        return None
    found = Outcome.of(kept)
    return replace(found, reused=True) if found.status in DONE else None


def settle(run: Run, step: Step, wanted: Mapping[str, str]) -> dict[str, Outcome]:
    """Of these units, by fingerprint, those that are answered; an answer moves with its item.

    Each stands for one unit: what is asked twice is answered twice.
    """
    kept = _done(run, step)
    found = {unit: kept[unit] for unit, each in wanted.items() if _is(kept.get(unit), each)}
    spare = {unit: one for unit, one in kept.items() if unit not in found}
    moved = dict[str, str]()
    for unit in wanted.keys() - found.keys():
        before = next((name for name, one in spare.items() if _is(one, wanted[unit])), None)
        if before is not None:
            moved[unit] = before
            found[unit] = spare.pop(before)
    _move(run, moved, found)
    return {unit: replace(one, reused=True) for unit, one in found.items()}


def _move(run: Run, moved: Mapping[str, str], found: Mapping[str, Outcome]) -> None:
    """All have their new names before any old one goes: a kill in between loses nothing."""
    for unit in moved:
        run.keep(unit, found[unit].fields())
    for unit in {*moved.values()} - moved.keys():
        run.drop(unit)


def _done(run: Run, step: Step) -> dict[str, Outcome]:
    units = {unit: kept for unit, kept in run.outcomes().items() if of_step(unit) == step.id}
    found = {unit: Outcome.of(kept) for unit, kept in units.items()}
    return {unit: one for unit, one in found.items() if one.status in DONE}


def _is(outcome: Outcome | None, fingerprint: str) -> bool:
    return outcome is not None and outcome.fingerprint == fingerprint

"""What costs nothing and decides whether a model is asked at all, in this order."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import TYPE_CHECKING

from claude_tier_hooks import budget, ledger, project, state

from claude_tier.heartbeat import checking, request, saving
from claude_tier.heartbeat.case import LEVELS, Asked, Case, Spent
from claude_tier.heartbeat.receipts import End
from claude_tier.heartbeat.steps import step

if TYPE_CHECKING:
    from pathlib import Path

    from claude_tier_hooks.shapes import Json

    from claude_tier.config import Config

AGENT = "heartbeat"  # as which budgets know all beats together
NOTHING, UNCHANGED = "its check found nothing", "unchanged since all was well"


def decide(case: Case, told_to_end: Callable[[], bool]) -> End | Asked:
    """The end of a run that needs no model, else what is to be asked."""
    beat = case.known.beat
    if case.known.barred:
        return End("skipped", case.known.barred)
    if case.disabled:
        return End("skipped", f"disabled: {case.disabled}")
    if case.spent.level == "stop" and beat.check is None:
        return _saving(case, _asked(case, None), f"the budget {case.spent.budget} is used up")
    checked = None
    if beat.check is not None:
        step("check")
        found = checking.run(
            beat.check, beat.file.parent, seconds=case.left, told_to_end=told_to_end
        )
        if found.found == "failed":
            return End("failed", found.text)
        if found.found == "nothing":
            return _saving(case, _asked(case, None), NOTHING)
        checked = found.text
    asked = _asked(case, checked)
    if case.spent.level == "stop":
        return _saving(case, asked, f"the budget {case.spent.budget} is used up")
    if beat.unchanged == "skip" and asked.evidence.fingerprint(beat) == case.evidence:
        return _saving(case, asked, UNCHANGED)
    return asked


def spent(db: sqlite3.Connection, config: Config, rules: Json, folder: Path, now: float) -> Spent:
    """The highest level of the budgets of all beats, of the user and of that project."""
    root = state.storable(project.root(str(folder)))
    here = {"session": -1, "project": ledger.known_id(db, root)}
    all_ = {**rules, "budgets": [*rules["budgets"], own_budget(config)]}
    found = [one for one in budget.standing(db, all_, here, now) if _holds(one["budget"])]
    worst = max(found, key=lambda one: LEVELS.index(one["level"]))
    return Spent(worst["level"], worst["budget"]["name"])


def own_budget(config: Config) -> Json:
    """`heartbeat.budget`, as policy.json would have it."""
    limit = config.heartbeat.budget
    return {
        "name": AGENT,
        "scope": {"kind": "agent", "name": AGENT},
        "period": limit.period,
        "unit": "usd",
        "limit": limit.usd,
        "warn": 0.8,
        "recover": 0.85,
        "cap": 0.9,
        "stop": 1.0,
    }


def _holds(what: Json) -> bool:
    """A session's budget is another's, as is that of an agent that is no beat."""
    scope = what["scope"]
    if what["period"] == "session" or scope["kind"] == "session":
        return False
    return bool(scope["kind"] != "agent" or scope["name"] == AGENT)


def _asked(case: Case, checked: str | None) -> Asked:
    beat = case.known.beat
    evidence = request.evidence(beat, checked, case.config.heartbeat.notes, case.at)
    return Asked(evidence, request.prompt(beat, evidence, case.at))


def _saving(case: Case, asked: Asked, reason: str) -> End:
    """A skip with what would have been sent."""
    saved = saving.of(case.config, case.rules, case.known.beat, asked.prompt)
    return End("skipped", reason, saved_bytes=saved.size, saved_usd=saved.usd)

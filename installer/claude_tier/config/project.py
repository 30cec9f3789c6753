"""A project's own .claude/claude-tier.yaml: it comes with a clone and is not trusted.

It may add budgets and lower assignments. Everything else in it is refused, and then none of it
applies: it can neither loosen what the user set, nor reach a host, nor run a command.
"""

from __future__ import annotations

from pathlib import Path
from typing import cast

from claude_tier_hooks import policy as ladder
from pydantic import Field

from claude_tier.config import document as documents
from claude_tier.config.document import Document
from claude_tier.config.faults import ConfigError, Fault, Location, printable, shown
from claude_tier.config.fields import EFFORTS, Section
from claude_tier.config.load import Loaded, Policy, check, context, shipped_presets
from claude_tier.config.model import LATER, Assignment, Assignments, Budget, Budgets, Config
from claude_tier.config.policy import Record, budget_record, rules, whole


class ProjectConfig(Section):
    """All that a project may say."""

    assign: Assignments = Field(default_factory=dict)
    budgets: Budgets = Field(default_factory=list)

    @classmethod
    def refusal(cls, key: str) -> str | None:
        if key not in Config.model_fields and key not in LATER:
            return None
        return "a project's file may only add budgets and lower assignments; nothing in it applies"


def overlaid(user: Loaded, file: Path, state_dir: Path) -> tuple[Policy, tuple[str, ...]]:
    """The user's policy with that file over it, and what had no effect; raises ConfigError."""
    document = documents.read(file, follow_links=False)
    tiers = [str(tier) for tier in user.config.tiers]
    known = context(document.values) | {"tiers": tiers}
    own = _plainly_named(check(document, ProjectConfig, known), document)
    policy = whole(user.config, state_dir, [user.document.source, document.source])
    notes = _lower_assignments(policy, own, document)
    _add_budgets(policy, own, document)
    return policy | {"project": str(file.parent.parent), "notes": list(notes)}, tuple(notes)


def project_policy_for_commit(project_root: Path, preset: str = "balanced") -> Policy:
    """What `install` commits for everyone who clones: assign, budgets and fan_out, nothing else.

    The preset's, with the project's own claude-tier.yaml over it; raises ConfigError.
    """
    document = documents.read(project_root / ladder.PROJECT_FILE, follow_links=False)
    known = context({"preset": preset})
    _plainly_named(check(document, ProjectConfig, known), document)
    config = Config.model_validate({**document.values, "preset": preset}, context=known)
    policy = rules(config)
    return {"version": 1, **{key: policy[key] for key in ladder.PROJECT_KEYS}}


def _plainly_named(own: ProjectConfig, document: Document) -> ProjectConfig:
    """The same, if its names are plain words: Claude is shown them, and a clone might say more."""
    places: list[tuple[Location, str]] = [(("assign", agent), agent) for agent in own.assign]
    for index, budget in enumerate(own.budgets):
        places.append((("budgets", index, "name"), budget.name))
        if budget.scope.name is not None:
            places.append((("budgets", index, "scope", "agent"), budget.scope.name))
    faults = [
        document.fault(place, f"must be at most 64 of A-Z a-z 0-9 - _ . :, not {shown(name)}")
        for place, name in places
        if not ladder.is_plain_name(name)
    ]
    if faults:
        raise ConfigError(document.source, faults)
    return own


def _add_budgets(policy: Policy, own: ProjectConfig, document: Document) -> None:
    budgets = cast("list[Record]", policy["budgets"])
    names = [budget["name"] for budget in budgets]
    faults = [
        fault
        for index, budget in enumerate(own.budgets)
        if (fault := _budget_fault(document, index, budget, names))
    ]
    if faults:
        raise ConfigError(document.source, faults)
    on_stop = cast("str", shipped_presets()[str(policy["preset"])]["on_stop"])
    tiers = cast("list[str]", policy["tiers"])
    budgets += [budget_record(budget, tiers=tiers, on_stop=on_stop) for budget in own.budgets]


def _budget_fault(
    document: Document, index: int, budget: Budget, names: list[object]
) -> Fault | None:
    if budget.name in names:
        message = f"is the name of one of your own budgets ({printable(budget.name)})"
        return document.fault(("budgets", index, "name"), message)
    if budget.limit is None:
        return document.fault(("budgets", index, "limit"), "a project cannot remove a budget")
    return None


def _lower_assignments(policy: Policy, own: ProjectConfig, document: Document) -> list[str]:
    """Put the project's assignments in where they are lower; say where they are not."""
    assign = cast("dict[str, Record]", policy["assign"])
    tiers = cast("list[str]", policy["tiers"])
    notes = []
    for agent, wanted in own.assign.items():
        yours = cast("Record | None", ladder.of_agent(assign, agent))
        allowed = _lower(wanted, yours, tiers)
        if allowed != (wanted.model_dump() if wanted else None):
            message = "may only lower what you set; the part that would raise it has no effect"
            notes.append(str(document.fault(("assign", agent), message)))
        if allowed:
            assign[agent] = allowed
    return notes


def _lower(wanted: Assignment | None, yours: Record | None, tiers: list[str]) -> Record | None:
    """The lower of both, in tier and in effort."""
    if wanted is None:
        return yours
    if yours is None:
        return {"tier": wanted.tier, "effort": _lower_effort(wanted.effort, None)}
    effort = _lower_effort(wanted.effort, cast("str | None", yours["effort"]))
    return {"tier": ladder.lower(wanted.tier, str(yours["tier"]), tiers), "effort": effort}


def _lower_effort(wanted: str | None, yours: str | None) -> str | None:
    """Without one of the user's own only the lowest effort cannot raise anything."""
    if wanted is None:
        return yours
    if yours is None:
        return wanted if wanted == EFFORTS[0] else None
    return min(wanted, yours, key=EFFORTS.index)

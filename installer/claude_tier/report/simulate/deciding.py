"""One decision made again with the hooks' own `decide()`."""

from __future__ import annotations

from claude_tier_hooks import decision, replayable
from claude_tier_hooks.shapes import Json

from claude_tier.report.simulate.history import Past
from claude_tier.report.simulate.result import Verdict, verdict


def decide(rules: Json, standings: list[Json], spawn: Json, *, off: bool) -> Json:
    """As the gate does: while claude-tier is off the rules change nothing."""
    made = decision.decide(rules, standings, spawn)
    if off:
        made["reason"] = "claude-tier is off"
    return made


def again(past: Past, rules: Json) -> Verdict:
    """Under its own rules, with what was kept of its inputs; an older one by `rules`."""
    if past.approximate:
        return verdict(decide(rules, _of_columns(past, rules), past.spawn(), off=False))
    assert past.rules is not None
    standings = replayable.standings(past.rules, past.told)
    return verdict(decide(past.rules, standings, past.spawn(), off="off" in past.told))


def _of_columns(past: Past, rules: Json) -> list[Json]:
    """The one budget that an older decision names, if it is still one of the policy's."""
    level = past.made.level or "ok"
    return [
        {"budget": one, "used": past.made.used, "level": level, "gate": level}
        for one in rules["budgets"]
        if one["name"] == past.made.budget
    ]


def switched_off(rules: Json) -> Json:
    """The policy while `claude-tier off` holds."""
    return dict(rules, assign={}, budgets=[], fan_out=None)

"""`decide()`: what becomes of one new subagent. The one place that decides; it reads nothing.

Hooks, the command line and simulations call the same function. It never raises a tier: what runs
is min(asked, max(ceiling, floor)), and where the model is not known nothing is set.
"""

from __future__ import annotations

from . import policy as ladder
from .budget import LEVELS
from .client import FORK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .shapes import Json

KEPT, ASSIGNED, LOWERED, DENIED, ASKED, LEFT = (
    "kept", "assigned", "lowered", "denied", "asked", "left",
)  # fmt: skip
WAY_OUT = "To lift it for a while run `claude-tier off --for 1h` in a terminal of your own."
EFFORTS = ("low", "medium", "high", "xhigh", "max")
STRICTNESS = ("lowest", "ask", "deny")


def decide(policy: Json, standings: list[Json], spawn: Json) -> Json:
    """The decision on a spawn.

    `spawn` has tool (Agent, Workflow or SendMessage), agent, would ({model, origin, at_most}),
    inside (asked by a subagent), attended, forced, recent (new agents in the fan-out period),
    unavailable (tiers whose alias the client would send elsewhere) and effort (the session's).
    The answer has action, set (the tier it is to run on, or not above when it is left), effort,
    reason, budget, level, used, and note (what only concerns the fan-out).
    """
    tiers = policy["tiers"]
    asked = _asked_tier(spawn["would"], tiers)
    found = [one for one in standings if _concerns(one, spawn["agent"])]
    worst = max(found, key=lambda one: (LEVELS.index(one["gate"]), one["used"] or 0), default=None)
    made: Json = {
        "action": KEPT, "set": None, "effort": None, "reason": "", "budget": None,
        "level": worst["gate"] if worst else "ok", "used": worst["used"] if worst else None,
        "note": None,
    }  # fmt: skip
    if spawn["agent"] == FORK:
        return dict(made, action=LEFT, reason="a fork always runs on its parent's model")
    if ladder.is_exempt(policy, spawn["agent"]):
        return dict(made, reason="exempt")
    refusal = _refusal(policy, found, spawn, asked)
    if refusal:
        made.update(refusal)
        if made["action"] == ASKED and spawn["tool"] == "Agent" and not spawn["forced"]:
            made["set"] = _if_allowed(policy, made, found, spawn, asked)
        return made
    made["note"] = _crowd_note(policy, spawn)
    if spawn["tool"] != "Agent":
        return made
    if spawn["forced"]:
        return dict(made, action=LEFT, reason="CLAUDE_CODE_SUBAGENT_MODEL_FORCE decides the model")
    return _choose(policy, made, found, spawn, asked)


def _asked_tier(would: Json, tiers: list[str]) -> str | None:
    """The tier that would run; None when unknown or off the ladder, which counts as dearest."""
    tier = ladder.tier_of(would["model"], tiers)
    at_most = would.get("at_most")
    if at_most and would["model"] and ladder.cheaper(at_most, tier, tiers):
        return str(at_most)
    return tier


def _concerns(standing: Json, agent: str) -> bool:
    scope = standing["budget"]["scope"]
    return scope["kind"] != "agent" or scope["name"] in (agent, ladder.plain_agent(agent))


def _refusal(policy: Json, found: list[Json], spawn: Json, asked: str | None) -> Json | None:
    """The denial or question a budget at stop or the fan-out gate demands; None for neither."""
    stopped = [one for one in found if one["gate"] == "stop"]
    if stopped:
        worst = max(stopped, key=lambda one: STRICTNESS.index(one["budget"]["on_stop"]))
        action = _at_stop(worst["budget"]["on_stop"], spawn, asked, policy["tiers"])
        if action:
            reason = _cause(worst)
            return {"action": action, "reason": reason, "budget": worst["budget"]["name"],
                    "level": "stop", "used": worst["used"]}  # fmt: skip
    gate = policy["fan_out"]
    if gate and gate["action"] == "deny" and spawn["recent"] >= gate["max_new_agents"]:
        return {"action": DENIED, "reason": crowd(gate, spawn["recent"])}
    return None


def _if_allowed(
    policy: Json, made: Json, found: list[Json], spawn: Json, asked: str | None
) -> str | None:
    """What a spawn runs on when the user says yes at stop: the budget's ceiling as at cap.

    A budget that stops on the lowest tier was not asked about.
    """
    as_at_cap = [
        dict(one, gate="cap")
        if one["gate"] == "stop" and one["budget"]["on_stop"] != "lowest"
        else one
        for one in found
    ]
    chosen = _choose(policy, dict(made, action=KEPT), as_at_cap, spawn, asked)
    return chosen["set"] if chosen["action"] in (ASSIGNED, LOWERED) else None


def _at_stop(on_stop: str, spawn: Json, asked: str | None, tiers: list[str]) -> str | None:
    if on_stop == "lowest":
        # Neither a workflow's agents nor a resumed one can be put on another model.
        free = spawn["tool"] == "Agent" or (spawn["tool"] == "SendMessage" and asked == tiers[-1])
        return None if free else DENIED
    if on_stop == "ask" and spawn["attended"] and not spawn["inside"]:
        return ASKED
    return DENIED


def crowd(gate: Json, recent: int) -> str:
    seconds = gate["seconds"]
    span = "%d min" % (seconds // 60) if seconds >= 60 else "%d s" % seconds
    return "%d new subagents in the last %s (fan_out allows %d)" % (
        recent, span, gate["max_new_agents"],
    )  # fmt: skip


def _crowd_note(policy: Json, spawn: Json) -> str | None:
    gate = policy["fan_out"]
    return (
        crowd(gate, spawn["recent"]) if gate and spawn["recent"] >= gate["max_new_agents"] else None
    )


def share(standing: Json) -> str:
    used = standing["used"]
    return "an unknown share" if used is None else "%d %%" % int(used * 100 + 1e-9)


def _cause(standing: Json) -> str:
    """Why a budget interferes; what is reserved may take it there before it is spent."""
    text = "budget %s is at %s" % (standing["budget"]["name"], share(standing))
    held = LEVELS.index(standing["gate"]) > LEVELS.index(standing["level"])
    return text + (", its running subagents not counted" if held else "")


def _choose(policy: Json, made: Json, found: list[Json], spawn: Json, asked: str | None) -> Json:
    """The tier an allowed Agent call runs on."""
    tiers = policy["tiers"]
    if spawn["would"]["model"] is None:
        return _unknown(policy, made, found, spawn)
    floor = ladder.of_agent(policy["floor"], spawn["agent"])
    wanted, effort = _assigned(policy, spawn, asked)
    given = _runnable(wanted, spawn, tiers)
    if given and floor and ladder.cheaper(given, str(floor), tiers):
        given = None
    if given:
        reason = "assigned to %s" % wanted + ("" if given == wanted else "; " + _elsewhere(wanted))
        made.update(action=ASSIGNED, set=given, reason=reason, effort=effort)
    elif wanted:
        made.update(action=LEFT, reason=_elsewhere(wanted))
    ceiling, cause = _ceiling(policy, made, found)
    if ceiling and floor:
        ceiling = ladder.higher(ceiling, str(floor), tiers)
    if not ceiling or not ladder.cheaper(ceiling, given or asked, tiers):
        return made
    below = _runnable(ceiling, spawn, tiers)
    made.update(action=LOWERED, set=below, reason=cause[0], budget=cause[1])
    if below is None:
        made.update(action=LEFT, set=ceiling, effort=None, reason=_elsewhere(ceiling))
    return made


def _runnable(target: str | None, spawn: Json, tiers: list[str]) -> str | None:
    """The target, or the next rung below whose alias runs what it says; None for none."""
    rungs = tiers[tiers.index(target) :] if target else []
    return next((tier for tier in rungs if tier not in spawn["unavailable"]), None)


def _elsewhere(tier: str | None) -> str:
    return "the alias %s would not run %s here" % (tier, tier)


def _unknown(policy: Json, made: Json, found: list[Json], spawn: Json) -> Json:
    """Only the lowest tier of all is set, since any other might raise.

    When left, `set` names the ceiling the proof is judged by.
    """
    tiers = policy["tiers"]
    ceiling, cause = _ceiling(policy, made, found)
    floor = ladder.of_agent(policy["floor"], spawn["agent"])
    if ceiling and floor:
        ceiling = ladder.higher(ceiling, str(floor), tiers)
    if ceiling == ladder.TIERS[-1] and ceiling not in spawn["unavailable"]:
        return dict(made, action=LOWERED, set=ceiling, reason=cause[0], budget=cause[1])
    reason = "what would run is not known" + (": " + cause[0] if ceiling else "")
    return dict(made, action=LEFT, set=ceiling, reason=reason, budget=cause[1])


def _assigned(policy: Json, spawn: Json, asked: str | None) -> tuple[str | None, str | None]:
    """(tier, effort) where nobody asked for a model and what is inherited is dearer."""
    given = ladder.of_agent(policy["assign"], spawn["agent"])
    if not isinstance(given, dict) or spawn["would"]["origin"] != "parent":
        return None, None
    tier = given["tier"]
    floor = ladder.of_agent(policy["floor"], spawn["agent"])
    if floor:
        tier = ladder.higher(tier, str(floor), policy["tiers"])
    if not ladder.cheaper(tier, asked, policy["tiers"]):
        return None, None
    return tier, _lower_effort(given.get("effort"), spawn.get("effort"))


def _lower_effort(given: str | None, session: str | None) -> str | None:
    """The lower of the assigned effort and the session's, where that is known.

    Left unsaid, a subagent on another model than the session's gets that model's default effort.
    """
    if given not in EFFORTS or session not in EFFORTS:
        return given
    return min(given, session, key=EFFORTS.index)


def _ceiling(
    policy: Json, made: Json, found: list[Json]
) -> tuple[str | None, tuple[str, str | None]]:
    """The lowest ceiling any budget or the fan-out gate sets, and why."""
    tiers = policy["tiers"]
    ceilings = []
    for one in found:
        budget = one["budget"]
        if one["gate"] in ("cap", "stop"):
            tier = tiers[-1] if one["gate"] == "stop" else budget["ceiling"]
            cause = _cause(one)
            ceilings.append((tier, (cause, budget["name"])))
    if made["note"] and policy["fan_out"]["action"] == "lower":
        ceilings.append((tiers[-1], (made["note"], None)))
    if not ceilings:
        return None, ("", None)
    return max(ceilings, key=lambda one: ladder.rank(one[0], tiers))

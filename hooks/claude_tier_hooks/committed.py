"""The policy a project commits: it comes with a clone, so it only adds to what holds anyway.

It is read where the user has no policy of their own. Its budgets come beside those of the preset,
its assignments count where they are lower, and nothing else of it is looked at. Where the running
hooks are themselves the project's, nothing but its own policy holds: that is what a team installed.
"""

from __future__ import annotations

import json
import os
import zlib

from . import policy, project, state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .shapes import Json

LARGEST = 64 * 1024  # bytes
NEVER = 1e9  # a threshold that no spending reaches
SCOPES = ("user", "project", "session", "agent")
PERIODS = ("session", "day", "week", "month", "five_hour", "seven_day")
WINDOWS = ("five_hour", "seven_day")
UNITS = ("usd", "tokens", "plan_percent")
EFFORTS = ("low", "medium", "high", "xhigh", "max")
ON_STOP = ("deny", "lowest", "ask")
ACTIONS = ("warn", "lower", "deny")


def over(base: Json, root: str) -> Json:
    """The preset with what that project commits; a file of another shape is ignored and logged."""
    data = _data(os.path.join(root, policy.PROJECT_POLICY))
    if data is None:
        return base
    try:
        said = _checked(data)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as fault:
        if state.first_time("%08x" % zlib.crc32(data), "committed-policy"):
            state.log_fault("policy of " + root, fault)
        return base
    return _alone(base, said) if _is_own(root) else _added(base, said)


def _data(file: str) -> bytes | None:
    return None if os.path.islink(file) else state.read(file, LARGEST + 1)


def _is_own(root: str) -> bool:
    """Whether this very runtime is the one the project commits (also seen from a worktree)."""
    hooks = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
    place = os.path.join(os.path.dirname(policy.PROJECT_POLICY), "hooks")
    if not hooks.endswith(os.sep + place):
        return False
    holder = hooks[: -len(os.sep + place)]
    return os.path.realpath(root) in (holder, project.root(holder))


def _alone(base: Json, said: Json) -> Json:
    return dict(base, **said)


def _added(base: Json, said: Json) -> Json:
    assign = dict(base["assign"])
    for agent, wanted in said["assign"].items():
        yours = policy.of_agent(base["assign"], agent)
        tier = wanted["tier"]
        if isinstance(yours, dict):
            tier = policy.lower(tier, yours["tier"], base["tiers"])
        effort = yours["effort"] if isinstance(yours, dict) else None
        assign[agent] = {"tier": tier, "effort": effort}
    names = [budget["name"] for budget in base["budgets"]]
    more = [budget for budget in said["budgets"] if budget["name"] not in names]
    return dict(base, assign=assign, budgets=base["budgets"] + more)


def _checked(data: bytes) -> Json:
    """What it says, in our own shape and nothing beside; raises for any other."""
    if len(data) > LARGEST:
        raise ValueError("larger than %d bytes" % LARGEST)
    given = json.loads(data)
    budgets = [_budget(one) for one in given.get("budgets") or []]
    if len({one["name"] for one in budgets}) != len(budgets):
        raise ValueError("two budgets have one name")
    return {
        "assign": {_name(agent): _entry(one) for agent, one in (given.get("assign") or {}).items()},
        "budgets": budgets,
        "fan_out": _fan_out(given.get("fan_out")),
    }


def _entry(given: Json) -> Json:
    effort = given.get("effort")
    return {
        "tier": _one_of(policy.TIERS, given["tier"]),
        "effort": None if effort is None else _one_of(EFFORTS, effort),
    }


def _budget(given: Json) -> Json:
    scope = _scope(given["scope"])
    made: Json = {
        "name": _name(given["name"]),
        "scope": scope,
        "period": _one_of(PERIODS, given["period"]),
        "unit": _one_of(UNITS, given["unit"]),
        "limit": _number(given["limit"]),
        "ceiling": _one_of(policy.TIERS, given["ceiling"]),
        "on_stop": _one_of(ON_STOP, given["on_stop"]),
    }
    if made["unit"] == "plan_percent" and (
        scope["kind"] != "user" or made["period"] not in WINDOWS or made["limit"] > 100
    ):
        raise ValueError("plan_percent is of the user's two windows")
    return dict(made, **_thresholds(given))


def _scope(given: Json) -> Json:
    kind = _one_of(SCOPES, given["kind"])
    return {"kind": kind, "name": _name(given["name"]) if kind == "agent" else None}


def _thresholds(given: Json) -> Json:
    made = {key: _number(given[key]) for key in ("warn", "recover", "cap", "stop")}
    if not made["warn"] <= made["recover"] < made["cap"] <= made["stop"]:
        raise ValueError("thresholds are out of order")
    if any(value > 2 and value != NEVER for value in made.values()):
        raise ValueError("a threshold is out of reach")
    return made


def _fan_out(given: Json | None) -> Json | None:
    if given is None:
        return None
    return {
        "max_new_agents": int(_number(given["max_new_agents"])),
        "seconds": int(_number(given["seconds"])),
        "action": _one_of(ACTIONS, given["action"]),
    }


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError("a figure is no number")
    if not 0 < value < 1e15:  # nor NaN, which JSON may hold here
        raise ValueError("a figure is out of range")
    return value


def _name(value: object) -> str:
    if not policy.is_plain_name(value):
        raise ValueError("a name is not of letters, digits and - _ . :")
    return str(value)


def _one_of(known: tuple[str, ...], value: object) -> str:
    if value not in known:
        raise ValueError("must be one of " + ", ".join(known))
    return str(value)

"""The compiled policy and the ladder of tiers: pure questions about what is dearer than what.

A policy is the dict of policy.json (see docs/config.md). Without one the shipped preset and price
table stand, so that the plugin works before the command is installed.
"""

from __future__ import annotations

import os
import zlib

from . import prices, state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .shapes import Json

PLUGIN = "model-tier:"
TIERS = ("fable", "opus", "sonnet", "haiku")
PROJECT_FILE = os.path.join(".claude", "claude-tier.yaml")
PROJECT_POLICY = os.path.join(".claude", "claude-tier", "policy.json")
PROJECT_KEYS = ("assign", "budgets", "fan_out")  # all that an install commits


def overlay_file(root: str) -> str:
    """Where the policy of a project with its own claude-tier.yaml is compiled to."""
    return state.path("policies", "%08x.json" % zlib.crc32(root.encode("utf-8", "surrogateescape")))


def failure_file(root: str | None) -> str:
    """Where the mistake in the user's configuration, or in that project's, is noted."""
    if root is None:
        return state.path("compile-error.json")
    return overlay_file(root).rpartition(".")[0] + ".error.json"


def load(root: str | None = None) -> Json:
    """The policy that holds in this project; the shipped defaults when there is none."""
    user = state.read_json(state.path("policy.json"))
    if user and root and os.path.exists(os.path.join(root, PROJECT_FILE)):
        overlay = state.read_json(overlay_file(root))
        if overlay:
            return _whole(overlay)
    if user or not root or not os.path.lexists(os.path.join(root, PROJECT_POLICY)):
        return _whole(user)
    from . import committed

    return committed.over(_whole(None), root)


def _whole(given: Json | None) -> Json:
    """Fill what is missing; with nothing given, the balanced preset."""
    if given is None:
        given = (state.read_json(data_file("presets.json")) or {}).get("balanced") or {}
    shipped = prices.shipped()
    made: Json = {
        "tiers": list(TIERS), "assign": {}, "budgets": [], "floor": {}, "exempt": [],
        "fan_out": None, "model_switch": "ask", "week_start": 0, "log": {"descriptions": True},
        "hosts": {}, "router": {"local_only": False, "paid": []},
    }  # fmt: skip
    made.update(given)
    made["models"] = made.get("prices") or shipped.get("models")
    made["geo"] = shipped.get("geo")
    made["web_search_usd"] = shipped.get("web_search_usd")
    return made


def data_file(name: str) -> str:
    return os.path.join(os.path.dirname(__file__), name)


def tier_of(model: str | None, tiers: list[str]) -> str | None:
    """The rung of an id or alias: claude-opus-5-5[1m] -> opus; None for an unknown family.

    A family left out of the ladder counts as the next dearer rung, so that it is never raised;
    one above the whole ladder is as good as unknown, which counts as dearest.
    """
    known = family(model)
    if known is None or known in tiers:
        return known
    dearer = TIERS[: TIERS.index(known)]
    return max((tier for tier in tiers if tier in dearer), key=tiers.index, default=None)


def family(model: str | None) -> str | None:
    """The family of an id or alias, on the configured ladder or not."""
    name = (model or "").lower()
    return next((tier for tier in TIERS if tier in name), None)


def rank(tier: str | None, tiers: list[str]) -> int:
    """0 for the dearest rung; -1 for what is not on the ladder, which counts as dearer still."""
    return tiers.index(tier) if tier in tiers else -1


def cheaper(one: str | None, other: str | None, tiers: list[str]) -> bool:
    return rank(one, tiers) > rank(other, tiers)


def lower(one: str, other: str, tiers: list[str]) -> str:
    """The cheaper of two rungs."""
    return one if rank(one, tiers) >= rank(other, tiers) else other


def higher(one: str, other: str, tiers: list[str]) -> str:
    return one if rank(one, tiers) <= rank(other, tiers) else other


def plain_agent(agent: str) -> str:
    """`explorer` in the configuration also means the plugin's `model-tier:explorer`."""
    return agent.partition(PLUGIN)[2] if agent.startswith(PLUGIN) else agent


def of_agent(table: Json, agent: str) -> object:
    """What a table of the policy says about an agent, under either of its names."""
    return table[agent] if agent in table else table.get(plain_agent(agent))


def is_plain_name(name: object) -> bool:
    """Whether a name from a clone may be shown to Claude: one word, which can say nothing else."""
    if not isinstance(name, str) or not 0 < len(name) <= 64:
        return False
    return all(c.isascii() and (c.isalnum() or c in "-_.:") for c in name)


def is_exempt(policy: Json, agent: str) -> bool:
    return agent in policy["exempt"] or plain_agent(agent) in policy["exempt"]


def in_force(root: str | None, now: float) -> Json:
    """The policy of this project; while `claude-tier off` holds, one that changes nothing."""
    rules = load(root)
    until = state.off_until(now)
    if until is None:
        return rules
    return dict(rules, assign={}, budgets=[], fan_out=None, model_switch="off", off=until)

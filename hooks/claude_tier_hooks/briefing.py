"""What a session is told: the delegation table for Claude, levels for Claude and the user."""

from __future__ import annotations

import time

from . import budget, client, decision, state
from . import policy as ladder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .shapes import Json


def delegation(rules: Json, cwd: str) -> str:
    """The delegation table: which subagent does which work, cheapest first."""
    table = (state.read_json(ladder.data_file("builtins.json")) or {}).get("delegation", [])
    lines = []
    for one in table:
        name = next(
            (n for n in (one["agent"], ladder.PLUGIN + one["agent"]) if client.frontmatter(n, cwd)),
            None,
        )
        if name:
            lines.append("- %s: `%s` (%s)" % (one["work"], name, one["tier"]))
    for agent, given in sorted(rules["assign"].items()):
        lines.append("- `%s` runs on %s when you name no model" % (agent, given["tier"]))
    if not lines:
        return ""
    return (
        "claude-tier: delegate work to the cheapest subagent that can do it, and keep the main"
        " conversation for what needs it. Name no model unless the work needs another.\n"
        + "\n".join(lines)
    )


def lines(standings: list[Json]) -> list[str]:
    """One line for each budget at warn or above."""
    return [_line(one) for one in standings if one["level"] != "ok"]


def _line(one: Json) -> str:
    what = one["budget"]
    text = "budget %s is at %s (%s)" % (what["name"], decision.share(one), one["level"])
    whose = "new %s" % what["scope"]["name"] if _of_one(one) else "new subagents"
    if one["level"] == "cap":
        text += ": %s run on %s at most" % (whose, what["ceiling"])
    if one["level"] == "stop":
        text += {
            "deny": ": no " + whose,
            "ask": ": %s only with the user's consent" % whose,
            "lowest": ": %s run on the lowest tier" % whose,
        }[what["on_stop"]]
    return text + _until(what, one["since"], time.time())


def _of_one(one: Json) -> bool:
    """Whether the budget is one agent's own."""
    return bool(one["budget"]["scope"]["kind"] == "agent")


def off(rules: Json) -> str:
    """That `claude-tier off` holds, and until when."""
    if "off" not in rules:
        return ""
    until = rules["off"]
    end = time.strftime(" until %a %H:%M", time.localtime(until)) if until < float("inf") else ""
    return "off%s: every subagent runs as asked; `claude-tier on` ends that" % end


def _until(what: Json, since: float, now: float) -> str:
    end = budget.reset_at(what, since, now)
    if end is None:
        return ""
    form = "%a %H:%M" if end - now < 6 * 86400 else "%a %d %b %H:%M"
    return time.strftime(", until " + form, time.localtime(end))


def for_user(standings: list[Json], eased: list[str]) -> str:
    """Budgets at warn or above, and those that are ok again since the user was last told."""
    text = "; ".join(lines(standings) + _again(eased))
    if text and any(one["level"] == "stop" for one in standings):
        text += ". You can still edit and commit. " + decision.WAY_OUT
    return text


def for_claude(standings: list[Json], eased: list[str]) -> str:
    """Levels as Claude should know them; the way out is the user's and is not named."""
    text = "; ".join(lines(standings) + _again(eased))
    if text and any(one["level"] == "stop" and not _of_one(one) for one in standings):
        text += ". Work inline or ask the user; do not try to start subagents another way"
    return text and "claude-tier: %s." % text


def _again(eased: list[str]) -> list[str]:
    return ["budget %s is below its limits again" % name for name in eased]


def blind(standings: list[Json]) -> str:
    """Dollar budgets that cannot see some requests, because their model has no price."""
    found = [one for one in standings if one["unpriced"]]
    if not found:
        return ""
    names = ", ".join(one["budget"]["name"] for one in found)
    count = max(one["unpriced"] for one in found)
    what = "1 request" if count == 1 else "%d requests" % count
    text = "budget %s cannot see %s whose model has no price; `claude-tier prices` names it"
    return text % (names, what)

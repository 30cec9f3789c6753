"""The price of one request, from the price table. Dollars; the table is $ per million tokens.

The steps and multipliers are Claude Code's own (2.1.329), read off its cost figures; see the
`source` in prices.json. A model that is not in the table has no price: None, never a guess.
"""

from __future__ import annotations

import time

from . import state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .shapes import Json

PER_TOKEN = 1e-6
KINDS = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h")


def shipped() -> Json:
    """The table that comes with this version; {} when the file is damaged."""
    return state.read_json(__file__.rsplit("/", 1)[0] + "/prices.json") or {}


def plain_id(model: str) -> str:
    """The id as the table writes it: no provider prefix, window suffix, version or date.

    us.anthropic.claude-haiku-4-5-20251001-v1:0 -> claude-haiku-4-5
    """
    name = model.lower().partition("[")[0].rpartition("/")[2]
    start = name.find("claude-")
    if start > 0 and name[start - 1] == ".":
        name = name[start:]
    name = name.partition("@")[0].partition(":")[0]
    head, _, tail = name.rpartition("-")
    if tail in ("v1", "v2", "latest"):
        name = head
        head, _, tail = name.rpartition("-")
    if len(tail) == 8 and tail.isdigit():
        return head
    return name


def entry(models: Json, model: str, when: float) -> Json | None:
    """The price that held for this model at that time (epoch seconds); None when unpriced."""
    dated = models.get(model) or models.get(plain_id(model))
    if not isinstance(dated, list):
        return None
    if len(dated) == 1 and not (dated[0].get("from") or dated[0].get("until")):
        always: Json = dated[0]
        return always
    day = time.strftime("%Y-%m-%d", time.gmtime(when))
    for one in dated:
        if (one.get("from") or "") <= day < (one.get("until") or "~"):
            found: Json = one
            return found
    return None


def of_host(table: Json, hosts: Json, host: str | None) -> Json | None:
    """The table that holds for what that host answers; None where it is free."""
    named = hosts.get(host) if host else None
    if named and named.get("free"):
        return None
    return dict(table, models=named["prices"]) if named and named.get("prices") else table


def of_provider(table: Json, policy: Json, name: str) -> Json | None:
    """The table that holds for what a provider of the router answers; None where it is free.

    Where it is not Anthropic itself, a model's name says nothing about its price.
    """
    record = (policy.get("providers") or {}).get(name) or {}
    host = record.get("host")
    named = (policy.get("hosts") or {}).get(host) or {}
    if named.get("free") or named.get("prices"):
        return of_host(table, policy["hosts"], host)
    return table if record.get("anthropic") else dict(table, models={})


def price(table: Json, model: str, when: float, usage: Json) -> float | None:
    """Dollars for one response; `usage` has the token kinds, web_searches, speed, geo, parts.

    `parts` are the token kinds of each model call within the response, where those add up to the
    whole: the long-prompt step is judged for each.
    """
    models = table.get("models")
    rate = entry(models if isinstance(models, dict) else {}, model, when)
    return at_rate(table, rate, usage) if rate is not None else None


def at_rate(table: Json, rate: Json, usage: Json) -> float:
    """Dollars for one response at the price of one model; see `price`."""
    parts = usage.get("parts")
    if parts:
        total = sum(_part(rate, *part) for part in parts)
    else:
        total = _part(rate, *[usage[kind] for kind in KINDS])
    if usage.get("speed") == "fast":
        total *= rate.get("fast") or 1
    geo = table.get("geo")
    if usage.get("geo") and isinstance(geo, dict):
        total *= geo.get(usage["geo"], 1)
    searches = usage.get("web_searches") or 0
    return float(total + searches * (table.get("web_search_usd") or 0))


def _part(rate: Json, new: int, output: int, read: int, short: int, hour: int) -> float:
    """One model call; above the step every token of the call costs the multiple."""
    dollars = (
        new * rate["input"]
        + output * rate["output"]
        + read * rate["cache_read"]
        + short * rate["cache_write_5m"]
        + hour * rate["cache_write_1h"]
    ) * PER_TOKEN
    step = rate.get("above")
    if isinstance(step, dict) and new + read + short + hour > step["prompt_tokens"]:
        dollars *= step["multiplier"]
    return float(dollars)

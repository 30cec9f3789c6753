"""What a decision was made from, kept beside it, so that it can be made again.

`facts` holds what `decide()` was given and no column tells; `rules` the policy, once for all the
decisions made under it. No text of a prompt is in either.
"""

from __future__ import annotations

import json
import zlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .shapes import Json

RULES = ("tiers", "assign", "floor", "exempt", "budgets", "fan_out", "week_start")
STANDING = ("used", "amount", "reserved", "level", "gate", "since", "unpriced")
# What an ordinary spawn has; only what differs is written.
ORDINARY: Json = {
    "forced": False,
    "attended": True,
    "recent": 0,
    "woken": None,
    "effort": None,
    "unavailable": [],
}
_compact = json.JSONEncoder(separators=(",", ":"), sort_keys=True).encode


def columns(rules: Json, standings: list[Json], spawn: Json) -> Json:
    """For a decision's row: `facts` (JSON), `rules` (its number) and the text of that number."""
    text = _compact({key: rules[key] for key in RULES})
    return {
        "facts": _facts(rules, standings, spawn),
        "rules": zlib.crc32(text.encode()),
        "rules_text": text,
    }


def _facts(rules: Json, standings: list[Json], spawn: Json) -> str:
    found = {key: spawn[key] for key, usual in ORDINARY.items() if spawn[key] != usual}
    if spawn["would"].get("at_most"):
        found["at_most"] = spawn["would"]["at_most"]
    if "off" in rules:
        found["off"] = True
    if standings:
        found["standings"] = [
            [one["budget"]["name"], *(one.get(key) for key in STANDING)] for one in standings
        ]
    return _compact(found)


def spawn(row: Json, facts: Json) -> Json:
    """What `decide()` was told of the spawn: from a decision's row, names in words, and its facts.

    Without facts, as older rows are, an ordinary one is assumed.
    """
    would = {"model": row["would"], "origin": row["origin"], "at_most": facts.get("at_most")}
    known = {key: facts.get(key, usual) for key, usual in ORDINARY.items()}
    return dict(
        known, tool=row["tool"], agent=row["agent"], would=would, inside=bool(row["parent"])
    )


def standings(rules: Json, facts: Json) -> list[Json]:
    """What each budget said; [] where no ledger could be asked."""
    return [
        dict(zip(STANDING, one[1:]), budget=budget)
        for budget, one in zip(rules["budgets"], facts.get("standings", []))
    ]

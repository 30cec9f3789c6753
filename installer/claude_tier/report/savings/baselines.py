"""The models that responses are compared with."""

from __future__ import annotations

import difflib
from functools import cache

from claude_tier_hooks import policy, prices, state
from claude_tier_hooks.shapes import Json

from claude_tier.errors import UserError

MAIN = "main"  # the model the conversation ran on when it started the subagent


def chosen(rules: Json, named: str | None) -> str:
    """`main`, or the id of the model that is named, else configured; UserError for an unknown."""
    wanted = named or str(rules.get("baseline") or MAIN)
    if wanted == MAIN:
        return MAIN
    model = resolved(rules, wanted)
    if model is not None:
        return model
    known = [MAIN, *_aliases(), *rules["models"]]
    close = difflib.get_close_matches(wanted, known, n=3, cutoff=0.5)
    hint = f"Near to it: {', '.join(close)}." if close else "`claude-tier prices` names them all."
    raise UserError(f"no price is known of the baseline {wanted}", hint)


def resolved(rules: Json, named: str) -> str | None:
    """The model that an alias or an id means; None for one without a price."""
    plain = prices.plain_id(named)
    model = _aliases().get(plain, named)
    table = rules["models"]
    return model if model in table or prices.plain_id(model) in table else None


@cache
def _aliases() -> dict[str, str]:
    shipped = state.read_json(policy.data_file("builtins.json")) or {}
    return dict(shipped.get("models") or {})

"""How many tokens the same text has on another model.

Anthropic's pricing documentation says that Claude Opus 4.7 and later models count more tokens for
the same text than earlier ones: up to 35 %, and 25 to 30 % where it was measured. The middle of
the latter stands for every pair of models; what a text really has depends on the text.
"""

from __future__ import annotations

import re
from functools import cache

from claude_tier_hooks import prices

FACTOR = 1.275
SOURCE = (
    "Anthropic's pricing documentation: Claude models from 4.7 on count more tokens for the same"
    " text, typically 25 to 30 % (platform.claude.com/docs/en/about-claude/pricing)"
)
_FIRST_NEW = (4, 7)
# claude-opus-4-7, claude-sonnet-5, claude-3-5-haiku
_VERSION = re.compile(r"claude-(?:[a-z]+-)?(\d+)(?:-(\d+))?(?:-[a-z]+)?$")


@cache
def generation(model: str) -> int | None:
    """1 for the tokenizer of 4.6 and before, 2 for that of 4.7 and later; None when not known."""
    found = _VERSION.match(prices.plain_id(model))
    if found is None:
        return None
    return 2 if (int(found[1]), int(found[2] or 0)) >= _FIRST_NEW else 1


@cache
def factor(ran: str, other: str) -> float | None:
    """What the tokens counted on one model are to be multiplied with on the other.

    None where one of the two is not known: nothing is corrected then.
    """
    if same(ran, other):
        return 1.0
    here, there = generation(ran), generation(other)
    if here is None or there is None:
        return None
    return float(FACTOR ** (there - here))


@cache
def same(one: str, other: str) -> bool:
    """Whether two ids name one model: with or without a date, a window or a provider's prefix."""
    return one == other or prices.plain_id(one) == prices.plain_id(other)

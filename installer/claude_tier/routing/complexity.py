"""How much a task demands, and which tools it takes, by the same kind of evidence as its kind."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from claude_tier.config.routing import Complexity, Tool
from claude_tier.routing import evidence
from claude_tier.routing.evidence.tokens import Words

BASE = {
    "architecture": 3.0,
    "reasoning": 3.0,
    "security": 3.0,
    "large_context": 3.0,
    "refactor": 2.0,
    "code": 2.0,
    "creative": 1.0,
    "summarise": 1.0,
    "web": 1.0,
}
MEDIUM, HIGH = 2.5, 5.0
USUAL: dict[str, tuple[Tool, ...]] = {
    "file_operations": ("files", "shell"),
    "refactor": ("files",),
    "web": ("web",),
}
_POINT = re.compile(r"(?m)^\s*(?:[-*•]|\d+[.)])\s")


class Demand(NamedTuple):
    """The level, the figure behind it, and what it is made of."""

    level: Complexity
    score: float
    reasons: tuple[str, ...]


def demand(kind: str | None, words: Words, text: str, context_tokens: int) -> Demand:
    """From the kind, the length, the points and the conditions of what is asked."""
    parts = [(weight, why) for weight, why in _parts(kind, words, text, context_tokens) if weight]
    score = round(sum(weight for weight, _ in parts), 1)
    level: Complexity = "low" if score < MEDIUM else "medium" if score < HIGH else "high"
    return Demand(level, score, tuple(f"{why} {weight:+.1f}" for weight, why in parts))


def _parts(
    kind: str | None, words: Words, text: str, context_tokens: int
) -> Iterator[tuple[float, str]]:
    yield BASE.get(kind or "", 0.0), f"{kind}"
    yield min(len(words.asked) // 25 * 0.5, 2.0), f"{len(words.asked)} words asked"
    yield min(len(words.pasted) // 100 * 0.5, 1.0), f"{len(words.pasted)} words pasted"
    points = len(_POINT.findall(text))
    yield min(points * 0.3, 1.5), f"{points} points"
    asked = words.asked.count("?")
    yield min(max(asked - 1, 0) * 0.5, 1.0), f"{asked} questions"
    yield (1.0 if context_tokens > 8000 else 0.0), f"{context_tokens:,} tokens of context"
    found = evidence.hits(words, "complexity")
    for name, weight in (("rises", 0.5), ("falls", -0.5)):
        texts = [hit.found for hit in found if hit.kind == name]
        yield max(min(len(texts) * weight, 2.0), -1.0), ", ".join(texts[:4])


def tools(kind: str | None, words: Words) -> frozenset[Tool]:
    """What a model needs besides the text of the prompt."""
    found = {hit.kind for hit in evidence.hits(Words(words.asked, ()), "tools")}
    needed: tuple[Tool, ...] = ("files", "shell", "web")
    return frozenset(tool for tool in needed if tool in found or tool in USUAL.get(kind or "", ()))

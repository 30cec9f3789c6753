"""What kind of task a prompt is, by weighted evidence: no model, no network, always the same.

The evidence is data (`evidence/`); what it counts together decides, and where nothing clearly does
the kind is unknown. docs/routing.md has the rules, tests/classifying.py the figures.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from claude_tier.config.routing import TASK_KINDS, Complexity, Tool
from claude_tier.routing import complexity, evidence
from claude_tier.routing.complexity import Demand
from claude_tier.routing.evidence import Hit, tokens
from claude_tier.routing.prompt import Prompt

LARGE = 32_000  # tokens: above that the size decides, whatever is asked
ALONG = 2.0  # what all evidence in what was pasted counts at most for a kind
ENOUGH = 1.5  # evidence below that is none
SOFT = (
    1.0  # points of evidence that make a kind e times as likely; what the weights are fitted with
)
SURE = 0.7  # how likely a kind must be to be told


class Decision(NamedTuple):
    """A kind or None, and how likely the first kind is, 0 to 1."""

    kind: str | None
    confidence: float


@dataclass(frozen=True)
class Recognised:
    """What a prompt asks for; `kind` is None where the evidence does not tell.

    `scores` is the evidence by kind, greatest first. `unsure` among them is evidence that nothing
    can be told. `tools` is what a model needs besides the text.
    """

    kind: str | None
    scores: Mapping[str, float]
    confidence: float
    demand: Demand
    tools: frozenset[Tool]
    context_tokens: int
    evidence: tuple[Hit, ...]

    @property
    def complexity(self) -> Complexity:
        return self.demand.level

    def fields(self) -> dict[str, object]:
        """The JSON of it; `kind` is null where it is not told."""
        return {
            "kind": self.kind,
            "confidence": self.confidence,
            "scores": dict(self.scores),
            "complexity": self.complexity,
            "complexity_score": self.demand.score,
            "complexity_reasons": list(self.demand.reasons),
            "tools": sorted(self.tools),
            "context_tokens": self.context_tokens,
            "evidence": [hit._asdict() for hit in self.evidence],
        }


def recognise(text: str, *, context_tokens: int | None = None) -> Recognised:
    """The kind of task; `context_tokens` is the size of all that is sent, where more is."""
    size = max(context_tokens or 0, Prompt.of(text).estimated_tokens)
    looked = tokens.ends(text)
    words = tokens.read(looked)
    found = sorted(
        (*evidence.of_kinds(words), *evidence.shapes(looked), *evidence.vagueness(words)),
        key=lambda hit: -hit.weight,
    )
    scores = _scores(found)
    kind, confidence = ("large_context", 1.0) if size > LARGE else _decided(scores)
    return Recognised(
        kind=kind,
        scores=scores,
        confidence=confidence,
        demand=complexity.demand(kind, words, looked, size),
        tools=complexity.tools(kind, words),
        context_tokens=size,
        evidence=tuple(found),
    )


def _scores(found: Iterable[Hit]) -> dict[str, float]:
    """The evidence by kind, greatest first; what came along never counts for more than so much."""
    asked: dict[str, float] = {}
    pasted: dict[str, float] = {}
    for hit in found:
        sums = pasted if hit.pasted else asked
        sums[hit.kind] = sums.get(hit.kind, 0.0) + hit.weight
    together = {
        kind: round(asked.get(kind, 0.0) + min(pasted.get(kind, 0.0), ALONG), 2)
        for kind in {**asked, **pasted}
    }
    return dict(sorted(together.items(), key=lambda one: (-one[1], one[0])))


def _decided(scores: Mapping[str, float]) -> Decision:
    """The first kind, where it has enough and is likely enough among all."""
    kind, most = next(iter(scores.items()), ("", 0.0))
    confidence = 1 / (sum(math.exp((score - most) / SOFT) for score in scores.values()) or math.inf)
    told = kind in TASK_KINDS and most >= ENOUGH and confidence >= SURE
    return Decision(kind if told else None, round(confidence, 2))

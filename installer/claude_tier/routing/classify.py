"""What kind of task a prompt is, by weighted evidence: no model, no network, always the same.

The evidence is data (`evidence/`); what it counts together decides, and where nothing clearly does
the kind is unknown. docs/routing.md has the rules, tests/classifying.py the figures.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from claude_tier.config.routing import TASK_KINDS, Complexity, Tool
from claude_tier.routing import complexity, evidence
from claude_tier.routing.complexity import Demand
from claude_tier.routing.evidence import Hit, tokens
from claude_tier.routing.prompt import Prompt

LARGE = 32_000  # tokens: above that the size decides, whatever is asked
ENOUGH = 2.0  # evidence below that is none
MARGIN = 0.5  # by how much the first kind leads the second at least


class Decision(NamedTuple):
    """A kind or None, and by how much it leads."""

    kind: str | None
    margin: float


@dataclass(frozen=True)
class Recognised:
    """What a prompt asks for; `kind` is None where the evidence does not tell.

    `scores` is the evidence by kind, greatest first. `unsure` among them is evidence that nothing
    can be told. `tools` is what a model needs besides the text.
    """

    kind: str | None
    scores: Mapping[str, float]
    margin: float
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
            "margin": self.margin,
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
    found = sorted((*evidence.of_kinds(words), *evidence.shapes(looked)), key=lambda hit: -hit.weight)
    scores = _scores(found)
    kind, margin = ("large_context", 0.0) if size > LARGE else _decided(scores)
    return Recognised(
        kind=kind,
        scores=scores,
        margin=margin,
        demand=complexity.demand(kind, words, looked, size),
        tools=complexity.tools(kind, words),
        context_tokens=size,
        evidence=tuple(found),
    )


def _scores(found: Iterable[Hit]) -> dict[str, float]:
    """The evidence by kind, greatest first."""
    sums: dict[str, float] = {}
    for hit in found:
        sums[hit.kind] = sums.get(hit.kind, 0.0) + hit.weight
    return {kind: round(sums[kind], 2) for kind in sorted(sums, key=lambda one: (-sums[one], one))}


def _decided(scores: Mapping[str, float]) -> Decision:
    """The first kind, where it has enough and leads."""
    ranked = [*scores.items(), ("", 0.0), ("", 0.0)]
    (kind, first), (_, second) = ranked[:2]
    margin = round(first - max(second, 0.0), 2)
    told = kind in TASK_KINDS and first >= ENOUGH and margin >= MARGIN
    return Decision(kind if told else None, margin)

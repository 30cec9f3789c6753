"""Fit the weights of the task classifier's evidence: `python tests/calibrating.py --write`.

What is fitted is a multinomial regression over the phrases that were found, on the dev half and the
prompts for practice; it starts from the weights that stand in the data and is held near them. The
held-out half is never read.
"""

from __future__ import annotations

import json
import math
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from claude_tier.config.routing import TASK_KINDS
from claude_tier.routing import evidence
from claude_tier.routing.classify import SOFT
from claude_tier.routing.evidence import tokens
from prompts import UNSURE, read

KINDS = [kind for kind in TASK_KINDS if kind != "large_context"] + [UNSURE]
ROUNDS, PACE = 150, 0.3
NEAR = 1.0  # how strongly a weight is held where it was
STEP = 0.25  # weights are multiples of it
FOLDER = Path(evidence.__file__).parent

Key = tuple[str, str]  # kind, phrase


class Example(NamedTuple):
    """A prompt as what was found in it: each phrase and what share of its weight it counts."""

    kind: str
    shares: dict[Key, float]
    fixed: dict[str, float]  # from shapes and vagueness, which are not fitted


def examples() -> list[Example]:
    found = []
    for prompt in [*read("dev"), *read("practice")]:
        if prompt.kind not in KINDS:
            continue
        looked = tokens.ends(prompt.prompt)
        fixed: dict[str, float] = defaultdict(float)
        words = tokens.read(looked)
        for hit in (*evidence.shapes(looked), *evidence.vagueness(words)):
            fixed[hit.kind] += hit.weight
        shares = {
            (match.phrase.kind, match.phrase.text): match.share for match in evidence.matches(words)
        }
        found.append(Example(prompt.kind, shares, fixed))
    return found


def weights() -> dict[Key, float]:
    """Those that stand in the data."""
    return {
        (phrase.kind, phrase.text): phrase.weight
        for where in evidence.lexicon(evidence.KINDS)
        for phrases in where.values()
        for phrase in phrases
    }


def likelihood(example: Example, known: Mapping[Key, float]) -> dict[str, float]:
    """How likely each kind is by the evidence."""
    scores = {kind: example.fixed.get(kind, 0.0) for kind in KINDS}
    for key, share in example.shares.items():
        scores[key[0]] += known[key] * share
    most = max(scores.values())
    raised = {kind: math.exp((score - most) / SOFT) for kind, score in scores.items()}
    total = sum(raised.values())
    return {kind: one / total for kind, one in raised.items()}


def fitted(given: Iterable[Example], start: Mapping[Key, float]) -> dict[Key, float]:
    """The weights that tell these best, near those they started from."""
    seen = list(given)
    found = dict(start)
    for _ in range(ROUNDS):
        pull: dict[Key, float] = defaultdict(float)
        for example in seen:
            likely = likelihood(example, found)
            for key, share in example.shares.items():
                pull[key] += (likely[key[0]] - (key[0] == example.kind)) * share
        for key, gradient in pull.items():
            found[key] -= PACE * (gradient + NEAR * (found[key] - start[key]))
    return found


def stepped(weight: float, before: float) -> float:
    """A multiple of the step, never 0 and on the side it was on."""
    size = max(round(abs(weight) / STEP), 1) * STEP if weight * before > 0 else STEP
    return math.copysign(size, before)


def write(found: Mapping[Key, float], before: Mapping[Key, float]) -> None:
    """Put the weights into the data, each phrase below its own."""
    for name in evidence.KINDS:
        file = FOLDER / f"{name}.json"
        data = json.loads(file.read_text(encoding="utf-8"))
        made = {kind: _grouped(kind, groups, found, before) for kind, groups in data.items()}
        file.write_text(json.dumps(made, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _grouped(
    kind: str,
    groups: Mapping[str, Iterable[str]],
    found: Mapping[Key, float],
    before: Mapping[Key, float],
) -> dict[str, list[str]]:
    made: dict[float, list[str]] = defaultdict(list)
    phrases = [
        one.strip() for texts in groups.values() for text in texts for one in text.split(",")
    ]
    for phrase in sorted({one for one in phrases if one}):
        key = kind, phrase
        made[stepped(found[key], before[key])].append(phrase)
    return {f"{weight:g}": _lines(made[weight]) for weight in sorted(made, reverse=True)}


def _lines(phrases: list[str], width: int = 110) -> list[str]:
    """The phrases parted by commas, several to a line."""
    lines: list[str] = []
    for phrase in phrases:
        if lines and len(lines[-1]) + len(phrase) < width:
            lines[-1] += f", {phrase}"
        else:
            lines.append(phrase)
    return lines


def main() -> int:
    given, before = examples(), weights()
    after = fitted(given, before)
    for name, known in (("before", before), ("after", after)):
        loss = -sum(math.log(likelihood(one, known)[one.kind]) for one in given) / len(given)
        print(f"{name}: {loss:.4f} nats a prompt over {len(given)}")  # noqa: T201
    if "--write" in sys.argv:
        write(after, before)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""How often the task classifier is right, by kind: `python tests/classifying.py`.

The prompts are labelled (tests/installer/routing/prompts/README.md). No text of one is printed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from claude_tier.routing.classify import recognise
from prompts import UNSURE, Half, Prompt, read

HALVES: tuple[Half, ...] = ("dev", "held_out")


class Quality(NamedTuple):
    """Outcomes by kind and in all; a prompt that nobody could tell is right when it is left."""

    kinds: dict[str, Counter[str]]
    total: Counter[str]

    @property
    def accuracy(self) -> float:
        """The right ones of those that were told."""
        return self.total["right"] / (self.total["right"] + self.total["wrong"])

    @property
    def unsure(self) -> float:
        """The share that was not told and could have been."""
        return self.total[UNSURE] / self.total.total()


def outcome(prompt: Prompt) -> str:
    """Right, wrong or unsure."""
    told = recognise(prompt.prompt, context_tokens=prompt.context_tokens).kind or UNSURE
    if told in (prompt.kind, *prompt.also):
        return "right"
    return UNSURE if told == UNSURE else "wrong"


def judge(prompts: Iterable[Prompt]) -> Quality:
    kinds: dict[str, Counter[str]] = {}
    for prompt in prompts:
        kinds.setdefault(prompt.kind, Counter())[outcome(prompt)] += 1
    return Quality(kinds, sum(kinds.values(), Counter()))


def as_text(name: str, quality: Quality) -> str:
    """A table of one half."""
    lines = [f"{name:<16} right  wrong  unsure"]
    for kind, found in [*sorted(quality.kinds.items()), ("in all", quality.total)]:
        lines.append(f"{kind:<16} {found['right']:>5}  {found['wrong']:>5}  {found[UNSURE]:>6}")
    return "\n".join([*lines, f"accuracy {quality.accuracy:.1%}, unsure {quality.unsure:.1%}", ""])


def main() -> int:
    for half in HALVES:
        print(as_text(half, judge(read(half))))  # noqa: T201 - what it is for
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

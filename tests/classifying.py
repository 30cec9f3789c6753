"""How often the task classifier is right, by kind and language: `python tests/classifying.py`.

The prompts are labelled (tests/installer/routing/prompts/README.md). No text of one is printed.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from claude_tier.routing.classify import recognise
from prompts import UNSURE, Half, Prompt, read

HALVES: tuple[Half, ...] = ("dev", "held_out", "fresh")


class Quality(NamedTuple):
    """Outcomes by kind and language; a prompt that nobody could tell is right when it is left."""

    kinds: dict[str, Counter[str]]
    langs: dict[str, Counter[str]]

    @property
    def total(self) -> Counter[str]:
        return sum(self.langs.values(), Counter())

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
    found = Quality(defaultdict(Counter), defaultdict(Counter))
    for prompt in prompts:
        told = outcome(prompt)
        found.kinds[prompt.kind][told] += 1
        found.langs[prompt.lang][told] += 1
    return found


def as_text(name: str, quality: Quality) -> str:
    """A table of one file."""
    lines = [f"{name:<16} right  wrong  unsure"]
    rows = [*sorted(quality.kinds.items()), *sorted(quality.langs.items())]
    for row, found in [*rows, ("in all", quality.total)]:
        lines.append(f"{row:<16} {found['right']:>5}  {found['wrong']:>5}  {found[UNSURE]:>6}")
    return "\n".join([*lines, f"accuracy {quality.accuracy:.1%}, unsure {quality.unsure:.1%}", ""])


def main() -> int:
    for half in HALVES:
        print(as_text(half, judge(read(half))))  # noqa: T201 - what it is for
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

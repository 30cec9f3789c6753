"""The labelled prompts of the task classifier: enough, distinct, and mixed alike in both halves."""

from __future__ import annotations

import re
from collections import Counter
from itertools import combinations

import pytest
from prompts import FOLDER, Prompt, read

KINDS = (
    "heartbeat",
    "file_operations",
    "summarise",
    "classify",
    "simple_qa",
    "code",
    "refactor",
    "architecture",
    "reasoning",
    "security",
    "creative",
    "web",
    "large_context",
    "unsure",
)
LARGE = 100_000  # tokens
DEV, HELD_OUT = read("dev"), read("held_out")
PROMPTS = DEV + HELD_OUT


def mix(prompts: list[Prompt]) -> Counter[tuple[str, str]]:
    return Counter((prompt.kind, prompt.lang) for prompt in prompts)


def test_every_label_is_a_kind() -> None:
    """All kinds occur and no other; a second label differs from the first."""
    assert {prompt.kind for prompt in PROMPTS} == set(KINDS)
    for prompt in PROMPTS:
        assert set(prompt.also) <= set(KINDS) - {prompt.kind}


@pytest.mark.parametrize("kind", KINDS)
def test_there_are_enough_of_each_kind(kind: str) -> None:
    """A share of hits means something only over some dozens."""
    found = sum(prompt.kind == kind for prompt in PROMPTS)
    assert found >= (24 if kind == "unsure" else 28)


def test_three_in_five_are_english() -> None:
    """The rest is German, and there is no third language."""
    found = Counter(prompt.lang for prompt in PROMPTS)
    assert set(found) == {"en", "de"}
    assert len(PROMPTS) >= 480
    assert found["en"] / len(PROMPTS) == pytest.approx(0.6, abs=0.03)


def test_both_halves_have_the_same_mix() -> None:
    """What was tuned on one half is measured on the like of it."""
    assert mix(DEV) == mix(HELD_OUT)


def test_no_prompt_stands_twice() -> None:
    """Neither with other case nor with other punctuation."""
    found = Counter(prompt.words or (prompt.prompt,) for prompt in PROMPTS)
    assert [words for words, times in found.items() if times > 1] == []


def test_no_prompt_is_another_with_a_noun_changed() -> None:
    """Two prompts share at most half of their words."""
    bags = [frozenset(prompt.words) for prompt in PROMPTS if prompt.words]
    alike = [
        (one, two) for one, two in combinations(bags, 2) if 2 * len(one & two) > len(one | two)
    ]
    assert alike == []


def test_a_second_label_is_rare() -> None:
    """Where most prompts had two, any classifier would be right."""
    assert sum(bool(prompt.also) for prompt in PROMPTS) <= 0.08 * len(PROMPTS)


def test_size_alone_makes_a_large_context() -> None:
    """Its prompts say how large, and no other kind reaches that size."""
    for prompt in PROMPTS:
        assert (prompt.kind == "large_context") == (prompt.context_tokens >= LARGE), prompt


def test_a_prompt_is_text_without_edges() -> None:
    """Nothing of the writing of the files is left in it."""
    for prompt in PROMPTS:
        assert prompt.prompt
        assert prompt.prompt == prompt.prompt.strip()


def test_the_readme_counts_what_is_there() -> None:
    """Its table of kinds holds the figures of both halves together."""
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \| (\d+) \|", text, re.MULTILINE)
    told = {
        (kind, lang): int(n)
        for kind, *both in rows
        for lang, n in zip(("en", "de"), both, strict=True)
    }
    assert told == mix(PROMPTS)
    assert text.count(f"{len(DEV)} prompts to ") == 2
    assert f"{len(PROMPTS)} prompts with" in text


def test_practice_is_not_what_is_measured_with() -> None:
    """What weights are fitted to shares at most half of its words with a held-out prompt."""
    held_out = [frozenset(prompt.words) for prompt in HELD_OUT if prompt.words]
    practice = [frozenset(prompt.words) for prompt in read("practice") if prompt.words]
    near = sum(2 * len(one & two) > len(one | two) for one in practice for two in held_out)
    assert near == 0  # a number, so that nobody reads a text in a failure

"""The labelled prompts of the task classifier: enough, distinct, and mixed alike in both halves."""

from __future__ import annotations

import re
from collections import Counter
from itertools import combinations, product, starmap

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
DEV, HELD_OUT, FRESH = read("dev"), read("held_out"), read("fresh")
PROMPTS = DEV + HELD_OUT


def mix(prompts: list[Prompt]) -> Counter[tuple[str, str]]:
    return Counter((prompt.kind, prompt.lang) for prompt in prompts)


def bags(prompts: list[Prompt]) -> list[frozenset[str]]:
    return [frozenset(prompt.words or (prompt.prompt,)) for prompt in prompts]


def alike(one: frozenset[str], other: frozenset[str]) -> bool:
    """More than half of their words."""
    return 2 * len(one & other) > len(one | other)


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
    assert [pair for pair in combinations(bags(PROMPTS), 2) if alike(*pair)] == []


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
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \| (\d+) \| [a-z]", text, re.MULTILINE)
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
    near = sum(starmap(alike, product(bags(read("practice")), bags(HELD_OUT))))
    assert near == 0  # a number, so that nobody reads a text in a failure


def test_fresh_prompts_are_of_every_kind_in_both_languages() -> None:
    """Each kind has 14 or more, three in five of all are English, and none has a second label."""
    assert set(mix(FRESH)) == set(product(KINDS, ("en", "de")))
    assert min(Counter(prompt.kind for prompt in FRESH).values()) >= 14
    english = sum(prompt.lang == "en" for prompt in FRESH)
    assert english / len(FRESH) == pytest.approx(0.6, abs=0.03)
    assert not any(prompt.also for prompt in FRESH)


def test_fresh_prompts_are_labelled_and_written_as_the_others() -> None:
    """Size alone makes a large context, and there are no edges."""
    assert len(FRESH) >= 210
    for prompt in FRESH:
        assert (prompt.kind == "large_context") == (prompt.context_tokens >= LARGE)
        assert prompt.prompt
        assert prompt.prompt == prompt.prompt.strip()


def test_no_fresh_prompt_repeats_another() -> None:
    """Neither one of its own file, nor one that was looked at, fitted to or measured with."""
    near = sum(starmap(alike, combinations(bags(FRESH), 2)))
    near += sum(starmap(alike, product(bags(FRESH), bags(PROMPTS + read("practice")))))
    assert near == 0  # a number, so that nobody reads a text in a failure


def test_the_readme_counts_the_fresh_ones() -> None:
    """Where it says what the file is for."""
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert f"| `prompts_fresh.jsonl` | {len(FRESH)} prompts that " in text

"""What local models think aloud, cut wherever a stream cuts it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from claude_tier.routing.providers.thinking import Thinking

CASES = {
    "<think>hm</think>\n\nYes.": "Yes.",
    "\n <think>hm < 3 </thin</think>Yes.": "Yes.",
    "<think></think>Yes.": "Yes.",
    "<think>for ever": "",
    "Yes.": "Yes.",
    "  Yes.": "  Yes.",
    "<thinking> is no mark": "<thinking> is no mark",
    "write <think>x</think>": "write <think>x</think>",
    "<think>a</think>b<think>c</think>": "b<think>c</think>",
    "<th": "<th",
    "": "",
}


def _answer(pieces: list[str]) -> str:
    thinking = Thinking()
    return "".join(map(thinking.feed, pieces)) + thinking.rest()


def _cut(said: str) -> Iterator[list[str]]:
    """Letter by letter, and at every two places."""
    yield list(said)
    for first, second in itertools.combinations_with_replacement(range(len(said) + 1), 2):
        yield [said[:first], said[first:second], said[second:]]


@pytest.mark.parametrize(("said", "answer"), [*CASES.items()])
def test_thoughts_at_the_start_are_no_part_of_the_answer(said: str, answer: str) -> None:
    """However the text is cut into pieces."""
    for pieces in _cut(said):
        assert _answer(pieces) == answer, pieces

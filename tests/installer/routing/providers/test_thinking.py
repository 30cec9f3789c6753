"""What local models think aloud, cut wherever a stream cuts it."""

from __future__ import annotations

import itertools

import pytest
from claude_tier.routing.providers.thinking import Thinking
from hypothesis import given
from hypothesis import strategies as st

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


@pytest.mark.parametrize(("said", "answer"), [*CASES.items()])
@given(data=st.data())
def test_thoughts_at_the_start_are_no_part_of_the_answer(
    said: str, answer: str, data: st.DataObject
) -> None:
    """However the text is cut into pieces."""
    cuts = sorted(data.draw(st.sets(st.integers(0, len(said)))))
    ends = [0, *cuts, len(said)]
    pieces = [said[at:end] for at, end in itertools.pairwise(ends)]

    assert _answer(pieces) == answer

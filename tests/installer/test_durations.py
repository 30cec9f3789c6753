"""Lengths of time as people write them."""

from __future__ import annotations

import pytest
from claude_tier import durations
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("10m", 600), ("1h30m", 5400), ("2d", 172_800), ("1w", 604_800), ("1h1h", 7200)],
)
def test_a_duration_is_the_sum_of_its_parts(text: str, seconds: int) -> None:
    """In any order of units."""
    assert durations.parse(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "10", "m", "1.5h", "-1h", "1 h", "1H", "\u0661h", "0s", "1y", "1h\n"]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    """Bare numbers too: nobody knows whether those are seconds."""
    with pytest.raises(ValueError, match="must be"):
        durations.parse(text)


@pytest.mark.parametrize("text", ["367d", "999999999w", "99999999999999999999d"])
def test_more_than_a_year_is_refused(text: str) -> None:
    """A typing mistake more often than a wish."""
    with pytest.raises(ValueError, match="must be"):
        durations.parse(text)


@given(st.integers(1, durations.LONGEST))
def test_the_shortest_spelling_reads_back(seconds: int) -> None:
    """Spelling and reading are each other's inverse."""
    assert durations.parse(durations.spell(seconds)) == seconds

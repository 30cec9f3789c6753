"""Long answers are cut at lines, put together again, and not kept for ever."""

from __future__ import annotations

import pytest
from claude_tier.errors import UserError
from claude_tier.local_models.pages import MOST_ANSWERS, MOST_CHARACTERS, Pages, cut
from hypothesis import given
from hypothesis import strategies as st


@given(st.text(alphabet="ab\n", max_size=200), st.integers(1, 50))
def test_the_parts_of_any_text_make_the_text(text: str, size: int) -> None:
    """Each fits, and a line is broken only where it is longer than a page."""
    parts = cut(text, size)
    assert "".join(parts) == text
    assert all(len(part) <= size for part in parts)
    assert all(part.endswith("\n") or "\n" not in part for part in parts[:-1])


def test_a_short_answer_is_not_kept() -> None:
    """It has no other page."""
    page = Pages().first("short", 10)
    assert (page.text, page.id, page.next) == ("short", None, None)


def test_the_oldest_answer_goes_first() -> None:
    """One that was read lately stays."""
    pages = Pages()
    names = [pages.first("two\npages\n", 5).id or "" for _ in range(MOST_ANSWERS)]
    pages.read(names[0], 2)
    pages.first("two\npages\n", 5)
    assert pages.read(names[0], 2).text == "pages"
    with pytest.raises(UserError, match="no answer is kept"):
        pages.read(names[1], 2)


def test_answers_are_kept_up_to_a_size() -> None:
    """A newer one displaces those that would not fit beside it."""
    pages = Pages()
    name = pages.first("x" * 1000, 500).id or ""
    pages.first("y" * MOST_CHARACTERS, 20_000)
    with pytest.raises(UserError, match="no answer is kept"):
        pages.read(name, 1)


def test_an_answer_of_any_length_can_be_read_to_its_end() -> None:
    """Whoever was told that there is a second page gets it."""
    pages = Pages()
    first = pages.first("z" * (MOST_CHARACTERS + 1), 20_000)
    assert pages.read(first.id or "", first.of).text == "z"


def test_a_page_out_of_range_names_the_range() -> None:
    pages = Pages()
    name = pages.first("two\npages\n", 5).id or ""
    for number in (0, 4):
        with pytest.raises(UserError, match="the pages 1 to 3"):
            pages.read(name, number)

"""When an answer means that all is well."""

from __future__ import annotations

import pytest
from claude_tier.heartbeat import answer
from hypothesis import given
from hypothesis import strategies as st

OK = "HEARTBEAT_OK"


@pytest.mark.parametrize(
    "text",
    [
        OK,
        f"**{OK}**",
        f"_{OK}_",
        f"`{OK}`.",
        f'"{OK}"',
        f"„{OK}“",
        f"- {OK}",
        f"<b>{OK}</b>",
        f"{OK}\n\nNothing new since this morning.",
        f"Nothing new since this morning.\n{OK}!",
        f"{OK}: nothing, {OK}",
        f"\n {OK} \n",
    ],
)
def test_it_is_well_with_the_word_at_an_end(text: str) -> None:
    """However it is set off."""
    assert answer.read(text, 300).ok


@pytest.mark.parametrize(
    "text",
    [
        "",
        "The disk is full.",
        f"I cannot say {OK}, because the disk is full.",
        f"not{OK}",
        f"{OK}AY",
        f"{OK}_2",
        "heartbeat_ok",
    ],
)
def test_it_is_not_well_with_the_word_elsewhere_or_another_word(text: str) -> None:
    """All of that is told."""
    assert answer.read(text, 300) == (False, text)


@pytest.mark.parametrize(("more", "ok"), [(299, True), (300, True), (301, False)])
@pytest.mark.parametrize(
    "form", ["{ok} {more}", "{more} {ok}", "**{ok}**\n{more}", "{more}\n*{ok}*"]
)
def test_three_hundred_further_characters_are_few(form: str, more: int, ok: bool) -> None:
    """One more is something to tell, without the word."""
    text = "x" * more
    assert answer.read(form.format(ok=OK, more=text), 300) == (ok, text)


@given(st.text(), st.integers(0, 400))
def test_any_text_is_read(text: str, ok_chars: int) -> None:
    """Well only with the word in it; what is told is part of it."""
    said = answer.read(text, ok_chars)
    assert not said.ok or OK in text
    assert said.text in text
    assert answer.read(f"{text}\n{OK}", len(text)).ok

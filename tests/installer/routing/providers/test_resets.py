"""When a provider serves again, in all the ways they say so."""

from __future__ import annotations

import pytest
from claude_tier.routing.providers import resets
from hypothesis import given
from hypothesis import strategies as st

NOON = 1795780800.0  # 2026-11-27 12:00 UTC
HOUR = 3600.0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "17"}, 17),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after-ms": "4600", "retry-after": "5"}, 4.6),
        ({"retry-after": "Fri, 27 Nov 2026 13:00:00 GMT"}, HOUR),
        # By the server's own clock, which is an hour ahead of ours.
        (
            {
                "retry-after": "Fri, 27 Nov 2026 13:00:30 GMT",
                "date": "Fri, 27 Nov 2026 13:00:00 GMT",
            },
            30,
        ),
        ({"retry-after": "Fri, 27 Nov 2026 11:00:00 GMT"}, 0),
        ({"retry-after": "-3"}, 0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "nan"}, None),
        ({}, None),
        (
            {
                "anthropic-ratelimit-requests-remaining": "0",
                "anthropic-ratelimit-requests-reset": "2026-11-27T12:00:17Z",
                "anthropic-ratelimit-tokens-remaining": "4000",
                "anthropic-ratelimit-tokens-reset": "2026-11-27T12:30:00Z",
            },
            17,
        ),
        (
            {
                "anthropic-ratelimit-unified-5h-reset": str(NOON + HOUR),
                "anthropic-ratelimit-unified-7d-reset": str(NOON + 90 * HOUR),
                "anthropic-ratelimit-unified-reset": str(NOON + HOUR),
            },
            HOUR,
        ),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "6m0s"}, 360),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "20ms"}, 0.02),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int((NOON + 9) * 1000))}, 9),
    ],
)
def test_a_server_names_a_time_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    """In seconds, as a date, in milliseconds, or as the reset of the limit that was hit."""
    assert resets.after(headers, "", pace=True, now=NOON) == (
        None if seconds is None else pytest.approx(seconds)
    )


def test_a_rate_limit_that_was_not_hit_says_nothing() -> None:
    """Its headers come with every answer, also with an error of another kind."""
    headers = {"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "6m0s"}

    assert resets.after(headers, "Please try again in 9s", pace=False, now=NOON) is None


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("Please try again in 4.6s.", 4.6),
        ("Please try again in 7m12s.", 432),
        ("No deployments available, Try again in 60 seconds.", 60),
        ("please retry after a while", None),
    ],
)
def test_the_words_name_a_time_to_wait(said: str, seconds: float | None) -> None:
    """Where no header does."""
    found = resets.after({}, said, pace=True, now=NOON)

    assert found == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    ("said", "hours"),
    [
        ("You will regain access on 2026-12-01 at 00:00 UTC.", 84),
        ("resets at 2026-11-28T01:00:00+01:00", 12),
        ("Claude AI usage limit reached|1795784400", 1),
        ("You've hit your session limit · resets 3pm (UTC)", 3),
        ("You've hit your session limit · resets 3:30pm (Europe/Berlin)", 2.5),
        ("You've hit your limit · resets 9am (UTC)", 21),
        ("You've hit your weekly limit · resets Dec 1 at 3pm (UTC)", 99),
        ("You've hit your weekly limit · resets Dec 1, 12am (UTC)", 84),
        ("You've hit your limit · resets 3pm (Nowhere/Atlantis)", None),
        ("resets Feb 30 at 3pm (UTC)", None),
        ("the snapshot of 2024-08-06 is gone", None),
        ("resets on 2026-12-01, until 2027-01-01 at the latest", 84),
        ("regain access on 2026-13-45", None),
        ("nothing of the kind", None),
    ],
)
def test_the_words_name_a_date(said: str, hours: float | None) -> None:
    """The first that lies ahead: to ask too early costs less than to stay away."""
    found = resets.named(said, NOON)

    assert found == (None if hours is None else NOON + hours * HOUR)


@given(st.text(), st.dictionaries(st.sampled_from(["retry-after", "date"]), st.text()))
def test_nothing_that_a_server_says_is_too_odd(said: str, headers: dict[str, str]) -> None:
    """Whatever it is, it is a time or none."""
    found = resets.after(headers, said, pace=True, now=NOON)

    assert found is None or found >= 0
    resets.named(said, NOON)

"""Days as people name them: what is refused, and where a day begins."""

from __future__ import annotations

import datetime
import time

import click
import pytest
from books import HOUR, NOON
from claude_tier.report import calendar, days
from claude_tier_hooks import budget


@pytest.mark.parametrize("text", ["0001-01-01", "1969-12-31", "2200-01-01", "9999-12-31"])
def test_years_that_nothing_can_be_of_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="from 1970-01-01 to 2199-12-31"):
        days.parse(text, NOON)


def test_a_last_day_before_the_first_is_said() -> None:
    first, last = datetime.date(2026, 11, 20), datetime.date(2026, 11, 1)
    with pytest.raises(click.UsageError, match="2026-11-20 is after --until 2026-11-01"):
        days.span(first, last)


@pytest.mark.parametrize("month", [1, 7])
@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [("America/Havana", (2026, 11, 1), 25), ("Africa/Cairo", (2026, 4, 24), 23)],
)
def test_a_day_has_both_of_its_midnights(
    monkeypatch: pytest.MonkeyPatch, zone: str, day: tuple[int, int, int], hours: int, month: int
) -> None:
    """Or none, where the clock skips it. Which of two mktime takes is up to what it had last."""
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    time.mktime((2026, month, 15, 12, 0, 0, 0, 0, -1))
    assert budget.period_start("day", datetime.datetime(*day, 12).timestamp()) == (
        calendar.start_of(datetime.date(*day).toordinal())
    )
    time.mktime((2026, month, 15, 12, 0, 0, 0, 0, -1))
    since, until = days.span(datetime.date(*day), datetime.date(*day))
    assert since is not None
    assert until == since + hours * HOUR
    assert days.of(since) == days.of(until - 1) == datetime.date(*day).isoformat()

"""Local days as numbers, in zones whose clocks do odd things."""

from __future__ import annotations

import datetime
import time

import pytest
from claude_tier.report import calendar
from claude_tier_hooks import ledger

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/St_Johns",
    "Australia/Lord_Howe",  # half an hour of daylight saving
    "Asia/Kathmandu",  # a quarter of an hour off
    "America/Havana",  # midnight comes twice
    "Africa/Cairo",  # midnight is skipped
    "Pacific/Apia",
)


def in_zone(monkeypatch: pytest.MonkeyPatch, zone: str) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()


@pytest.mark.parametrize("zone", ZONES)
def test_every_day_begins_where_the_one_before_ends(
    monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    """Its first moment is on it, the moment before is not, and quarter hours leave no gap."""
    in_zone(monkeypatch, zone)
    first = datetime.date(2025, 12, 25).toordinal()
    for day in range(first, first + 400):
        start = calendar.start_of(day)
        assert calendar.day_of(start) == day
        assert calendar.day_of(start - 1) == day - 1
        assert calendar.quarters(day)[1] == calendar.quarters(day + 1)[0]


def test_days_have_the_hours_that_the_clock_gives_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """23 and 25 hours in Berlin, 23.5 and 24.5 on Lord Howe Island."""
    found = {}
    for zone in ("Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu"):
        in_zone(monkeypatch, zone)
        first = datetime.date(2026, 1, 1).toordinal()
        spans = (calendar.quarters(day) for day in range(first, first + 365))
        found[zone] = {(until - since) / 4 for since, until in spans}
    assert found == {
        "Europe/Berlin": {23, 24, 25},
        "Australia/Lord_Howe": {23.5, 24, 24.5},
        "Asia/Kathmandu": {24},
    }


def test_a_day_that_the_zone_left_out_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Samoa went from the 29th to the 31st of December 2011."""
    in_zone(monkeypatch, "Pacific/Apia")
    since, until = calendar.quarters(datetime.date(2011, 12, 30).toordinal())
    assert since == until


def test_weeks_begin_on_the_day_that_was_chosen() -> None:
    """0 is Monday, 6 Sunday."""
    saturday = datetime.date(2026, 11, 21).toordinal()
    starts = [calendar.text(calendar.week_of(saturday, day)) for day in range(7)]
    assert starts == ["2026-11-16", *(f"2026-11-{day}" for day in (17, 18, 19, 20, 21, 15))]
    assert calendar.text(calendar.month_of(saturday)) == "2026-11-01"


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("moment", [-1e17, -62_135_596_800.0, 253_402_300_799.0, 1e17])
def test_a_time_no_day_has_is_within_the_quarters_of_the_nearest(
    monkeypatch: pytest.MonkeyPatch, moment: float, zone: str
) -> None:
    """The years 1 and 9999, and what is no year: found again in the day it is put to."""
    in_zone(monkeypatch, zone)
    day = calendar.day_of(moment)
    assert day in (calendar.FIRST, calendar.LAST)
    since, until = calendar.quarters(day)
    assert since <= moment // ledger.BUCKET < until


@pytest.mark.parametrize("zone", ZONES)
def test_days_beyond_the_first_and_the_last_have_a_start(
    monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    """Each begins no sooner than the one before, and the inner ones on their own day."""
    in_zone(monkeypatch, zone)
    edges = [day + n for day in (calendar.FIRST, calendar.LAST) for n in (-1, 0, 1, 2)]
    days = [1, *edges, datetime.date.max.toordinal()]
    starts = [calendar.start_of(day) for day in days]
    assert starts == sorted(starts)
    for day in (calendar.FIRST + 1, calendar.LAST):
        assert calendar.day_of(calendar.start_of(day)) == day
        assert calendar.day_of(calendar.start_of(day) - 1) == day - 1

"""When beats are due, at the places where schedules go wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from itertools import islice
from zoneinfo import ZoneInfo

import beats
import pytest
from claude_tier.heartbeat import schedule
from claude_tier.heartbeat.beat import ActiveHours, Beat, Cron, Every

BERLIN = ZoneInfo("Europe/Berlin")
HOUR, DAY = 3600, 86_400


def beat(planned: Every | Cron, tz: str = "Europe/Berlin") -> Beat:
    return beats.beat(planned=planned, tz=tz)


def at(text: str, zone: ZoneInfo = BERLIN, *, again: bool = False) -> float:
    """The epoch time of 2026-10-25T02:30, or of the second one."""
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=again).timestamp()


def walls(one: Beat, begin: str, end: str) -> list[str]:
    """What a clock on the wall shows when it is due: 25 02:30+0200."""
    zone = ZoneInfo(one.tz)
    slots = schedule.slots(one, at(begin, zone), at(end, zone))
    return [datetime.fromtimestamp(slot, zone).strftime("%d %H:%M%z") for slot in slots]


def test_half_an_hour_is_counted_from_local_midnight() -> None:
    """Nobody's phase is computed in UTC: Kathmandu is 5:45 ahead."""
    one = beat(Every(HOUR // 2), "Asia/Kathmandu")
    assert walls(one, "2026-05-01T09:00", "2026-05-01T10:00") == ["01 09:30+0545", "01 10:00+0545"]


def test_a_slot_is_after_the_first_time_and_not_after_the_last() -> None:
    """So that two looks which meet neither lose nor repeat one."""
    one = beat(Every(HOUR))
    three = at("2026-05-01T03:00")
    assert list(schedule.slots(one, three, three + HOUR)) == [three + HOUR]
    assert list(schedule.slots(one, three - 1, three)) == [three]
    assert schedule.next_slot(one, three) == three + HOUR
    assert schedule.next_slot(one, three - 0.5) == three


@pytest.mark.parametrize(
    ("day", "count"), [("2026-03-29", 23), ("2026-05-01", 24), ("2026-10-25", 25)]
)
def test_every_hour_is_every_hour_when_clocks_are_changed(day: str, count: int) -> None:
    """The short day has 23, the long one 25."""
    midnight = at(f"{day}T00:00")
    slots = list(schedule.slots(beat(Every(HOUR)), midnight - 1, midnight + count * HOUR - 1))
    assert slots == [midnight + number * HOUR for number in range(count)]


def test_six_hours_begin_anew_at_midnight() -> None:
    """After a long day as well."""
    assert walls(beat(Every(6 * HOUR)), "2026-10-24T23:00", "2026-10-26T07:00") == [
        "25 00:00+0200",
        "25 05:00+0100",
        "25 11:00+0100",
        "25 17:00+0100",
        "25 23:00+0100",
        "26 00:00+0100",
        "26 06:00+0100",
    ]


def test_days_are_midnights_of_the_calendar() -> None:
    """Whether they have 23 hours or 25."""
    assert walls(beat(Every(DAY)), "2026-10-24T12:00", "2026-10-27T12:00") == [
        "25 00:00+0200",
        "26 00:00+0100",
        "27 00:00+0100",
    ]
    other = beat(Every(2 * DAY))
    assert walls(other, "2026-10-24T12:00", "2026-10-29T12:00") in (
        ["25 00:00+0200", "27 00:00+0100", "29 00:00+0100"],
        ["26 00:00+0100", "28 00:00+0100"],
    )


def test_what_divides_no_day_goes_on_through_midnight() -> None:
    """Seven hours are seven hours, always."""
    slots = list(islice(schedule.slots(beat(Every(7 * HOUR)), 0, DAY * 9), 30))
    assert slots == [number * 7.0 * HOUR for number in range(1, 31)]


def test_a_day_begins_when_its_midnight_is_skipped() -> None:
    """Cairo goes from 0:00 to 1:00 on 24 April 2026."""
    assert walls(
        beat(Every(12 * HOUR), "Africa/Cairo"), "2026-04-23T20:00", "2026-04-24T14:00"
    ) == [
        "24 01:00+0300",
        "24 13:00+0300",
    ]


def test_a_day_that_was_left_out_is_due_once() -> None:
    """Samoa had no 30 December 2011."""
    one = beat(Every(DAY), "Pacific/Apia")
    assert walls(one, "2011-12-28T12:00", "2012-01-01T12:00") == [
        "29 00:00-1000",
        "31 00:00+1400",
        "01 00:00+1400",
    ]


def test_a_named_time_runs_once_when_the_hour_comes_twice() -> None:
    """`30 1` in New York's and `30 2` in Berlin's autumn: in the first of the two."""
    one = beat(Cron("30 2 * * *"))
    assert walls(one, "2026-10-24T12:00", "2026-10-26T12:00") == ["25 02:30+0200", "26 02:30+0100"]
    assert schedule.next_slot(one, at("2026-10-25T02:10", again=True)) == at("2026-10-26T02:30")
    other = beat(Cron("30 1 * * *"), "America/New_York")
    assert walls(other, "2026-10-31T12:00", "2026-11-02T12:00") == [
        "01 01:30-0400",
        "02 01:30-0500",
    ]


def test_a_named_time_that_is_skipped_runs_right_after() -> None:
    """The day is not without it."""
    one = beat(Cron("30 2 * * *"))
    assert walls(one, "2026-03-28T12:00", "2026-03-30T12:00") == ["29 03:00+0200", "30 02:30+0200"]
    assert walls(beat(Cron("0,15,30 2,3 * * *")), "2026-03-29T00:00", "2026-03-29T12:00") == [
        "29 03:00+0200",
        "29 03:15+0200",
        "29 03:30+0200",
    ]


def test_a_star_follows_the_clock_on_the_wall() -> None:
    """Both times in autumn, not at all in spring."""
    one = beat(Cron("*/30 2 * * *"))
    assert walls(one, "2026-10-25T00:00", "2026-10-25T12:00") == [
        "25 02:00+0200",
        "25 02:30+0200",
        "25 02:00+0100",
        "25 02:30+0100",
    ]
    assert walls(one, "2026-03-29T00:00", "2026-03-29T12:00") == []
    second = at("2026-10-25T02:00", again=True)
    assert schedule.next_slot(one, second - 1) == second
    assert schedule.next_slot(one, at("2026-10-25T02:45")) == second


def test_three_hours_that_come_twice_are_seen_from_within_the_first() -> None:
    """Casey's clocks were turned back from 2:00 to 23:00 on 5 March 2010."""
    zone = ZoneInfo("Antarctica/Casey")
    one = beat(Cron("*/15 23 * * *"), "Antarctica/Casey")
    second = at("2010-03-04T23:00", zone, again=True)
    assert schedule.next_slot(one, at("2010-03-05T01:59", zone)) == second


def test_half_an_hour_of_summer_time_keeps_the_hour() -> None:
    """Lord Howe's clocks are changed by 30 minutes; 5:00 stays 5:00."""
    one = beat(Cron("*/15 5 * * *"), "Australia/Lord_Howe")
    for day in ("2026-04-05", "2026-10-04"):
        found = walls(one, f"{day}T00:10", f"{day}T12:00")
        assert [wall[3:8] for wall in found] == ["05:00", "05:15", "05:30", "05:45"]


@pytest.mark.parametrize(
    ("expression", "first"),
    [
        ("0 0 29 2 *", "2028-02-29T00:00"),
        ("30 7 * * MON-FRI", "2026-01-02T07:30"),
        ("0 9 1 * MON", "2026-01-05T09:00"),
        ("0 9 L * *", "2026-01-31T09:00"),
        ("0 9 * * MON#2", "2026-01-12T09:00"),
        ("0 9 * jun *", "2026-06-01T09:00"),
    ],
)
def test_cron_is_that_of_debian(expression: str, first: str) -> None:
    """Names, last and nth days; a day of the month or of the week where neither is a star."""
    assert schedule.next_slot(beat(Cron(expression)), at("2026-01-01T12:00")) == at(first)


def test_active_hours_have_their_first_minute_and_not_their_last() -> None:
    """8:00 is in 08:00-10:00, and 10:00 is not."""
    one = replace(beat(Every(HOUR // 2)), active=ActiveHours(8 * 60, 10 * 60))
    found = walls(one, "2026-05-01T00:00", "2026-05-01T23:00")
    assert [wall[3:8] for wall in found] == ["08:00", "08:30", "09:00", "09:30"]


def test_active_hours_go_over_midnight() -> None:
    """22:00-02:00 is an evening and a night."""
    one = replace(beat(Every(HOUR)), active=ActiveHours(22 * 60, 2 * 60))
    found = walls(one, "2026-05-01T12:00", "2026-05-02T12:00")
    assert [wall[3:8] for wall in found] == ["22:00", "23:00", "00:00", "01:00"]


def test_a_whole_day_is_always_active() -> None:
    """00:00-24:00 leaves nothing out."""
    one = replace(beat(Every(HOUR)), active=ActiveHours(0, 24 * 60))
    midnight = at("2026-05-01T00:00")
    assert len(list(schedule.slots(one, midnight, midnight + DAY))) == 24


def test_a_beat_that_is_never_active_has_no_next_slot() -> None:
    """It is looked for, and given up."""
    one = replace(beat(Every(DAY)), active=ActiveHours(8 * 60, 22 * 60))
    assert schedule.next_slot(one, 0) is None
    assert list(schedule.slots(one, 0, 1e12)) == []


def test_a_spread_beat_is_late_by_the_same_every_time() -> None:
    """By its name: less than the stagger, and always inside the active hours."""
    one = replace(beat(Every(HOUR)), stagger=600)
    midnight = at("2026-05-01T00:00")
    slots = list(schedule.slots(one, midnight - 1, midnight + DAY))
    assert 0 < one.offset < 600
    assert {slot - one.offset for slot in slots} == {midnight + n * HOUR for n in range(24)}
    active = replace(one, active=ActiveHours(8 * 60, 9 * 60))
    assert list(schedule.slots(active, midnight, midnight + DAY)) == [slots[8]]

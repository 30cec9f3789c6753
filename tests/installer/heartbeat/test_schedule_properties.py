"""Schedules against an oracle that looks at every minute, in any zone and at its clock changes."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

import beats
from claude_tier.heartbeat import schedule
from claude_tier.heartbeat.beat import ActiveHours, Beat, Cron, Every
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st

MINUTE, HOUR, DAY = 60, 3600, 86_400
FROM, UNTIL = 788_918_400, 2_114_380_800  # 1995 to 2037
# Changes of half an hour, of three hours, at midnight, just after it, and of a whole day.
ODD = (
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Antarctica/Casey",
    "America/Sao_Paulo",
    "America/Goose_Bay",
    "America/Havana",
    "Africa/Cairo",
    "Pacific/Apia",
    "Asia/Kathmandu",
    "UTC",
)
zones = (
    st.sampled_from(ODD)
    | st.sampled_from(ODD)
    | st.sampled_from(sorted(zoneinfo.available_timezones()))
)
PARTS_OF_A_DAY = [minutes for minutes in range(1, 1440) if 1440 % minutes == 0]


class Minute(NamedTuple):
    """One minute: what the wall shows, what was skipped before it, and whether it came before."""

    at: int
    wall: datetime
    skipped: tuple[datetime, ...]
    again: bool
    since_midnight: int
    begins: tuple[int, ...]  # the ordinals of the days that begin with it


def minutes(zone: ZoneInfo, begin: int, end: int) -> Iterator[Minute]:
    """All of them, told by nothing but what a clock on the wall shows."""
    last = wall_at(begin, zone)
    latest, midnight = last, begin
    for at in range(begin + MINUTE, end + 1, MINUTE):
        wall = wall_at(at, zone)
        jump = (wall - last) // timedelta(minutes=1) - 1
        skipped = tuple(last + timedelta(minutes=1 + n) for n in range(max(0, jump)))
        begins = tuple(range(latest.date().toordinal() + 1, wall.date().toordinal() + 1))
        midnight = at if begins else midnight
        yield Minute(at, wall, skipped, wall <= latest, at - midnight, begins)
        last, latest = wall, max(wall, latest)


def wall_at(at: float, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(at, zone).replace(tzinfo=None, fold=0)


@cache
def changes(name: str) -> tuple[int, ...]:
    """The moments from 1995 to 2037 at which that zone's clocks are changed."""
    zone = ZoneInfo(name)
    days = range(FROM, UNTIL, DAY)
    return tuple(change(zone, day) for day in days if offset(day, zone) != offset(day + DAY, zone))


def change(zone: ZoneInfo, before: int) -> int:
    """The first moment within a day that has another offset than that before it."""
    after = before + DAY
    while after - before > 1:
        middle = (before + after) // 2
        if offset(middle, zone) == offset(before, zone):
            before = middle
        else:
            after = middle
    return after


def offset(at: int, zone: ZoneInfo) -> timedelta | None:
    return datetime.fromtimestamp(at, zone).utcoffset()


@st.composite
def spans(draw: st.DrawFn) -> tuple[str, int, int]:
    """A zone and some hours in it, mostly around a change of its clocks."""
    name = draw(zones)
    near = draw(st.sampled_from(changes(name) or (FROM,)) | st.integers(FROM, UNTIL))
    after = (near // MINUTE - draw(st.integers(0, 400))) * MINUTE
    return name, after, after + draw(st.integers(60, 900)) * MINUTE


@st.composite
def hours(draw: st.DrawFn) -> ActiveHours | None:
    """None, or two different times, over midnight as often as not."""
    start, end = draw(st.tuples(st.integers(0, 1439), st.integers(1, 1440)))
    return draw(st.sampled_from([None, ActiveHours(start, end)])) if start != end else None


def beat(zone: str, planned: Every | Cron, active: ActiveHours | None = None) -> Beat:
    return beats.beat(planned=planned, tz=zone, active=active)


def due(one: Beat, after: int, until: int) -> list[float]:
    """What the oracle says, looking from before that on."""
    zone = ZoneInfo(one.tz)
    before = 6 if isinstance(one.schedule, Cron) else 30  # hours: a long day, or a turn back
    return [
        minute.at
        for minute in minutes(zone, after - before * HOUR, until)
        if minute.at > after and is_due(one.schedule, minute) and is_active(one.active, minute)
    ]


def is_active(active: ActiveHours | None, minute: Minute) -> bool:
    return active is None or minute.wall.hour * 60 + minute.wall.minute in inside(active)


@cache
def inside(active: ActiveHours) -> frozenset[int]:
    """From the first minute on until the one before the last, round the clock."""
    at, found = active.start, []
    while at not in found and at != active.end % 1440:
        found.append(at)
        at = (at + 1) % 1440
    return frozenset(found or range(1440))


def is_due(planned: Every | Cron, minute: Minute) -> bool:
    if isinstance(planned, Cron):
        return is_due_by_cron(planned.expression, minute)
    seconds = planned.seconds
    if seconds % DAY == 0:
        return any(day % (seconds // DAY) == 0 for day in minute.begins)
    if DAY % seconds == 0:
        return minute.since_midnight % seconds == 0
    return minute.at % seconds == 0


def is_due_by_cron(expression: str, minute: Minute) -> bool:
    """By the wall; with minute and hour named, once: at the first, or at the end of a gap."""
    if expression.split()[0][0] == "*" or expression.split()[1][0] == "*":
        return matches(expression, minute.wall)
    walls = (*minute.skipped, minute.wall)
    return not minute.again and any(matches(expression, wall) for wall in walls)


def matches(expression: str, wall: datetime) -> bool:
    minute, hour, day, month, weekday = expression.split()
    days = holds(day, wall.day), holds(weekday, wall.isoweekday() % 7)
    both = "*" in (day[0], weekday[0])
    return (
        holds(minute, wall.minute)
        and holds(hour, wall.hour)
        and holds(month, wall.month)
        and (all(days) if both else any(days))
    )


def holds(field: str, value: int) -> bool:
    """Of the fields below, all lists, stars and stars with a step that begin at 0 or 1."""
    if field.startswith("*"):
        return value % int(field[2:] or "1") == 0
    return value in map(int, field.split(","))


def lists(low: int, high: int) -> st.SearchStrategy[str]:
    some = st.lists(st.integers(low, high), min_size=1, max_size=6, unique=True)
    return some.map(lambda values: ",".join(map(str, values)))


def fields(low: int, high: int) -> st.SearchStrategy[str]:
    return st.just("*") | lists(low, high)


some_days = st.tuples(fields(1, 31), fields(1, 12), fields(0, 6)).map(" ".join)
crons = st.tuples(
    st.sampled_from(["*", "*/7", "*/15", "0", "30", "0,30", "1,59"]) | lists(0, 59),
    st.sampled_from(["*", "*/2", "0", "1", "2", "0,1,2,3", "1,2,3", "22,23,0"]) | lists(0, 23),
    st.just("* * *") | st.just("* * *") | some_days,
).map(" ".join)
intervals = st.sampled_from(PARTS_OF_A_DAY) | st.integers(1, 5000)


@settings(max_examples=examples(25))
@given(spans(), intervals, hours())
def test_an_interval_is_what_the_oracle_says(
    span: tuple[str, int, int], interval: int, active: ActiveHours | None
) -> None:
    """Shares of a day from its midnight, days by the calendar, anything else from the epoch."""
    zone, after, until = span
    one = beat(zone, Every(interval * MINUTE), active)
    assert list(schedule.slots(one, after, until)) == due(one, after, until)


@settings(max_examples=examples(12))
@given(spans(), st.integers(1, 3), hours())
def test_whole_days_are_what_the_oracle_says(
    span: tuple[str, int, int], days: int, active: ActiveHours | None
) -> None:
    """Where clocks skip midnight, or a day, the day begins when they do."""
    zone, after, until = span
    one = beat(zone, Every(days * DAY), active)
    assert list(schedule.slots(one, after, until + 2 * DAY)) == due(one, after, until + 2 * DAY)


@settings(max_examples=examples(50))
@given(spans(), crons, hours())
def test_a_cron_expression_is_what_the_oracle_says(
    span: tuple[str, int, int], expression: str, active: ActiveHours | None
) -> None:
    """Once where minute and hour are named, else as the clock on the wall goes."""
    zone, after, until = span
    one = beat(zone, Cron(expression), active)
    assert list(schedule.slots(one, after, until)) == due(one, after, until)


@settings(max_examples=examples(20))
@given(spans(), intervals.map(lambda minutes: Every(minutes * MINUTE)) | crons.map(Cron), hours())
def test_it_does_not_matter_from_when_one_looks(
    span: tuple[str, int, int], planned: Every | Cron, active: ActiveHours | None
) -> None:
    """Two looks that meet see what one sees, and the next slot is the first."""
    zone, after, until = span
    one = replace(beat(zone, planned, active), stagger=900)
    middle = (after + until) / 2 + 0.25
    whole = list(schedule.slots(one, after, until))
    assert whole == sorted(set(whole))
    parts = [*schedule.slots(one, after, middle), *schedule.slots(one, middle, until)]
    assert parts == whole
    if whole:
        assert schedule.next_slot(one, after) == whole[0]

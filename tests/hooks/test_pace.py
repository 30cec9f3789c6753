"""The hour a budget reaches its levels, against forecasts reckoned by hand."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from claude_tier_hooks import budget, ledger, pace
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

Json = dict[str, Any]
HOUR, DAY, QUARTER = 3600, 86400, 900
NOON = datetime(2026, 11, 20, 12, tzinfo=ZoneInfo("UTC")).timestamp()  # a Friday
HERE = {"session": 1, "project": 2}
SHARED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)


def a_budget(**given_: object) -> Json:
    made: Json = {
        "name": "daily", "scope": {"kind": "user", "name": None}, "period": "day", "unit": "usd",
        "limit": 10.0, "warn": 0.8, "recover": 0.85, "cap": 0.9, "stop": 1.0, "ceiling": "sonnet",
        "on_stop": "deny",
    }  # fmt: skip
    return {**made, **given_}


@pytest.fixture
def db(home: object) -> Iterator[sqlite3.Connection]:
    connection = ledger.connect(patience=10)
    yield connection
    connection.close()


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], ZoneInfo]]:
    def enter(name: str) -> ZoneInfo:
        monkeypatch.setenv("TZ", name)
        time.tzset()
        return ZoneInfo(name)

    yield enter
    monkeypatch.undo()
    time.tzset()


def spend(db: sqlite3.Connection, usd: float, at: float, session: int = 1) -> None:
    """A request of that price and a thousand tokens."""
    row = (int(at // QUARTER), session, ledger.name_id(db, "main"), 90, 91, 2)
    db.execute(ledger.ADD_TO_BUCKET, (*row, 1, 1000, 0, 0, 0, 0, 0, usd, 0))


def steadily(db: sqlite3.Connection, per_hour: float, since: float, until: float) -> None:
    """That much an hour, in every quarter of it as far as it is over."""
    at = since
    while at < until:
        end = min(until, (at // QUARTER + 1) * QUARTER)
        spend(db, per_hour * (end - at) / HOUR, at)
        at = end


def look(db: sqlite3.Connection, now: float, **given_: object) -> Json:
    rules = {"budgets": [a_budget(**given_)], "week_start": 0}
    (standing,) = budget.standing(db, rules, HERE, now)
    return pace.forecast(db, standing, HERE, now)


def states(found: Json) -> list[str]:
    return [found["hits"][level]["state"] for level in pace.LEVELS]


def window(db: sqlite3.Connection, used: float, resets: float, name: str = "five_hour") -> None:
    db.execute("INSERT INTO plan_window VALUES (?, ?, ?, ?)", (name, used, resets, NOON))


def sample(db: sqlite3.Connection, used: float, at: float, resets: float) -> None:
    db.execute("INSERT INTO plan_sample VALUES (?, 'five_hour', ?, ?)", (at, used, resets))


def test_the_last_hour_says_when_a_day_is_spent(db: sqlite3.Connection) -> None:
    """$4 before and $2 in the last hour of $10: two, two and a half... hours to go."""
    spend(db, 4.0, NOON - 5 * HOUR)
    spend(db, 2.0, NOON - 1800)

    found = look(db, NOON)

    assert (found["used"], found["elapsed"], found["pace"]) == (0.6, 0.5, 1.2)
    assert (found["rate"], found["seconds"]) == (2.0, HOUR)
    assert found["method"] == "used in the last 60 min"
    assert found["hits"] == {
        "warn": {"share": 0.8, "at": NOON + HOUR, "state": "expected"},
        "cap": {"share": 0.9, "at": NOON + 1.5 * HOUR, "state": "expected"},
        "stop": {"share": 1.0, "at": NOON + 2 * HOUR, "state": "expected"},
    }
    assert found["until"] == NOON + 12 * HOUR


def test_what_comes_after_the_period_is_no_hit(db: sqlite3.Connection) -> None:
    """At $0.20 an hour $8 are reached before midnight, $9 are not."""
    spend(db, 6.0, NOON - 5 * HOUR)
    spend(db, 0.2, NOON - 1800)

    found = look(db, NOON)

    assert states(found) == ["expected", "not_before_reset", "not_before_reset"]
    assert found["hits"]["warn"]["at"] == pytest.approx(NOON + 9 * HOUR)


def test_what_is_reached_is_not_forecast(db: sqlite3.Connection) -> None:
    """9.2 of 10: warn and cap are behind us."""
    spend(db, 9.2, NOON - 1800)
    assert states(look(db, NOON)) == ["reached", "reached", "expected"]


def test_an_hour_without_spending_reaches_nothing(db: sqlite3.Connection) -> None:
    """Whatever was spent before it; the share is behind the clock all the same."""
    spend(db, 7.9, NOON - 2 * HOUR)

    found = look(db, NOON)

    assert (found["rate"], states(found)) == (0.0, ["not_before_reset"] * 3)
    assert found["pace"] == pytest.approx(1.58)


def test_a_young_period_is_measured_since_it_began(db: sqlite3.Connection) -> None:
    """At 00:30 only half an hour is of this day: $1 in it is $2 an hour."""
    midnight = NOON - 12 * HOUR
    spend(db, 5.0, midnight - 600)
    spend(db, 1.0, midnight + 60)

    found = look(db, midnight + 1800)

    assert (found["rate"], found["method"]) == (2.0, "used since it began, 30 min ago")
    assert found["hits"]["stop"]["at"] == midnight + 1800 + 4.5 * HOUR


def test_the_first_minute_says_nothing(db: sqlite3.Connection) -> None:
    """A cent in a second is not $36 an hour."""
    midnight = NOON - 12 * HOUR
    spend(db, 0.01, midnight)

    found = look(db, midnight + 30)

    assert (found["rate"], found["pace"], states(found)) == (None, None, ["unknown"] * 3)


@pytest.mark.parametrize("period", ["week", "month"])
def test_a_long_period_is_measured_over_a_day(db: sqlite3.Connection, period: str) -> None:
    """$2.40 in the last 24 hours, none of it in the last one."""
    spend(db, 1.0, NOON - 2 * DAY)
    spend(db, 2.4, NOON - 5 * HOUR)

    found = look(db, NOON, period=period, limit=5.0)

    assert found["rate"] == pytest.approx(0.1)
    assert found["hits"]["warn"]["at"] == pytest.approx(NOON + 6 * HOUR)
    assert found["method"] == "used in the last 24 h"


@pytest.mark.parametrize(
    ("day", "hours"), [((2026, 3, 29), 23), ((2026, 10, 25), 25), ((2026, 6, 1), 24)]
)
def test_a_day_has_the_hours_it_has(
    db: sqlite3.Connection, zone: Callable[[str], ZoneInfo], day: tuple[int, int, int], hours: int
) -> None:
    """Elapsed share and end of a day when the clocks change in Berlin."""
    start = datetime(*day, tzinfo=zone("Europe/Berlin")).timestamp()
    now = start + 11.5 * HOUR
    steadily(db, 0.5, start, now)

    found = look(db, now)

    assert found["until"] == start + hours * HOUR
    assert found["elapsed"] == pytest.approx(11.5 / hours)
    assert found["pace"] == pytest.approx(0.575 * hours / 11.5)
    assert found["hits"]["stop"]["at"] == pytest.approx(start + 20 * HOUR)
    assert look(db, now, limit=12.2)["hits"]["stop"]["state"] == (
        "expected" if hours == 25 else "not_before_reset"
    )


def test_a_session_has_no_end(db: sqlite3.Connection) -> None:
    """No share of it is elapsed; a level is reached when it is, or not at this pace."""
    db.execute("INSERT INTO session (id, project, started) VALUES (1, 2, ?)", (NOON - 1800,))
    spend(db, 1.0, NOON - 600)
    spend(db, 9.0, NOON - 600, session=3)

    found = look(db, NOON, period="session")

    assert (found["elapsed"], found["pace"], found["until"]) == (None, None, None)
    assert (found["rate"], found["seconds"]) == (2.0, 1800)
    assert found["hits"]["stop"]["at"] == NOON + 4.5 * HOUR
    assert states(look(db, NOON, period="session", limit=1e7)) == ["not_at_this_pace"] * 3


@pytest.mark.parametrize("scope", ["user", "session"])
def test_a_young_session_is_measured_since_it_began(db: sqlite3.Connection, scope: str) -> None:
    """$2 in its two minutes are $60 an hour, though the quarter hour began twelve before."""
    now = NOON + 14 * 60
    query = "INSERT INTO session (id, project, started) VALUES (1, 2, ?)"
    db.execute(query, (now - 120,))
    spend(db, 2.0, now - 60)
    period = "session" if scope == "user" else "day"

    found = look(db, now, period=period, scope={"kind": scope, "name": None})

    assert (found["rate"], found["seconds"]) == (60.0, 120)
    assert found["method"] == "used since it began, 2 min ago"
    assert found["hits"]["stop"]["at"] == now + 480


def test_a_week_lasts_no_longer_than_the_last_hour_says(db: sqlite3.Connection) -> None:
    """$2 of the last hour take the last $1 in half of one, though the day had $3 only."""
    spend(db, 1.0, NOON - 5 * HOUR)
    spend(db, 2.0, NOON - 1800)

    found = look(db, NOON, period="week", limit=4.0)
    short = look(db, NOON, limit=4.0)

    assert found["hits"]["stop"] == short["hits"]["stop"]
    assert found["hits"]["stop"]["at"] == NOON + 1800
    assert (found["rate"], found["seconds"]) == (2.0, HOUR)
    assert found["method"] == "used in the last 60 min; beyond 24 h: used in the last 24 h"


def test_a_fast_hour_says_nothing_of_next_week(db: sqlite3.Connection) -> None:
    """Levels a day away and more go by the last 24 hours, nearer ones by the hour."""
    spend(db, 2.4, NOON - 1800)
    rate = 0.1

    found = look(db, NOON, period="month", limit=100.0, warn=0.2, cap=0.9, stop=0.95)
    far = look(db, NOON, period="month", limit=100.0, warn=0.7, cap=0.9, stop=0.95)

    assert found["hits"]["warn"]["at"] == pytest.approx(NOON + 17.6 / 2.4 * HOUR)
    assert found["hits"]["cap"]["at"] == far["hits"]["cap"]["at"]
    assert (far["rate"], far["method"]) == (pytest.approx(rate), "used in the last 24 h")
    assert states(far) == ["not_before_reset"] * 3


def test_outside_of_a_session_its_budget_is_unknown(db: sqlite3.Connection) -> None:
    """Not 0 %."""
    rules = {"budgets": [a_budget(period="session")], "week_start": 0}
    (standing,) = budget.standing(db, rules, {"session": -1}, NOON)
    assert states(pace.forecast(db, standing, {"session": -1}, NOON)) == ["unknown"] * 3


def test_a_plan_window_nobody_reported_is_unknown(db: sqlite3.Connection) -> None:
    """No figure, no forecast."""
    window(db, 50, NOON - 60)
    found = look(db, NOON, period="five_hour", unit="plan_percent", limit=100.0)
    assert (found["used"], found["rate"], states(found)) == (None, None, ["unknown"] * 3)


def test_a_plan_window_goes_on_as_in_its_last_hour(db: sqlite3.Connection) -> None:
    """20 % stood when the hour began, 32 % now: 12 an hour."""
    resets = NOON + 2 * HOUR
    window(db, 32, resets)
    sample(db, 5, NOON - 4000, resets - 5 * HOUR)  # of the window before
    sample(db, 11, NOON - 9000, resets)
    sample(db, 20, NOON - 5000, resets + 2)
    sample(db, 28, NOON - 1800, resets)
    sample(db, 32, NOON - 60, resets)

    found = look(db, NOON, period="five_hour", unit="plan_percent", limit=50.0)

    assert (found["rate"], found["method"]) == (12.0, "reported in the last 60 min")
    assert found["pace"] == pytest.approx(0.64 / 0.6)
    assert found["hits"]["warn"]["at"] == pytest.approx(NOON + 8 / 12 * HOUR)
    assert found["hits"]["stop"]["at"] == pytest.approx(NOON + 18 / 12 * HOUR)


def test_a_plan_window_first_heard_of_late_goes_by_what_was_heard(db: sqlite3.Connection) -> None:
    """Half an hour of history is taken; five minutes are too few for whole percents."""
    resets = NOON + 2 * HOUR
    window(db, 36, resets)
    sample(db, 35, NOON - 300, resets)
    early = look(db, NOON, period="five_hour", unit="plan_percent", limit=100.0)
    sample(db, 30, NOON - 1800, resets)

    found = look(db, NOON, period="five_hour", unit="plan_percent", limit=100.0)

    assert (early["rate"], early["method"]) == (12.0, "reported since it began, 3 h ago")
    assert (found["rate"], found["method"]) == (12.0, "reported in the last 30 min")


def test_a_young_plan_window_is_measured_since_it_began(db: sqlite3.Connection) -> None:
    """10 % in its first half hour, whatever of it was heard when."""
    resets = NOON + 4.5 * HOUR
    window(db, 10, resets)
    sample(db, 9, NOON - 1200, resets)
    sample(db, 10, NOON - 60, resets)

    found = look(db, NOON, period="five_hour", unit="plan_percent", limit=100.0)

    assert (found["rate"], found["method"]) == (20.0, "reported since it began, 30 min ago")


def test_a_window_that_rolls_forgets(db: sqlite3.Connection) -> None:
    """$1 an hour never makes more than $5 in five hours; what was spent before leaves."""
    steadily(db, 1.0, NOON - 6 * HOUR, NOON)

    enough = look(db, NOON, period="five_hour", limit=10.0)
    short = look(db, NOON, period="five_hour", limit=5.0)

    assert states(enough) == ["not_at_this_pace"] * 3
    assert states(short) == ["reached"] * 3
    assert enough["elapsed"] is None


def test_a_window_that_rolls_is_full_before_the_old_leaves(db: sqlite3.Connection) -> None:
    """$4 leave in two hours and a half; $2 an hour are $10 with them an hour sooner."""
    spend(db, 4.0, NOON - 2.75 * HOUR)
    steadily(db, 2.0, NOON - HOUR, NOON)

    found = look(db, NOON, period="five_hour", limit=9.0)

    assert found["hits"]["stop"]["at"] == pytest.approx(NOON + 1.5 * HOUR)
    later = look(db, NOON, period="five_hour", limit=12.0)["hits"]["stop"]
    assert later["state"] == "not_at_this_pace"


@SHARED
@given(
    per_hour=st.floats(0.01, 50),
    limit=st.floats(1, 1000),
    minutes=st.integers(70, 1400),
    period=st.sampled_from(["day", "week", "month"]),
)
def test_a_constant_rate_hits_exactly_when_it_should(
    db: sqlite3.Connection, per_hour: float, limit: float, minutes: int, period: str
) -> None:
    """What is used at time t is the rate times t: the forecast solves that for each level."""
    start = datetime(2026, 6, 1, tzinfo=ZoneInfo("UTC")).timestamp()  # a Monday
    db.execute("DELETE FROM bucket")
    now = start + 60 * minutes
    steadily(db, per_hour, start, now)

    found = look(db, now, period=period, limit=limit)

    for hit in found["hits"].values():
        due = start + hit["share"] * limit / per_hour * HOUR
        if abs(due - now) < 1 or abs(due - found["until"]) < 1:
            continue
        expected = due if now < due < found["until"] else None
        assert hit["at"] == (expected and pytest.approx(expected, abs=0.5))
        assert (hit["state"] == "reached") == (due < now)


@SHARED
@given(
    spent=st.lists(st.tuples(st.floats(0, 20), st.integers(0, 8 * DAY)), max_size=8),
    period=st.sampled_from(["session", "day", "week", "month", "five_hour", "seven_day"]),
    limit=st.floats(0.01, 1e4),
)
def test_nothing_is_forecast_into_the_past(
    db: sqlite3.Connection, spent: list[tuple[float, int]], period: str, limit: float
) -> None:
    """A time is to come and before the reset; levels follow each other; else there is none."""
    db.execute("DELETE FROM bucket")
    for usd, ago in spent:
        spend(db, usd, NOON - ago)

    found = look(db, NOON, period=period, limit=limit)

    times = [hit["at"] for hit in found["hits"].values() if hit["at"] is not None]
    assert times == sorted(times)
    assert all(at >= NOON - 1e-3 for at in times)
    assert all(at < (found["until"] or NOON + 31 * DAY) for at in times)
    for hit in found["hits"].values():
        assert (hit["at"] is not None) == (hit["state"] == "expected")
        assert (hit["state"] == "reached") == (found["used"] >= hit["share"] - 1e-12)


@pytest.mark.parametrize(
    ("ahead", "text"), [(HOUR, "13:00"), (DAY, "Sat 12:00"), (12 * DAY, "Dec 02")]
)
def test_a_time_to_come_is_as_short_as_it_is_clear(ahead: int, text: str) -> None:
    """The hour today, the day within a week, else the date."""
    assert pace.moment(NOON + ahead, NOON) == text

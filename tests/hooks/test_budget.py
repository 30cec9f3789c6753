"""Budgets: periods in local time, levels with their memory, reservations, plan windows."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from claude_tier_hooks import budget, ledger
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

Json = dict[str, Any]
HOUR = 3600
NOON = datetime(2026, 11, 20, 12, tzinfo=ZoneInfo("UTC")).timestamp()  # a Friday
POLICY: Json = {"week_start": 0, "tiers": ["fable", "opus", "sonnet", "haiku"]}
HERE = {"session": 1, "project": 2}


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


def spend(
    db: sqlite3.Connection, usd: float, at: float = NOON, agent: str = "main", **key: int
) -> None:
    """One request of that price, a thousand tokens, in the sums of its quarter hour."""
    where = {"session": 1, "model": 90, "source": 91, "project": 2, **key}
    agent_id = ledger.name_id(db, agent)
    row = (int(at // ledger.BUCKET), where["session"], agent_id, where["model"], where["source"])
    db.execute(ledger.ADD_TO_BUCKET, (*row, where["project"], 1, 1000, 0, 0, 0, 0, 0, usd, 0))


def look(db: sqlite3.Connection, one: Json, now: float = NOON, **more: object) -> Json:
    policy = {**POLICY, "budgets": [one], **more}
    return budget.standing(db, policy, HERE, now, remember=True)[0]


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    def enter(name: str) -> ZoneInfo:
        monkeypatch.setenv("TZ", name)
        time.tzset()
        return ZoneInfo(name)

    yield enter
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("name", "day", "hours"),
    [
        ("Europe/Berlin", (2026, 3, 29), 23),
        ("Europe/Berlin", (2026, 10, 25), 25),
        ("America/New_York", (2026, 11, 1), 25),
        ("Australia/Lord_Howe", (2026, 4, 5), 24.5),
        ("Asia/Kathmandu", (2026, 7, 1), 24),
        ("Africa/Cairo", (2026, 4, 24), 23),
        ("America/Havana", (2026, 11, 1), 25),
    ],
)
def test_a_day_is_the_local_one_also_when_clocks_change(
    name: str, day: tuple[int, int, int], hours: float, zone: Any
) -> None:
    """Every moment of it belongs to it, and the next begins where it ends."""
    local = zone(name)
    start = budget.period_start("day", datetime(*day, 12, tzinfo=local).timestamp())
    end = start + hours * HOUR
    for at in (start, start + 2.5 * HOUR, end - 1):
        assert budget.period_start("day", at) == start
    assert budget.period_start("day", end) == end
    one = a_budget()
    assert budget.reset_at(one, start, start + 60) == end


@given(at=st.integers(1_700_000_000, 1_900_000_000), first=st.integers(0, 6))
def test_a_week_begins_on_the_day_that_was_chosen(at: int, first: int) -> None:
    """At midnight, at most seven days ago."""
    start = budget.period_start("week", at, first)
    begun = datetime.fromtimestamp(start)
    assert (begun.weekday(), begun.hour, begun.minute) == (first, 0, 0)
    assert timedelta(0) <= datetime.fromtimestamp(at) - begun < timedelta(days=7)


@pytest.mark.parametrize("month", range(1, 13))
def test_a_month_ends_where_the_next_begins(month: int, zone: Any) -> None:
    """Whatever its length and however clocks change in it."""
    local = zone("Europe/Berlin")
    at = datetime(2026, month, 15, tzinfo=local).timestamp()
    start = budget.period_start("month", at)
    assert datetime.fromtimestamp(start, local) == datetime(2026, month, 1, tzinfo=local)
    end = budget.reset_at(a_budget(period="month"), start, at)
    following = datetime(2026 + month // 12, month % 12 + 1, 1, tzinfo=local)
    assert end == following.timestamp()


@pytest.mark.parametrize(
    ("scope", "period", "expected"),
    [
        ({"kind": "user"}, "day", 1 + 2 + 4 + 8 + 16),
        ({"kind": "project"}, "day", 1 + 4 + 8),
        ({"kind": "session"}, "day", 1 + 4),
        ({"kind": "session"}, "session", 1 + 4 + 64),
        ({"kind": "agent", "name": "reviewer"}, "day", 4 + 16),
        ({"kind": "user"}, "week", 1 + 2 + 4 + 8 + 16 + 32),
        ({"kind": "user"}, "five_hour", 1 + 2 + 4 + 8 + 16),
    ],
)
def test_each_scope_and_period_sums_what_it_says(
    scope: Json, period: str, expected: float, db: sqlite3.Connection
) -> None:
    """Powers of two tell which rows were summed."""
    spend(db, 1)
    spend(db, 2, session=3, project=4)
    spend(db, 4, agent="reviewer")
    spend(db, 8, session=5)
    spend(db, 16, agent="model-tier:reviewer", session=6, project=7)
    spend(db, 32, NOON - 30 * HOUR, session=8)
    spend(db, 64, NOON - 20 * 24 * HOUR)
    found = look(db, a_budget(scope={"name": None, **scope}, period=period))
    assert found["amount"] == expected


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.tuples(st.floats(0, 5), st.integers(0, 70 * 24 * 4), st.integers(0, 2)), max_size=30
    ),
    back=st.integers(0, 60 * 24 * 4),
)
def test_whole_days_and_ragged_ends_sum_to_the_quarter_hours(
    rows: list[tuple[float, int, int]], back: int, db: sqlite3.Connection
) -> None:
    """For any start, the same as adding up the quarter hours."""
    db.execute("DELETE FROM bucket")
    for usd, quarters, session in rows:
        spend(db, usd, NOON - quarters * 900, session=session)
    since = NOON - back * 900
    expected = sum(usd for usd, quarters, _ in rows if NOON - quarters * 900 >= since)
    assert budget.spent(db, a_budget(), since, HERE)[0] == pytest.approx(expected)


def test_levels_rise_with_the_share_and_hold_until_recovered(db: sqlite3.Connection) -> None:
    """cap and stop hold down to `recover`; warn has no memory."""
    one = a_budget()
    levels = []
    for delta in (7.9, 0.1, 0.99, 0.01, 0.99, 0.01, -1.0, -0.49, -0.02, -0.6):
        spend(db, delta)
        levels.append(look(db, one)["level"])
    assert levels == ["ok", "warn", "warn", "cap", "cap", "stop", "stop", "stop", "warn", "ok"]


def test_a_level_ends_with_its_period_and_with_any_change_of_the_budget(
    db: sqlite3.Connection,
) -> None:
    """A new limit starts afresh; so does a new day."""
    spend(db, 9.5)
    assert look(db, a_budget())["level"] == "cap"
    spend(db, -0.9)
    assert look(db, a_budget())["level"] == "cap"
    assert look(db, a_budget(warn=0.7))["level"] == "warn"
    assert look(db, a_budget())["level"] == "warn"
    spend(db, 0.9)
    assert look(db, a_budget())["level"] == "cap"
    spend(db, 8.6, NOON + 24 * HOUR)
    assert look(db, a_budget(), NOON + 24 * HOUR)["level"] == "warn"


def test_what_is_reserved_counts_at_the_gate_only(db: sqlite3.Connection) -> None:
    """It may never be spent, so it is not remembered."""
    spend(db, 8.5)
    agent = ledger.name_id(db, "reviewer")
    db.execute(
        "INSERT INTO reservation VALUES (1, 't', ?, ?, ?, 2, 'a1', 0.6, 0)",
        (NOON, NOON + HOUR, agent),
    )
    found = look(db, a_budget())
    assert (found["level"], found["gate"], found["reserved"]) == ("warn", "cap", 0.6)
    db.execute("INSERT INTO run (agent_id, session, agent, usd) VALUES ('a1', 1, ?, 0.4)", (agent,))
    assert look(db, a_budget())["reserved"] == pytest.approx(0.2)
    assert look(db, a_budget(), NOON + HOUR + 1)["reserved"] == 0


def test_a_run_in_the_foreground_is_not_counted_twice(db: sqlite3.Connection) -> None:
    """Until its result comes, only the tool call tells whose reservation it is."""
    agent = ledger.name_id(db, "reviewer")
    db.execute(
        "INSERT INTO reservation (session, tool_use_id, at, expires, agent, project, usd, tokens)"
        " VALUES (1, 't', ?, ?, ?, 2, 2.0, 0)",
        (NOON, NOON + HOUR, agent),
    )
    db.execute(
        "INSERT INTO run (agent_id, session, agent, tool_use_id, usd) VALUES ('a', 1, ?, 't', 1.9)",
        (agent,),
    )
    assert look(db, a_budget())["reserved"] == pytest.approx(0.1)


def test_a_rolling_window_keeps_its_level_until_it_recovers(db: sqlite3.Connection) -> None:
    """It has no period that could end."""
    one = a_budget(period="five_hour")
    for hours in range(0, 12, 2):
        spend(db, 4.6, NOON + hours * HOUR)
        found = look(db, one, NOON + hours * HOUR + 60)
        assert found["level"] == ("ok" if hours == 0 else "stop" if hours > 2 else "cap")
    assert look(db, one, NOON + 15 * HOUR)["level"] == "ok"


def test_a_windows_level_survives_a_few_seconds_difference(db: sqlite3.Connection) -> None:
    """The plan does not say the same second each time."""
    one = a_budget(unit="plan_percent", period="five_hour", limit=100.0)
    for used, late in ((93.0, 0), (88.0, 3), (84.0, 1)):
        db.execute(
            "INSERT OR REPLACE INTO plan_window VALUES ('five_hour', ?, ?, ?)",
            (used, NOON + HOUR + late, NOON),
        )
        assert look(db, one)["level"] == ("cap" if used > 85 else "warn")


def test_what_waits_in_the_spool_is_held_back_too(db: sqlite3.Connection) -> None:
    """A ledger that cannot be written does not let everything pass."""
    spend(db, 8.5)
    policy = {**POLICY, "budgets": [a_budget()]}
    [found] = budget.standing(db, policy, HERE, NOON, waiting=(0.6, 0))
    assert (found["level"], found["gate"]) == ("warn", "cap")


def test_tokens_of_every_kind_count(db: sqlite3.Connection) -> None:
    spend(db, 0.0)
    found = look(db, a_budget(unit="tokens", limit=1000))
    assert (found["amount"], found["level"]) == (1000, "stop")


def test_a_dollar_budget_says_what_it_cannot_see(db: sqlite3.Connection) -> None:
    """Requests without a price are neither 0 nor a guess."""
    key = (int(NOON // ledger.BUCKET), 1, 90, 91, 92, 2)
    db.execute(ledger.ADD_TO_BUCKET, (*key, 3, 1000, 0, 0, 0, 0, 0, 0.0, 3))
    found = look(db, a_budget())
    assert (found["amount"], found["unpriced"]) == (0, 3)
    assert look(db, a_budget(unit="tokens"))["unpriced"] == 0


def test_a_plan_window_is_unknown_until_told_and_after_its_reset(db: sqlite3.Connection) -> None:
    """Unknown never caps."""
    one = a_budget(unit="plan_percent", period="five_hour", limit=100.0)
    assert (look(db, one)["used"], look(db, one)["level"]) == (None, "ok")
    db.execute("INSERT INTO plan_window VALUES ('five_hour', 93.0, ?, ?)", (NOON + HOUR, NOON))
    assert (look(db, one)["used"], look(db, one)["level"]) == (0.93, "cap")
    assert look(db, one, NOON + HOUR)["used"] is None


def test_a_five_hour_budget_in_dollars_follows_the_plans_window(db: sqlite3.Connection) -> None:
    """Where the reset is not known it rolls."""
    one = a_budget(period="five_hour")
    spend(db, 1, NOON - 4.5 * HOUR)
    spend(db, 2, NOON - 1 * HOUR)
    assert look(db, one)["amount"] == 3
    db.execute("INSERT INTO plan_window VALUES ('five_hour', 1.0, ?, ?)", (NOON + 3 * HOUR, NOON))
    assert look(db, one)["amount"] == 2
    assert budget.reset_at(one, look(db, one)["since"], NOON) == NOON + 3 * HOUR


def test_a_types_usual_cost_is_the_median_of_its_last_twenty_runs(db: sqlite3.Connection) -> None:
    """Older ones and one that still runs do not count."""
    agent = ledger.name_id(db, "reviewer")
    assert budget.typical(db, agent, NOON) is None
    for n in range(30):
        db.execute(
            "INSERT INTO run (agent_id, session, agent, last, usd, tokens, ended)"
            " VALUES (?, 1, ?, ?, ?, ?, ?)",
            (f"a{n}", agent, NOON + n, float(n), n * 100, None if n == 29 else NOON + n),
        )
    assert budget.typical(db, agent, NOON + 30) == (18.0, 1800)
    assert budget.typical(db, agent, NOON + 2 * HOUR) == (19.0, 1900)  # its end was missed


QUERIES = {
    "spent": lambda db: budget.spent(db, a_budget(period="month"), NOON - 30 * 86400, HERE),
    "agent": lambda db: budget.spent(
        db, a_budget(scope={"kind": "agent", "name": "reviewer"}), NOON, HERE
    ),
    "session": lambda db: budget.spent(db, a_budget(period="session"), 0, HERE),
    "reserved": lambda db: budget.reserved(db, a_budget(), NOON, HERE),
    "typical": lambda db: budget.typical(db, 1, NOON),
    "standing": lambda db: look(db, a_budget()),
}
GROWING = ("usage", "bucket", "span", "run", "decision", "offset", "session", "name")


@pytest.mark.parametrize("name", QUERIES)
def test_no_sum_scans_a_table_that_grows(name: str, db: sqlite3.Connection) -> None:
    """Each statement a budget check runs finds its rows by key or index."""
    statements: list[str] = []
    db.set_trace_callback(statements.append)
    QUERIES[name](db)
    db.set_trace_callback(None)
    assert statements
    for statement in statements:
        for row in db.execute("EXPLAIN QUERY PLAN " + statement).fetchall():
            scanned = [table for table in GROWING if row[3].startswith(f"SCAN {table}")]
            assert not scanned, f"{statement}: {row[3]}"

"""Each view of `report`: what its rows hold, wherever the clock is."""

from __future__ import annotations

import calendar
import itertools
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from books import HAIKU, HOUR, NOON, OPUS, SONNET, answer, charge, policy
from claude_tier import cli
from claude_tier.report import days, spending
from claude_tier.report.ledger_file import up_to_date
from claude_tier.report.spending import Slice, blocks
from claude_tier_hooks import ledger
from claude_tier_hooks import policy as rules_of
from hypothesis import given
from hypothesis import strategies as st

Ask = Callable[..., Any]
DAY = 24 * HOUR


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Ask:
    """`claude-tier report … --json`, parsed."""

    def asked(*args: str) -> Any:
        assert cli.main(["report", *args, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    return asked


def zone(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("TZ", name)
    time.tzset()


def utc(year: int, month: int, day: int, hour: float = 0) -> float:
    return calendar.timegm((year, month, day, 0, 0, 0)) + hour * HOUR


def requests(found: Any) -> dict[str, int]:
    return {row[found["by"]]: row["requests"] for row in found["rows"]}


@pytest.mark.parametrize(
    ("name", "last_hour", "lengths"),
    [
        ("Europe/Berlin", utc(2026, 10, 25, 22.5), {"2026-10-25": 25, "2026-10-26": 24}),
        ("America/St_Johns", utc(2026, 11, 2, 3), {"2026-11-01": 25, "2026-11-02": 24}),
        ("Australia/Lord_Howe", utc(2026, 10, 4, 12.75), {"2026-10-04": 24, "2026-10-05": 24}),
        ("Asia/Kathmandu", utc(2026, 10, 25, 18), {"2026-10-25": 24, "2026-10-26": 24}),
    ],
)
def test_a_day_has_what_its_own_hours_used(
    home: Path,
    ask: Ask,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    last_hour: float,
    lengths: dict[str, int],
) -> None:
    """An answer an hour over two days around a change of clocks: 25 on a day of 25 hours."""
    zone(monkeypatch, name)
    for hour in range(-40, 60):
        answer(home, at=last_hour + hour * HOUR)
    found = requests(ask("day"))
    assert {day: found[day] for day in lengths} == lengths
    assert sum(found.values()) == 100


def test_weeks_and_months_begin_at_local_midnight(
    home: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Either side of the night to Sunday the first of November, in Newfoundland."""
    zone(monkeypatch, "America/St_Johns")
    midnight = utc(2026, 11, 1, 2.5)  # UTC-2:30 until two in the morning
    answer(home, at=midnight - 60)
    answer(home, at=midnight + 60)
    answer(home, at=midnight + 25 * HOUR - 60)  # the day has 25 hours
    answer(home, at=midnight + 25 * HOUR + 60)
    assert requests(ask("month")) == {"2026-10": 1, "2026-11": 3}
    assert requests(ask("week")) == {"2026-10-26": 3, "2026-11-02": 1}
    policy(home, week_start=6)
    assert requests(ask("week")) == {"2026-10-25": 1, "2026-11-01": 3}


def test_a_span_of_days_and_a_project_are_all_that_is_summed(home: Path, ask: Ask) -> None:
    """In every view, what is unlisted and unmeasured too."""
    app = home / "app"
    (app / ".git").mkdir(parents=True)
    for day in range(3):
        for cwd in (str(app), "/elsewhere"):
            session = f"{day}-{cwd[-3:]}"
            answer(home, at=NOON + day * DAY, cwd=cwd, session=session, final=False)
    limits = ("--since", "2026-11-22", "--until", "2026-11-22", "--project", str(app))
    for view in spending.BY:
        found = ask(view, *limits)
        assert [row["requests"] for row in found["rows"]] == [1], view
        assert found["totals"]["requests"] == found["unmeasured_requests"] == 1
        assert requests(ask(view, "--since", "2026-11-23"))
        assert ask(view, "--since", "2026-11-23")["totals"]["requests"] == 2


def test_every_view_has_the_same_total_and_its_rows_add_up_to_it(home: Path, ask: Ask) -> None:
    """Unlisted charges in none of them."""
    for hours in range(0, 40, 3):
        model = (OPUS, SONNET, HAIKU, "mystery-1")[hours % 4]
        agent = "Explore" if hours % 2 else None
        answer(home, model, at=NOON + hours * HOUR, session=f"s{hours % 5}", agent=agent)
    charge(home, OPUS, 3.0, session="s0", inputTokens=90_000)
    sums = [ask(view) for view in spending.BY]
    assert all(found["totals"] == pytest.approx(sums[0]["totals"]) for found in sums)
    assert all(found["unlisted"]["input_tokens"] > 0 for found in sums)
    for found in sums:
        for name in (*ledger.KINDS, "requests", "unpriced_requests"):
            assert sum(row[name] for row in found["rows"]) == found["totals"][name]
        dollars = sum(row["usd"] or 0 for row in found["rows"])
        assert dollars == pytest.approx(found["totals"]["usd"])
        assert found["unpriced_models"] == ["mystery-1"]


@given(
    hours=st.lists(st.integers(0, 100), min_size=1, max_size=20),
    span=st.tuples(st.integers(0, 400), st.integers(0, 400)).map(sorted),
)
def test_any_span_sums_the_quarter_hours_in_it(
    tmp_path_factory: pytest.TempPathFactory, hours: list[int], span: list[int]
) -> None:
    """Also one that begins and ends within a day, in every view of days and in that of sessions."""
    with pytest.MonkeyPatch.context() as patch:
        home = tmp_path_factory.mktemp("home")
        patch.setenv("HOME", str(home))
        for hour in hours:
            answer(home, at=NOON + hour * HOUR, session=f"s{hour % 3}")
        since, until = (NOON + quarter * ledger.BUCKET for quarter in span)
        inside = [hour for hour in hours if since <= NOON + hour * HOUR < until]
        rules = rules_of.load()
        with up_to_date(rules) as db:
            for view in ("day", "session", "provider", "block"):
                part = Slice(days.Span(since, until))
                found = spending.query(db, rules, view, part, now=NOON)
                assert sum(row.sums.requests for row in found.rows) == len(inside), view
                assert found.totals.requests == len(inside)
                if view == "day":
                    on = {days.of(NOON + hour * HOUR) for hour in inside}
                    assert {row.key for row in found.rows} == on


def test_sessions_are_the_newest_first_with_what_makes_them_known(home: Path, ask: Ask) -> None:
    """Whole id, project, last use and models, the dearest first."""
    answer(home, HAIKU, session="old", at=NOON - DAY)
    answer(home, HAIKU, session="new", at=NOON)
    answer(home, OPUS, session="new", at=NOON + 60)
    first, second = ask("session")["rows"]
    assert first["session"] == "new"
    assert first["project"] == "/repo/app"
    assert first["last"] == NOON + 60
    assert first["models"] == [OPUS, HAIKU]
    assert second["session"] == "old"
    assert [row["session"] for row in ask("session", "-n", "1")["rows"]] == ["new"]
    assert ask("session", "-n", "1")["left_out"] == 1


def test_a_session_that_goes_on_is_shown_with_its_part_in_the_span(home: Path, ask: Ask) -> None:
    """Two days before and one day in it."""
    for day in range(4):
        answer(home, session="long", at=NOON + day * DAY)
    found = ask("session", "--since", "2026-11-22", "--until", "2026-11-23")
    assert requests(found) == {"long": 2}
    assert found["rows"][0]["last"] == NOON + 2 * DAY


def test_providers_are_named_by_configuration_or_host(home: Path, ask: Ask) -> None:
    """Anthropic itself, a named host, another host; a routed source says it itself."""
    hosts = {"localhost:11434": {"name": "ollama", "free": True}}
    policy(home, hosts=hosts)
    for name in ("direct", "local", "proxy", "routed"):
        answer(home, OPUS, session=name, input_tokens=900)
    ask("provider")
    db = ledger.connect(patience=10)
    for session, host in (("local", "localhost:11434"), ("proxy", "llm.example.org")):
        number, at = ledger.name_id(db, session), ledger.name_id(db, host)
        db.execute("UPDATE session SET host = ? WHERE id = ?", (at, number))
    source, routed = ledger.name_id(db, "router/openai/summarise"), ledger.name_id(db, "routed")
    db.execute("UPDATE bucket SET source = ? WHERE session = ?", (source, routed))
    db.close()
    found = ask("provider")
    assert requests(found) == {"anthropic": 1, "llm.example.org": 1, "ollama": 1, "openai": 1}
    row = found["rows"][0]
    assert row["mean_tokens"] == 2900
    assert row["cost_share"] == pytest.approx(0.25)
    assert requests(ask("route")) == {"-": 3, "summarise": 1}


def test_a_block_is_five_hours_from_the_full_hour_of_its_first_use(home: Path, ask: Ask) -> None:
    """What is used five hours later begins another, at its own full hour."""
    for hours in (0.5, 4.75, 5.0, 10.5):
        answer(home, at=NOON + hours * HOUR)
    rows = ask("block")["rows"]
    assert [row["requests"] for row in rows] == [2, 1, 1]
    assert [(row["start"] - NOON) / HOUR for row in rows] == [0, 5, 10]
    assert [(row["end"] - row["start"]) / HOUR for row in rows] == [5, 5, 5]
    assert rows[0]["block"] == "2026-11-21T12:00:00+0000"


def test_blocks_before_1970_are_blocks() -> None:
    """Two quarter hours of 1969, a day apart."""
    found = blocks.divided([-200, -104, 8])
    assert [tuple(one) for one in found] == [(-200, -180), (-104, -84), (8, 28)]


def test_the_plans_own_window_is_the_last_block(home: Path) -> None:
    """It ends when the plan says, and cuts the block before short."""
    for hours in (0.5, 2.5):
        answer(home, at=NOON + hours * HOUR)
    rules, now = rules_of.load(), NOON + 3 * HOUR
    with up_to_date(rules) as db:
        db.execute("INSERT INTO plan_window VALUES ('five_hour', 40, ?, ?)", (NOON + 7 * HOUR, now))
        found = spending.query(db, rules, "block", now=now)
        hours = [
            ((r.extra["start"] - NOON) / HOUR, (r.extra["end"] - NOON) / HOUR) for r in found.rows
        ]
        assert hours == [(0, 2), (2, 7)]
        assert [row.extra["active"] for row in found.rows] == [False, True]
        later = spending.query(db, rules, "block", now=NOON + 8 * HOUR)
        assert [row.sums.requests for row in later.rows] == [2]
        assert not later.rows[0].extra["active"]


@given(st.lists(st.integers(0, 400), max_size=60).map(sorted), st.integers(0, 400))
def test_blocks_never_overlap_and_hold_every_use(used: list[int], since: int) -> None:
    """With a window of the plan or without."""
    for window in (None, blocks.Block(since, since + blocks.LENGTH)):
        past = [one for one in used if window is None or one < window.until]
        found = blocks.divided(past, window)
        assert all(one.until <= two.since for one, two in itertools.pairwise(found))
        assert all(any(one.since <= start < one.until for one in found) for start in past)
        assert all(one.until - one.since <= blocks.LENGTH for one in found)


def test_what_has_no_price_is_unknown_and_not_nothing(home: Path, ask: Ask) -> None:
    """A sum of priced and unpriced requests says how many it misses."""
    answer(home, "mystery-1")
    assert ask("day")["totals"]["usd"] is None
    assert ask("provider")["rows"][0]["cost_share"] is None
    answer(home, HAIKU)
    found = ask("day")["totals"]
    assert found["usd"] > 0
    assert found["unpriced_requests"] == 1


def test_the_cache_share_is_of_the_prompt(home: Path, ask: Ask) -> None:
    """Reads among input, reads and writes; none where nothing was prompted."""
    answer(
        home,
        input_tokens=100,
        output_tokens=9999,
        cache_read_input_tokens=600,
        cache_creation_input_tokens=300,
    )
    assert ask("day")["totals"]["cache_share"] == 0.6
    assert ask("day", "--since", "2030-01-01")["totals"]["cache_share"] is None

"""What the API answers: the ledger's own figures, every field documented, no word of a prompt."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from books import (
    HAIKU,
    HOUR,
    NOON,
    OPUS,
    answer,
    budget,
    charge,
    cool,
    decide,
    policy,
    request,
    transcript,
)
from claude_tier.dashboard import series
from claude_tier.routing import by_hand
from claude_tier_hooks import backup, ledger
from claude_tier_hooks import policy as rules
from serving import Dashboard
from shipped import ROOT

DAY = 86400.0
PAGE = (ROOT / "docs/dashboard.md").read_text("utf-8")
SECRET = "the words of a prompt"

Start = Callable[[], Dashboard]


def a_day_of_work(home: Path) -> None:
    """Two projects, three agents, a model without a price, decisions of each kind."""
    policy(home, budgets=[budget(limit=2.0), budget("week", period="week", unit="tokens")])
    answer(home, OPUS, at=NOON - HOUR, output_tokens=90_000)
    answer(home, HAIKU, at=NOON - HOUR, agent="Explore")
    answer(home, OPUS, at=NOON - DAY, session="2222", cwd="/repo/other")
    answer(home, "mystery-1", at=NOON - 2 * DAY, session="3333")
    charge(home, OPUS, 2.3, inputTokens=50_000, outputTokens=95_000)
    decide("t1", at=NOON - HOUR)
    denied = {"action": "denied", "set_tier": None, "reason": "budget daily is at 110 %"}
    decide("t2", at=NOON - 60, agent="Plan", budget="daily", level="stop", used=1.1, **denied)
    db = ledger.connect(patience=10)
    with ledger.Writing(db):
        db.execute("INSERT INTO plan_window VALUES ('seven_day', 40.0, ?, ?)", (NOON + DAY, NOON))
    db.close()
    backup.write(NOON)


def a_router_in_trouble() -> None:
    """A cooldown, a fallback, emergency mode."""
    cool("lan")
    request("lan/alpha", "ollama/beta")
    by_hand.turn_on(NOON, None)


def leaves(value: object, at: str = "") -> Iterator[tuple[str, object]]:
    """(path, value) of everything in a JSON answer: budgets[].name."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield f"{at}.{key}".lstrip("."), one
            yield from leaves(one, f"{at}.{key}".lstrip("."))
    if isinstance(value, list):
        for one in value:
            yield from leaves(one, f"{at}[]")


def test_every_field_is_documented(home: Path, dashboard: Start) -> None:
    """In the table of its address, by its name."""
    a_day_of_work(home)
    a_router_in_trouble()
    here = dashboard()
    paths = ("/api/stats", "/api/usage?granularity=day", "/api/decisions", "/api/usage?by=provider")
    paths += ("/api/usage?by=session", "/api/usage?by=block")
    for path in paths:
        section = PAGE.partition(f"## `GET {path.partition('?')[0]}`")[2].partition("\n## ")[0]
        documented = set(re.findall(r"`([a-z_0-9]+)`", section))
        documented |= set(re.findall(r"`([a-z_0-9]+)`", PAGE.partition("## Sums")[2]))
        by_name = {"floor", "session", "day", "model", "project", "agent", "block", "provider"}
        emitted = {
            name for name, _ in leaves(here.get(path)) if not name.startswith("policy.floor.")
        }
        fields = {re.split(r"[.\[\]]+", name.rstrip("[]"))[-1] for name in emitted}
        assert fields - documented - by_name == set(), path


def test_every_answer_has_its_version(home: Path, dashboard: Start) -> None:
    """It rises when a field changes its meaning."""
    here = dashboard()
    for path in ("/api/stats", "/api/usage", "/api/decisions"):
        assert here.get(path)["version"] == 1


def test_stats_are_what_status_shows(home: Path, dashboard: Start) -> None:
    """One query behind both."""
    from claude_tier.report import ledger_file, status

    a_day_of_work(home)
    a_router_in_trouble()
    found = dashboard().get("/api/stats")
    loaded = rules.load()
    with ledger_file.up_to_date(loaded) as db:
        shown = status.query(db, loaded, "/repo/app", NOON + HOUR).fields()
    shown = json.loads(json.dumps(shown))
    assert {key: found[key] for key in shown if key in found and key != "ledger"} == {
        key: value for key, value in shown.items() if key not in ("decisions", "ledger")
    }
    assert found["ledger"]["responses"] == 5
    assert found["today"]["totals"]["requests"] == 3
    assert found["budgets"][0]["level"] == "stop"
    assert found["cooldowns"][0]["clear"] == "claude-tier cooldown clear lan"
    assert found["emergency"]["ends"] == "claude-tier emergency off"


def test_usage_adds_up(home: Path, dashboard: Start) -> None:
    """By each key the same totals; over time the same again."""
    a_day_of_work(home)
    here = dashboard()
    whole = here.get("/api/usage")["totals"]
    assert whole["requests"] == 4
    assert whole["unpriced_requests"] == 1
    for by in ("model", "project", "agent"):
        found = here.get(f"/api/usage?by={by}&granularity=day")
        assert found["totals"] == whole
        assert sum(row["requests"] for row in found["rows"]) == 4
        series = found["series"]
        assert [one["label"] for one in series["periods"]] == [
            "2026-11-19", "2026-11-20", "2026-11-21",
        ]  # fmt: skip
        dollars = sum(usd or 0 for key in series["keys"] for usd in key["usd"])
        assert math.isclose(dollars, whole["usd"])
        assert sum(n for key in series["keys"] for n in key["requests"]) == 4


def test_what_has_no_price_is_null_in_a_series_and_never_nothing(
    home: Path, dashboard: Start
) -> None:
    """Beside it, days without any use are 0."""
    a_day_of_work(home)
    series = dashboard().get("/api/usage?granularity=day")["series"]
    (mystery,) = [one for one in series["keys"] if one["key"] == "mystery-1"]
    assert mystery["usd"] == [None, 0.0, 0.0]
    assert mystery["requests"] == [1, 0, 0]


def test_a_series_by_the_hour(home: Path, dashboard: Start) -> None:
    """From the first hour asked for to the present one."""
    a_day_of_work(home)
    series = dashboard().get("/api/usage?granularity=hour&since=2026-11-21")["series"]
    labels = [one["label"] for one in series["periods"]]
    assert labels[0] == "2026-11-21T00:00"
    assert labels[-1] == "2026-11-21T13:00"
    assert [one["key"] for one in series["keys"]] == [OPUS, HAIKU]
    assert series["keys"][0]["requests"] == [0] * 11 + [1, 0, 0]


def test_days_of_a_zone_with_a_change_of_the_clock(
    home: Path, dashboard: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """25 hours of one Sunday in Berlin; the last quarter before midnight is still that day's."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    answer(home, at=1_792_879_200.0)  # Sunday 2026-10-25 00:00 CEST
    answer(home, at=1_792_879_200.0 + 25 * HOUR - 60)
    answer(home, at=1_792_879_200.0 + 25 * HOUR)
    here = dashboard()
    asked = "since=2026-10-25&until=2026-10-26"
    days = here.get(f"/api/usage?granularity=day&{asked}")["series"]
    assert [one["label"] for one in days["periods"]] == ["2026-10-25", "2026-10-26"]
    assert days["keys"][0]["requests"] == [2, 1]
    hours = here.get("/api/usage?granularity=hour&since=2026-10-25&until=2026-10-25")["series"]
    assert len(hours["periods"]) == 25
    assert [one["label"][11:] for one in hours["periods"][1:5]] == [
        "01:00",
        "02:00",
        "02:00",
        "03:00",
    ]


@pytest.mark.parametrize("granularity", ["day", "hour&since=2026-11-20"])
def test_a_line_from_the_future_makes_no_series_longer(
    home: Path, dashboard: Start, granularity: str
) -> None:
    """A clock that was wrong once."""
    answer(home, OPUS, at=NOON)
    answer(home, OPUS, at=NOON + 73 * 365 * DAY)
    here = dashboard()
    series = here.get(f"/api/usage?granularity={granularity}")["series"]
    assert series["periods"][-1]["label"].startswith("2026-11-21")
    assert len(series["periods"]) <= 3660
    assert sum(series["keys"][0]["requests"]) == 1
    for by in ("day", "week", "month", "block", "session"):
        assert here.get(f"/api/usage?by={by}")["totals"]["requests"] == 2


def test_a_series_by_the_day_has_an_end_in_the_past_too(
    home: Path, dashboard: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest days are kept."""
    monkeypatch.setattr(series, "MOST", 3)
    answer(home, OPUS, at=NOON)
    answer(home, OPUS, at=NOON - 5 * DAY)
    found = dashboard().get("/api/usage?granularity=day")["series"]
    labels = [one["label"] for one in found["periods"]]
    assert labels == ["2026-11-19", "2026-11-20", "2026-11-21"]
    assert found["keys"][0]["requests"] == [0, 0, 1]


def test_a_span_that_has_not_begun_is_empty(home: Path, dashboard: Start) -> None:
    """By the day and by the hour."""
    answer(home, OPUS, at=NOON)
    here = dashboard()
    for granularity in ("day", "hour"):
        found = here.get(f"/api/usage?granularity={granularity}&since=2199-12-31")
        assert found["series"] == {"periods": [], "keys": []}


def test_many_keys_are_cut_to_the_dearest(home: Path, dashboard: Start) -> None:
    """What is left over is one more, without a name."""
    for number in range(12):
        answer(home, OPUS, agent=f"agent-{number:02}", output_tokens=1000 * (number + 1))
    series = dashboard().get("/api/usage?by=agent&granularity=day")["series"]
    names = [one["key"] for one in series["keys"]]
    assert names == [*(f"agent-{number:02}" for number in range(11, 3, -1)), None]
    assert series["keys"][-1]["requests"] == [4]


def test_usage_of_one_project(home: Path, dashboard: Start) -> None:
    """As the ledger names it."""
    a_day_of_work(home)
    here = dashboard()
    assert here.get("/api/usage?project=/repo/other")["totals"]["requests"] == 1
    bearer = {"authorization": f"Bearer {here.token}"}
    assert here.ask("/api/usage?project=/nowhere", **bearer).status == 400


@pytest.mark.parametrize(
    "query",
    [
        "by=prompt", "by=", "granularity=minute", "granularity=hour", "since=tomorrow",
        "since=2026-02-30", "since=2026-11-21&until=2026-11-20", "by=model&by=agent",
        "granularity=hour&since=2026-01-01", "by=session&granularity=day", "limit=5",
        "project=" + "x" * 1001, "since=" + "9" * 1001, "by=model%00",
        "granularity=day&since=0001-01-01", "granularity=day&since=1970-01-01",
        "granularity=day&since=2026-01-01&until=2199-12-31", "by=week&until=9999-12-30",
        "granularity=hour&since=9999-12-31", "by=week&since=0001-01-01",
    ],
)  # fmt: skip
def test_parameters_out_of_their_limits_are_refused(dashboard: Start, query: str) -> None:
    """With a word on what is allowed."""
    here = dashboard()
    found = here.ask(f"/api/usage?{query}", authorization=f"Bearer {here.token}")
    assert found.status == 400
    assert len(found.json()["error"]) < 200


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=501", "limit=-1", "limit=1e2", "limit=", "limit=%D9%A5", "before=now",
     "before=nan~t", "before=1e400~t", "before=5", "since=today", "limit=" + "0" * 900 + "5"],
)  # fmt: skip
def test_parameters_of_decisions_have_limits(dashboard: Start, query: str) -> None:
    here = dashboard()
    found = here.ask(f"/api/decisions?{query}", authorization=f"Bearer {here.token}")
    assert found.status == 400


def test_decisions_come_in_pages_without_gaps(home: Path, dashboard: Start) -> None:
    """Also where twenty of them have the same time."""
    for number in range(23):
        decide(f"t{number:02}", at=NOON if number < 20 else NOON + number)
    here = dashboard()
    found: list[dict[str, Any]] = []
    page = here.get("/api/decisions?limit=5")
    while page["next"]:
        found += page["decisions"]
        page = here.get(f"/api/decisions?limit=5&before={page['next']}")
    found += page["decisions"]
    assert [one["tool_use_id"] for one in found] == [f"t{n:02}" for n in range(22, -1, -1)]


def test_decisions_of_an_agent_or_an_action(home: Path, dashboard: Start) -> None:
    a_day_of_work(home)
    here = dashboard()
    assert [one["agent"] for one in here.get("/api/decisions?action=denied")["decisions"]] == [
        "Plan"
    ]
    assert here.get("/api/decisions?agent=Plan&action=assigned")["decisions"] == []
    assert here.get("/api/decisions?agent=%27%20OR%201")["decisions"] == []


def test_no_prompt_leaves_the_machine_or_even_the_transcript(home: Path, dashboard: Start) -> None:
    """Nothing of what was said is in any answer, nor the token."""
    a_day_of_work(home)
    with transcript(home, "11111111-aaaa", "/repo/app").open("a") as stream:
        text = {"type": "user", "sessionId": "11111111-aaaa", "message": {"content": SECRET}}
        stream.write(json.dumps(text) + "\n")
    here = dashboard()
    for path in ("/api/stats", "/api/usage?by=session", "/api/decisions", "/metrics"):
        body = here.ask(path, authorization=f"Bearer {here.token}").body.decode()
        assert SECRET not in body
        assert here.token not in body


def test_a_ledger_that_cannot_be_read_is_said(home: Path, dashboard: Start) -> None:
    """Not as a bug, and not for ever."""
    here = dashboard()
    here.get("/api/stats")
    file = Path(ledger.file())
    kept = file.with_suffix(".kept")
    file.rename(kept)
    file.mkdir()
    broken = here.ask("/api/stats", authorization=f"Bearer {here.token}")
    file.rmdir()
    kept.rename(file)
    assert broken.status == 503
    assert "ledger" in broken.json()["error"]
    assert here.get("/api/stats")["version"] == 1


def test_stats_scan_neither_requests_nor_quarter_hours(home: Path) -> None:
    """So that a million of them cost no more than a few: asserted by the query plans."""
    from claude_tier.dashboard import answers, metrics
    from claude_tier.report import ledger_file

    a_day_of_work(home)
    loaded = rules.load()
    statements: list[str] = []
    with ledger_file.up_to_date(loaded) as db:
        db.set_trace_callback(statements.append)
        answers.stats(db, loaded, "/repo/app", NOON)
        metrics.text(db, loaded, "/repo/app", NOON)
        db.set_trace_callback(None)
        # Infinity is written so by the trace, but not read.
        asked = [f"EXPLAIN QUERY PLAN {re.sub('Inf', '9e999', one)}" for one in statements]
        plans = [row[3] for one in asked for row in db.execute(one)]
    assert len(statements) > 20
    scans = [plan for plan in plans if re.match(r"SCAN (usage|bucket|u|b)\b", plan)]
    assert [plan for plan in scans if "INDEX usage_unpriced" not in plan] == []

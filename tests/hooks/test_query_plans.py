"""Every statement a hook runs finds its rows by key or index, however much the ledger holds."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from claude_tier_hooks import (
    budget,
    ledger,
    pace,
    protocol,
    state,
    status_line,
    subagent_line,
)

from .process import EVENTS, sample, transcript

GROWING = (
    "usage",
    "bucket",
    "span",
    "run",
    "decision",
    "session",
    "name",
    "cost_state",
    "told",
    "plan_sample",
)
BUDGETS = [
    {
        "name": f"{kind} {period}", "scope": {"kind": kind, "name": "Explore"}, "period": period,
        "unit": unit, "limit": 1e6, "warn": 0.8, "recover": 0.85, "cap": 0.9, "stop": 1.0,
        "ceiling": "sonnet", "on_stop": "deny",
    }
    for kind in ("user", "project", "session", "agent")
    for period in ("session", "day", "week", "month", "five_hour", "seven_day")
    for unit in ("usd", "tokens")
]  # fmt: skip

ANSWERS = {"StatusLine": status_line.answer, "SubagentLine": subagent_line.answer}
WINDOW = {"used_percentage": 40, "resets_at": time.time() + 9000}
PLAN: dict[str, dict[str, object]] = {
    "StatusLine": {"rate_limits": {"five_hour": WINDOW, "seven_day": WINDOW}}
}


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is said to every ledger opened from here on."""
    said: list[str] = []
    connect: Callable[..., sqlite3.Connection] = ledger.connect

    def heard(*arguments: Any, **named: Any) -> sqlite3.Connection:
        db = connect(*arguments, **named)
        db.set_trace_callback(said.append)
        return db

    monkeypatch.setattr(ledger, "connect", heard)
    return said


@pytest.mark.filterwarnings("ignore:unclosed database:ResourceWarning")
@pytest.mark.parametrize("name", EVENTS)
def test_no_hook_scans_a_table_that_grows(name: str, home: Path, statements: list[str]) -> None:
    """With budgets of every scope and period in force, after a session has begun."""
    transcript(home)
    state.write_private(
        state.path("policy.json"),
        json.dumps(
            {
                "version": 1,
                "budgets": BUDGETS,
                "assign": {"Explore": {"tier": "haiku", "effort": None}},
                "fan_out": {"max_new_agents": 20, "seconds": 600, "action": "warn"},
            }
        ),
    )
    protocol.respond("SessionStart", json.dumps(sample("SessionStart", home)).encode())
    statements.clear()

    answer = ANSWERS.get(name, lambda data: protocol.respond(name, data))
    answer(json.dumps(sample(name, home, **PLAN.get(name, {}))).encode())

    assert statements
    assert not (home / ".claude/claude-tier/hooks.log").exists()
    scan_nothing(statements)


def scan_nothing(statements: list[str]) -> None:
    db = sqlite3.connect(ledger.file())
    for statement in {one for one in statements if one.startswith(("SELECT", "UPDATE", "DELETE"))}:
        for row in db.execute("EXPLAIN QUERY PLAN " + statement):
            scans = [one for one in GROWING if row[3].split(" USING")[0] == f"SCAN {one}"]
            assert not scans, f"{statement}: {row[3]}"
    db.close()


def test_no_forecast_scans_a_table_that_grows(home: Path, statements: list[str]) -> None:
    """Of budgets of every scope and period, windows that roll among them, and of the plan."""
    transcript(home)
    protocol.respond("SessionStart", json.dumps(sample("SessionStart", home)).encode())
    db, now = ledger.connect(), time.time()
    windows = [(name, 40, now + 9000, now) for name in ("five_hour", "seven_day")]
    here = {"session": 1, "project": 1}
    standings = budget.standing(db, {"budgets": BUDGETS, "week_start": 0}, here, now)
    db.executemany("INSERT INTO plan_window VALUES (?, ?, ?, ?)", windows)
    standings += pace.windows(db, now)
    statements.clear()

    found = [pace.forecast(db, one, here, now) for one in standings]

    assert all(one["rate"] is not None for one in found)
    db.close()
    assert any("GROUP BY start" in one for one in statements)
    scan_nothing(statements)

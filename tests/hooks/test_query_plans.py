"""Every statement a hook runs finds its rows by key or index, however much the ledger holds."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from claude_tier_hooks import ledger, protocol, state

from .process import EVENTS, sample, transcript

GROWING = ("usage", "bucket", "span", "run", "decision", "session", "name", "cost_state", "told")
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
@pytest.mark.parametrize("name", [event for event in EVENTS if event != "StatusLine"])
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

    protocol.respond(name, json.dumps(sample(name, home)).encode())

    db = sqlite3.connect(ledger.file())
    assert statements
    assert not (home / ".claude/claude-tier/hooks.log").exists()
    for statement in {one for one in statements if one.startswith(("SELECT", "UPDATE", "DELETE"))}:
        for row in db.execute("EXPLAIN QUERY PLAN " + statement):
            scans = [one for one in GROWING if row[3].split(" USING")[0] == f"SCAN {one}"]
            assert not scans, f"{statement}: {row[3]}"
    db.close()

"""The forecast as `status` and `budget check` show it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from books import HOUR, NOON, OPUS, answer, budget, policy
from claude_tier import cli
from claude_tier.report import budgets, ledger_file, pace
from claude_tier_hooks import policy as rules
from syrupy.assertion import SnapshotAssertion

PLAN = {"unit": "plan_percent", "limit": 100.0, "period": "seven_day"}


@pytest.fixture
def db(home: Path) -> Iterator[sqlite3.Connection]:
    """$0.98 in the last hour: a day's $2, a month's $40, a plan's week and its five hours."""
    month = budget("all of the month", period="month", limit=40.0)
    rolling = budget("roll", period="five_hour", limit=3.0, unit="usd")
    policy(home, budgets=[budget(limit=2.0), month, budget("plan-week", **PLAN), rolling])
    for minutes in range(5, 60, 11):
        answer(home, OPUS, at=NOON - 60 * minutes, output_tokens=9000)
    answer(home, OPUS, at=NOON - 20 * HOUR, output_tokens=90_000)
    with ledger_file.up_to_date(rules.load()) as opened:
        row = "INSERT INTO plan_window VALUES (?, ?, ?, ?)"
        opened.execute(row, ("seven_day", 41, NOON + 72 * HOUR, NOON))
        yield opened


def found(db: sqlite3.Connection) -> tuple[pace.Pace, ...]:
    return pace.query(db, rules.load(), budgets.here(db, "/repo/app"), NOON)


def test_the_table_fits_eighty_columns(db: sqlite3.Connection, snapshot: SnapshotAssertion) -> None:
    """With what each rate was measured over."""
    text = pace.as_text(found(db), now=NOON, width=80)
    assert max(map(len, text.splitlines())) <= 80
    assert text == snapshot


def test_a_plan_window_without_a_budget_has_a_row(db: sqlite3.Connection) -> None:
    """The five hours are known from then on; the week has a budget, so no second row."""
    before = [(one.kind, one.name) for one in found(db)]
    row = "INSERT INTO plan_window VALUES ('five_hour', 12, ?, ?)"
    db.execute(row, (NOON + HOUR, NOON))

    after = [(one.kind, one.name) for one in found(db)]

    assert [name for kind, name in before if kind == "budget"] == [
        "daily", "all of the month", "plan-week", "roll",
    ]  # fmt: skip
    assert after == [*before, ("window", "five_hour")]


def test_where_nothing_is_known_nothing_is_shown(home: Path) -> None:
    """A plan without figures has no pace, and its fields are null."""
    policy(home, budgets=[budget("plan-week", **PLAN)])
    with ledger_file.up_to_date(rules.load()) as opened:
        (one,) = found(opened)
    assert pace.as_text((one,), now=NOON, width=80) == ""
    (fields,) = json.loads(json.dumps(pace.fields((one,))))
    assert (fields["used"], fields["pace"], fields["rate"]) == (None, None, None)
    assert [hit["state"] for hit in fields["hits"]] == ["unknown"] * 3


@pytest.mark.parametrize("command", [["status"], ["budget", "check"]])
def test_scripts_get_every_figure(
    home: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    """Under `pace`, one for each budget, with the state of each level."""
    policy(home, budgets=[budget(limit=2.0)])
    cli.main([*command, "--json"])
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    (one,) = said["pace"]
    assert (one["kind"], one["name"], one["used"]) == ("budget", "daily", 0.0)
    assert [hit["level"] for hit in one["hits"]] == ["warn", "cap", "stop"]
    assert set(one["hits"][0]) == {"level", "share", "state", "at"}

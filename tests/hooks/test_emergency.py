"""When emergency mode is on: one rule for the router and for every screen that shows it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from books import HOUR, NOON, budget, cool, policy, request
from claude_tier_hooks import cooldowns, emergency, ledger
from claude_tier_hooks import policy as rules
from claude_tier_hooks.shapes import Json

from .process import run, sample

PAID = [["far", "alpha"], ["lan", "beta"]]
MIDNIGHT = NOON + 12 * HOUR


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    """The ledger in use."""
    with closing(ledger.connect()) as opened:
        yield opened


def switch(home: Path, text: str) -> None:
    folder = home / ".claude/claude-tier"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "emergency").write_text(text)


def spend(db: sqlite3.Connection, usd: float, project: str) -> int:
    """That much today in that project, whose number it is."""
    with ledger.Writing(db):
        names = [ledger.name_id(db, name) for name in ("s", "main", "m", "transcript", project)]
        sums = (1, 10, 10, 0, 0, 0, 0, usd, 0)
        db.execute(ledger.ADD_TO_BUCKET, (int(NOON // 900), *names, *sums))
    return names[-1]


def standing(db: sqlite3.Connection, project: int = -1) -> Json | None:
    return emergency.standing(db, rules.load(), project, NOON)


def cooling(db: sqlite3.Connection, now: float = NOON) -> Json | None:
    """What the configured targets come to."""
    made = dict(rules.load(), router={"local_only": False, "paid": PAID})
    return emergency.cooling(db, made, cooldowns.listed(db, now), now)


@pytest.mark.parametrize(
    "text",
    ['{"until": 1e300}', '{"until": "soon"}', '{"until": NaN, "since": []}', "{}", "[]", "half of"],
)
def test_a_switch_with_a_time_that_is_none_has_no_end(home: Path, text: str) -> None:
    """Whoever wrote it wanted it on."""
    switch(home, text)
    assert emergency.by_hand(NOON) == {
        "reason": "switched on by hand",
        "since": None,
        "until": None,
        "ends": "claude-tier emergency off",
    }


def test_a_switch_ends_in_its_time(home: Path) -> None:
    """It is over at that very moment."""
    switch(home, json.dumps({"since": NOON, "until": NOON + HOUR}))
    assert emergency.by_hand(NOON + HOUR - 1)
    assert emergency.by_hand(NOON + HOUR) is None


def test_without_a_cause_it_is_off(db: sqlite3.Connection) -> None:
    """Where no policy was compiled as well."""
    assert standing(db) is None
    assert cooling(db) is None


def test_the_configuration_may_say_so_for_ever(home: Path, db: sqlite3.Connection) -> None:
    """With what to change."""
    policy(home, router={"local_only": True, "paid": PAID})
    assert standing(db) == {
        "reason": "router.local_only is set",
        "since": None,
        "until": None,
        "ends": "router: {local_only: false} in config.yaml",
    }


def test_the_switch_is_told_before_all_else(home: Path, db: sqlite3.Connection) -> None:
    """It is what somebody did last."""
    policy(home, router={"local_only": True, "paid": PAID})
    switch(home, "{}")
    assert (standing(db) or {})["reason"] == "switched on by hand"


@pytest.mark.parametrize(
    ("kind", "period", "here", "on"),
    [
        ("user", "day", False, True),
        ("project", "day", True, True),
        ("project", "day", False, False),
        ("session", "day", True, False),
        ("user", "session", True, False),
        ("agent", "day", True, False),
    ],
)
def test_a_budget_at_stop_holds_where_its_scope_does(
    kind: str, period: str, home: Path, db: sqlite3.Connection, *, here: bool, on: bool
) -> None:
    """One of a session or of an agent says nothing about the router."""
    policy(home, budgets=[budget(scope={"kind": kind, "name": "main"}, period=period)])
    project = spend(db, 11.0, "/repo/app")
    found = standing(db, project if here else -1)
    assert found == (
        {
            "reason": "the budget daily is used up",
            "since": MIDNIGHT - 24 * HOUR,
            "until": MIDNIGHT,
            "ends": "claude-tier off --for 1h",
        }
        if on
        else None
    )


def test_a_plan_window_keeps_nobody_but_claude_out(home: Path, db: sqlite3.Connection) -> None:
    """No other provider uses the plan."""
    policy(home, budgets=[budget("plan", period="seven_day", unit="plan_percent", limit=100.0)])
    with ledger.Writing(db):
        row = ("seven_day", 100.0, NOON + HOUR, NOON)
        db.execute("INSERT INTO plan_window VALUES (?, ?, ?, ?)", row)
    assert standing(db) is None
    (one,) = emergency.stopped(db, rules.load(), -1, NOON, plan=True)
    assert one["budget"]["name"] == "plan"


def test_off_lifts_the_budgets_here_too(home: Path, db: sqlite3.Connection) -> None:
    """The way out is the same as for subagents."""
    policy(home, budgets=[budget()])
    spend(db, 11.0, "/else")
    assert standing(db)
    (home / ".claude/claude-tier/off").write_text('{"until": null}')
    assert standing(db) is None


def test_it_is_on_while_all_that_is_paid_is_cooling(db: sqlite3.Connection) -> None:
    """Until the first of them may be asked again."""
    cool("far", "alpha", until=NOON + HOUR)
    assert cooling(db) is None
    cool("lan", cause="billing", until=NOON + 2 * HOUR)
    assert cooling(db) == {
        "reason": "every paid target is cooling (far/alpha, lan)",
        "since": NOON,
        "until": NOON + HOUR,
        "ends": "claude-tier cooldown clear",
    }
    assert cooling(db, NOON + HOUR) is None


def test_a_wrong_model_name_is_no_emergency(db: sqlite3.Connection) -> None:
    """It is a mistake in a file."""
    cool("far", "alpha", cause="model")
    cool("lan")
    assert cooling(db) is None


def test_what_has_answered_since_is_not_cooling(db: sqlite3.Connection) -> None:
    """Under another key: what failed with the first says nothing about it."""
    cool("far")
    cool("lan")
    request("lan/beta", "far/beta", at=NOON + 60)
    request("lan/beta", at=NOON + 60)
    assert cooling(db, NOON + 90)
    request("lan/beta", "lan/beta", at=NOON + 60)
    assert cooling(db, NOON + 90) is None


def test_nothing_is_cooling_where_nothing_is_paid(home: Path, db: sqlite3.Connection) -> None:
    """There is nobody to keep out."""
    policy(home)
    cool("far")
    rows = cooldowns.listed(db, NOON)
    assert emergency.cooling(db, rules.load(), rows, NOON) is None


def test_a_session_is_told_once_and_again_for_another_reason(home: Path) -> None:
    """At its start; what a resumed session was told last is not repeated."""

    def told() -> str:
        return run("SessionStart", sample("SessionStart", home)).message

    assert told() == ""
    policy(home, router={"local_only": True, "paid": []})
    assert told() == (
        "claude-tier: emergency mode: the router asks only models on this machine"
        " (router.local_only is set); setting router: {local_only: false} in config.yaml ends it"
    )
    assert told() == ""
    switch(home, "{}")
    assert "(switched on by hand); `claude-tier emergency off` ends it" in told()
    policy(home)
    (home / ".claude/claude-tier/emergency").unlink()
    assert told() == ""
    switch(home, "{}")
    assert "(switched on by hand)" in told()


def test_claude_is_not_told_the_way_out(home: Path) -> None:
    """It has a shell; the line is for the user."""
    switch(home, "{}")
    assert "emergency" not in json.dumps(run("SessionStart", sample("SessionStart", home)).output)

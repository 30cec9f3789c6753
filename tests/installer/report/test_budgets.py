"""`budget check`: what is left, as an exit code."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from books import HAIKU, HOUR, NOON, answer, budget, policy
from claude_tier import cli
from claude_tier.report import budgets, ledger_file
from claude_tier_hooks import ledger
from claude_tier_hooks import policy as rules
from syrupy.assertion import SnapshotAssertion

MILLION = 1_000_000  # of haiku's output tokens: half a dollar


def spend(home: Path, dollars: float, *, at: float | None = None, session: str = "s1") -> None:
    tokens = int(dollars * 2 * MILLION)
    answer(
        home,
        HAIKU,
        at=time.time() if at is None else at,
        session=session,
        cwd=str(Path.cwd()),
        input_tokens=0,
        output_tokens=tokens,
    )


def check(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, Any]:
    code = cli.main(["budget", "check", "--json", *args])
    return code, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("dollars", "at", "code"),
    [
        (1, "cap", 0),
        (8.5, "cap", 0),
        (8.5, "warn", 1),
        (9, "cap", 1),
        (9, "stop", 0),
        (12, "stop", 1),
    ],
)
def test_the_exit_code_tells_whether_a_level_is_reached(
    dollars: float, at: str, code: int, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The level named, or any above it."""
    policy(home, budgets=[budget()])
    spend(home, dollars)
    returned, found = check(capsys, "--at", at)
    assert (returned, found["reached"]) == (code, ["daily"] if code else [])
    assert found["budgets"][0]["used"] == pytest.approx(dollars)


def test_cap_is_the_level_that_counts(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A script that names none stops where new subagents are lowered."""
    policy(home, budgets=[budget()])
    spend(home, 9.5)
    assert check(capsys)[0] == 1


def test_what_is_reserved_is_shown_and_not_counted(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A running subagent may cost less in the end."""
    policy(home, budgets=[budget()])
    spend(home, 5)
    db = ledger.connect()
    with ledger.Writing(db):
        numbers = [ledger.name_id(db, name) for name in ("s1", "Explore", str(Path.cwd()))]
        db.execute(
            "INSERT INTO reservation VALUES (?, 't1', 0, ?, ?, ?, NULL, 6.0, 100)",
            (numbers[0], time.time() + HOUR, numbers[1], numbers[2]),
        )
    code, found = check(capsys)
    standing = found["budgets"][0]
    assert (code, standing["level"], standing["gate"]) == (0, "ok", "stop")
    assert standing["reserved"] == 6.0


def test_an_unknown_plan_window_has_reached_nothing(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody reported it: its use is unknown, not 0."""
    plan = budget("plan-week", period="seven_day", unit="plan_percent", limit=100.0)
    policy(home, budgets=[plan])
    code, found = check(capsys, "--at", "warn")
    assert (code, found["budgets"][0]["used"], found["budgets"][0]["share"]) == (0, None, None)


def test_a_reported_plan_window_counts_until_it_resets(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its figures come from the status line."""
    plan = budget("plan-week", period="seven_day", unit="plan_percent", limit=100.0)
    policy(home, budgets=[plan])
    db = ledger.connect()
    now = time.time()
    db.execute("INSERT INTO plan_window VALUES ('seven_day', 95.0, ?, ?)", (now + HOUR, now))
    assert check(capsys)[0] == 1
    db.execute("UPDATE plan_window SET resets_at = ?", (now - HOUR,))
    assert check(capsys)[0] == 0


def test_a_sessions_budget_is_unknown_outside_of_a_session(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Inside of one it is that session's."""
    policy(home, budgets=[budget("each", scope={"kind": "session", "name": None})])
    spend(home, 9.5)
    code, found = check(capsys)
    assert (code, found["budgets"][0]["used"]) == (0, None)
    monkeypatch.setenv("CLAUDE_CODE_SESSION_ID", "s1")
    code, found = check(capsys)
    assert (code, found["budgets"][0]["used"]) == (1, pytest.approx(9.5))


def test_a_projects_budget_is_that_of_this_folder(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What other projects spent is theirs."""
    policy(home, budgets=[budget("project", scope={"kind": "project", "name": None})])
    for name in ("mine", "theirs"):
        (home / name / ".git").mkdir(parents=True)
    monkeypatch.chdir(home / "theirs")
    spend(home, 9.5)
    assert check(capsys)[0] == 1
    monkeypatch.chdir(home / "mine")
    assert check(capsys)[0] == 0


def test_without_a_budget_nothing_is_reached(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And that is said."""
    policy(home, budgets=[])
    assert cli.main(["budget", "check"]) == 0
    assert capsys.readouterr().out == "No budget is set.\n"


def test_the_table_says_what_each_level_does(home: Path, snapshot: SnapshotAssertion) -> None:
    """And what no budget can see."""
    agent = {"kind": "agent", "name": "Explore"}
    wanted = [
        budget(limit=4.0),
        budget("weekly", period="week", limit=10.6),
        budget("monthly", period="month", limit=9.5, on_stop="lowest"),
        budget("explorers", scope=agent, unit="tokens", limit=20_000_000),
        budget("plan-5h", period="five_hour", unit="plan_percent", limit=100.0),
        budget("each", period="session"),
    ]
    policy(home, budgets=wanted)
    spend(home, 3.5, at=NOON)
    spend(home, 6.5, at=NOON - 24 * HOUR)
    answer(home, "mystery-1", at=NOON, agent="Explore", output_tokens=3_400_000)
    loaded = rules.load()
    with ledger_file.up_to_date(loaded) as db:
        found = budgets.query(db, loaded, budgets.here(db, "/repo/app"), NOON)
    screen = budgets.as_text(found, width=80)
    assert screen == snapshot

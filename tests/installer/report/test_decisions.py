"""`log`: what was asked, set and run for each subagent."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from books import HAIKU, HOUR, NOON, OPUS, answer, decide
from claude_tier import cli
from claude_tier.report import days, decisions, ledger_file
from claude_tier.report.decisions import Slice
from claude_tier_hooks import decisions as runtime
from claude_tier_hooks import ledger, policy
from syrupy.assertion import SnapshotAssertion

TIERS = list(policy.TIERS)


def prove(tool_use_id: str, ran: str) -> None:
    db = ledger.connect()
    session = ledger.known_id(db, "11111111-aaaa")
    runtime.prove(db, session, tool_use_id, ran, TIERS)
    db.close()


def one_of_each() -> None:
    """A decision of every kind there is."""
    decide("t1", description="find\x1b[31m the parser\n")
    prove("t1", HAIKU)
    decide(
        "t2",
        at=NOON + 60,
        agent="architect",
        description=None,
        asked="opus",
        would="opus",
        origin="parameter",
        action="lowered",
        set_tier="sonnet",
        reason="budget daily is at 92 %",
        budget="daily",
        level="cap",
        used=0.925,
    )
    prove("t2", OPUS)
    denied = {"action": "denied", "set_tier": None, "reason": "budget daily is at 100 %"}
    decide("t3", at=NOON + 120, budget="daily", level="stop", used=1.0, **denied)
    decide("t4", at=NOON + 180, agent="reviewer", action="kept", set_tier=None, reason="exempt")
    asked = {"action": "asked", "set_tier": "sonnet", "reason": "budget daily is at 101 %"}
    decide("t5", at=NOON + 240, budget="daily", level="stop", used=1.01, **asked)
    decide(
        "t6",
        at=NOON + 300,
        tool="Workflow",
        agent="workflow-subagent",
        would=None,
        origin="unknown",
        action="left",
        set_tier=None,
        reason="CLAUDE_CODE_SUBAGENT_MODEL_FORCE decides the model",
    )


def query(part: Slice | None = None) -> list[decisions.Decision]:
    db = ledger.connect()
    found = decisions.query(db, part or Slice())
    db.close()
    return found


def test_each_decision_shows_asked_set_reason_budget_and_ran(snapshot: SnapshotAssertion) -> None:
    """With the proof; what steers a terminal is not printed."""
    one_of_each()
    screen = decisions.as_text(query())
    assert screen.replace("\n", "").isprintable()
    assert screen == snapshot


def test_the_last_ones_come_oldest_first(capsys: pytest.CaptureFixture[str]) -> None:
    """Twenty, or as many as are asked for."""
    for number in range(25):
        decide(f"t{number:02d}", at=NOON + number)
    assert cli.main(["log", "--json"]) == 0
    found: Any = json.loads(capsys.readouterr().out)
    assert [one["tool_use_id"] for one in found["decisions"]] == [f"t{n:02d}" for n in range(5, 25)]
    assert [one.tool_use_id for one in query(Slice(last=2))] == ["t23", "t24"]


def test_a_day_or_a_session_narrows_it() -> None:
    """A session by the beginning of its id; a day whole."""
    decide("t1", session="aaaa-1", at=NOON - 24 * HOUR)
    decide("t2", session="aaaa-1")
    decide("t3", session="bbbb-1")
    day = days.parse("2026-11-21", NOON)
    assert [one.tool_use_id for one in query(Slice(days.span(day, day)))] == ["t2", "t3"]
    assert [one.tool_use_id for one in query(Slice(session="aaaa"))] == ["t1", "t2"]
    assert query(Slice(session="%")) == []


def test_nothing_to_show_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """In words for people, an empty list for scripts."""
    assert cli.main(["log"]) == 0
    assert capsys.readouterr().out == decisions.NONE + "\n"


@pytest.mark.parametrize(
    "only", [["--session", "zzz"], ["--agent", "nobody"], ["--day", "2020-01-01"]]
)
def test_a_filter_that_finds_nothing_is_told_from_an_empty_log(
    only: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """There may be others."""
    decide("t1")
    assert cli.main(["log", *only]) == 0
    assert capsys.readouterr().out == "No decision matches.\n"


def test_what_ran_is_found_in_the_transcript_where_no_result_said_it(home: Path) -> None:
    """A background subagent's own rows are the proof."""
    decide("toolu_Explore")
    answer(home, OPUS, agent="Explore")
    with ledger_file.up_to_date(policy.load()) as db:
        (found,) = decisions.query(db, Slice())
    assert (found.ran, found.proof) == (OPUS, runtime.OVER)


def test_a_decision_in_the_spool_is_shown(home: Path) -> None:
    """The ledger was locked when it was made."""
    row = {"session": "s1", "tool_use_id": "t1", "at": NOON, "tool": "Agent", "agent": "Plan"}
    ledger.spool({"decision": {**row, "action": "kept"}, "held": None})
    with ledger_file.up_to_date(policy.load()) as db:
        (found,) = decisions.query(db, Slice())
    assert found.agent == "Plan"
    assert ledger.spooled() == []


def test_following_shows_a_decision_again_with_its_proof() -> None:
    """And nothing that has not changed."""
    decide("t1")
    steps = iter([lambda: decide("t2"), lambda: prove("t1", HAIKU), lambda: None])
    news = decisions.follow(query, lambda: next(steps)())
    shown = [[(one.tool_use_id, one.ran) for one in next(news)] for _ in range(4)]
    assert shown == [[("t1", None)], [("t2", None)], [("t1", HAIKU)], []]


def test_follow_prints_json_lines_as_they_come(home: Path) -> None:
    """A real process, until it is interrupted."""
    decide("t1")
    command = [sys.executable, "-m", "claude_tier", "log", "--follow", "--json"]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        watchdog = threading.Timer(30, process.kill)
        watchdog.start()
        first = json.loads(process.stdout.readline())
        decide("t2", at=NOON + 1)
        second = json.loads(process.stdout.readline())
        process.terminate()
        watchdog.cancel()
    assert (first["version"], first["tool_use_id"], second["tool_use_id"]) == (1, "t1", "t2")

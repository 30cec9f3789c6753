"""Reservations and the rows that wait for a locked ledger."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from claude_tier_hooks import decisions, gate, ledger, reservations, state

from .process import run, sample, transcript

Json = dict[str, Any]


@pytest.fixture
def db(home: Path) -> Iterator[sqlite3.Connection]:
    connection = ledger.connect(patience=10)
    yield connection
    connection.close()


def call(home: Path, number: int, **more: object) -> Json:
    return sample("PreToolUse", home, tool_use_id=f"toolu_{number}", **more)


def budget(limit: float) -> Json:
    return {
        "name": "daily", "scope": {"kind": "user", "name": None}, "period": "day", "unit": "usd",
        "limit": limit, "warn": 0.8, "recover": 0.85, "cap": 0.9, "stop": 1.0, "ceiling": "sonnet",
        "on_stop": "deny",
    }  # fmt: skip


def rule(home: Path, **given: object) -> None:
    state.write_private(state.path("policy.json"), json.dumps({"version": 1, **given}))


def test_a_locked_ledger_loses_no_reservation(home: Path, db: sqlite3.Connection) -> None:
    """What waits in the spool holds back too, and is in the ledger once it can be written."""
    transcript(home)
    rule(home, budgets=[budget(0.3)])
    gate.answer(call(home, 0))
    db.execute("BEGIN IMMEDIATE")
    answers = [gate.answer(call(home, number)) for number in range(1, 4)]
    db.execute("ROLLBACK")
    assert reservations.waiting()[0] > 0
    assert "permissionDecision" in json.dumps(answers[-1])
    gate.answer(call(home, 9))
    kept = {row[0] for row in db.execute("SELECT tool_use_id FROM decision")}
    assert kept == {f"toolu_{number}" for number in (0, 1, 2, 3, 9)}
    assert db.execute("SELECT count(*) FROM reservation").fetchone()[0] >= 2
    assert not ledger.spooled()


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"decision": 3}', '{"decision": {"agent": "x"}}', '{"newer": true}']
)
def test_a_bad_file_in_the_spool_stops_nothing(
    content: str, home: Path, db: sqlite3.Connection
) -> None:
    """It is put aside; the decision is made and the rest is imported."""
    transcript(home)
    ledger.spool({"decision": row("toolu_good"), "held": None})
    state.write_private(state.path("spool", "1-1-1.json"), content)
    assert gate.answer(call(home, 1))
    kept = {one[0] for one in db.execute("SELECT tool_use_id FROM decision")}
    assert kept == {"toolu_good", "toolu_1"}
    assert not ledger.spooled()
    assert Path(state.path("spool", "1-1-1.json.bad")).exists()


def row(tool_use_id: str) -> Json:
    return {
        "session": "s", "tool_use_id": tool_use_id, "at": 1.0, "tool": "Agent",
        "agent": "Explore", "action": "kept", "of a newer version": 1,
    }  # fmt: skip


def test_a_file_that_cannot_be_removed_costs_no_answer(home: Path, db: sqlite3.Connection) -> None:
    decisions.forget([state.path("spool", "gone.json")])


def test_an_agent_that_ends_before_its_transcript_is_there_has_ended(
    db: sqlite3.Connection,
) -> None:
    """So that waking it passes the gate; woken, it runs again."""
    session = ledger.name_id(db, "s")
    decisions.release(db, session, ("a1", "Explore", "toolu_1"), 5.0)
    decisions.release(db, session, ("a1", "Explore", "toolu_1"), 6.0)
    ended = "SELECT ended FROM run WHERE agent_id = 'a1'"
    assert db.execute(ended).fetchall() == [(6.0,)]
    decisions.wake(db, session, "a1")
    assert db.execute(ended).fetchall() == [(None,)]


def test_a_first_run_on_a_free_host_reserves_no_money(db: sqlite3.Connection) -> None:
    session = ledger.name_id(db, "s")
    host = ledger.name_id(db, "localhost:11434")
    db.execute("INSERT INTO session (id, project, host) VALUES (?, 1, ?)", (session, host))
    rules: Json = {"hosts": {"localhost:11434": {"free": True}}}
    decision = {"agent": "Explore", "at": 1.0, "set_tier": None, "would": "claude-opus-5-5"}
    held = reservations.estimate(db, rules, decision, {"session": session})
    assert held["usd"] == 0
    assert held["tokens"] > 0


def test_a_proof_is_told_once(db: sqlite3.Connection) -> None:
    """Two installs ask for it; the second finds it known."""
    decisions.record(db, {**row("t"), "set_tier": "haiku", "action": "lowered"})
    session = ledger.known_id(db, "s")
    tiers = ["fable", "opus", "sonnet", "haiku"]
    found = decisions.prove(db, session, "t", "claude-opus-5-5", tiers)
    assert found
    assert found["proof"] == decisions.OVER
    assert decisions.prove(db, session, "t", "claude-opus-5-5", tiers) is None


def held(db: sqlite3.Connection) -> list[str]:
    return [row[0] for row in db.execute("SELECT tool_use_id FROM reservation ORDER BY 1")]


def test_a_reservation_lasts_from_the_call_to_the_end_of_its_subagent(
    home: Path, db: sqlite3.Connection
) -> None:
    """Also where only the transcript's meta file says which call it was."""
    transcript(home)
    for number in (1, 2):
        gate.answer(call(home, number))
    run("PostToolUse", sample("PostToolUse", home, tool_use_id="toolu_1"))
    assert held(db) == ["toolu_1", "toolu_2"]
    run("SubagentStop", sample("SubagentStop", home, agent_id="a1"))
    assert held(db) == ["toolu_2"]

    own = home / "agent-a2.meta.json"
    own.write_text(json.dumps({"agentType": "Explore", "toolUseId": "toolu_2"}))
    path = str(own).replace(".meta.json", ".jsonl")
    for _ in range(2):
        stopped = sample("SubagentStop", home, agent_id="a2", agent_transcript_path=path)
        run("SubagentStop", stopped)
    assert held(db) == []


def test_what_the_user_refuses_is_held_to_the_end_of_the_turn_only(
    home: Path, db: sqlite3.Connection
) -> None:
    """No event tells of the refusal; what was launched, or a subagent asked for, runs on."""
    transcript(home)
    for number in (1, 2):
        gate.answer(call(home, number))
    gate.answer(call(home, 3, agent_id="a9", agent_type="Explore"))
    run("PostToolUse", sample("PostToolUse", home, tool_use_id="toolu_2"))

    run("Stop", sample("Stop", home))

    assert held(db) == ["toolu_2", "toolu_3"]


def test_a_denied_call_reserves_nothing(home: Path, db: sqlite3.Connection) -> None:
    """Nor does one that was decided by another install already."""
    transcript(home)
    rule(home, fan_out={"max_new_agents": 1, "seconds": 600, "action": "deny"})
    for number in (1, 1, 2):
        gate.answer(call(home, number))

    assert held(db) == ["toolu_1"]


def test_the_end_of_a_session_ends_its_reservations(home: Path, db: sqlite3.Connection) -> None:
    """Whatever became of its subagents, it is over."""
    transcript(home)
    gate.answer(call(home, 1))
    gate.answer(call(home, 2, session_id="another"))

    run("SessionEnd", sample("SessionEnd", home))

    assert held(db) == ["toolu_2"]

"""The rows of running subagents: on what they run, and whether that was set."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from claude_tier_hooks import columns, decisions, ledger, subagent_line
from examples import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .process import run, sample, task

ID = str(task()["id"])
START = 1795269374316  # milliseconds
SHARED = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(40)
)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seven seconds after the subagent's start."""
    now = START / 1000 + 7
    monkeypatch.setattr(subagent_line.time, "time", lambda: now)  # type: ignore[attr-defined]


def decide(home: Path, **columns_: object) -> None:
    """A decision on the subagent of `task`."""
    row = {
        "session": str(sample("SubagentLine", home)["session_id"]),
        "tool_use_id": "toolu_1",
        "at": START / 1000,
        "tool": "Agent",
        "agent": "Explore",
        "action": "assigned",
        "set_tier": "haiku",
        "agent_id": ID,
        **columns_,
    }
    db = ledger.connect(patience=10)
    decisions.record(db, row)
    db.close()


def rows(home: Path, *tasks: dict[str, object], wide: object = 154) -> dict[str, str]:
    """id -> content."""
    event = sample("SubagentLine", home, columns=wide, tasks=list(tasks or (task(),)))
    said = subagent_line.answer(json.dumps(event).encode())
    found = [json.loads(line) for line in said.splitlines()]
    assert all(set(row) == {"id", "content"} for row in found)
    return {row["id"]: row["content"] for row in found}


@pytest.mark.parametrize(
    ("model", "columns_", "text"),
    [
        ("claude-haiku-5-5", {}, "haiku-5-5 (assigned)"),
        ("claude-haiku-5-5", {"action": "lowered", "budget": "daily"},
         "haiku-5-5 (lowered by daily)"),
        ("claude-sonnet-5-5", {}, "sonnet-5-5, over the haiku that was set"),
        ("claude-haiku-5-5", {"set_tier": "sonnet"}, "haiku-5-5, below the sonnet that was set"),
        ("claude-opus-5-5", {"action": "kept", "set_tier": None}, "opus-5-5"),
        ("mystery-1", {}, "mystery-1, over the haiku that was set"),
        ("arn:aws:bedrock:eu-west-1:123:claude-haiku-5-5", {}, "haiku (assigned)"),
    ],
)  # fmt: skip
def test_a_row_says_what_runs_beside_what_was_set(
    home: Path, model: str, columns_: dict[str, object], text: str
) -> None:
    """The client's own row has no model at all."""
    decide(home, **columns_)
    expected = f"Explore · {text} · scan things · 1.5k tokens · 7s"
    assert rows(home, task(model=model)) == {ID: expected}


def test_a_decision_is_found_by_the_call_before_its_result(home: Path) -> None:
    """In the foreground the result, which names the subagent, comes when it is over."""
    decide(home, agent_id=None)
    transcript = Path(str(sample("SubagentLine", home)["transcript_path"]))
    meta = transcript.with_suffix("") / "subagents" / f"agent-{ID}.meta.json"
    meta.parent.mkdir(parents=True)
    meta.write_text(json.dumps({"agentType": "Explore", "toolUseId": "toolu_1"}))

    assert "(assigned)" in rows(home)[ID]


def test_what_is_not_known_keeps_the_clients_own_row(home: Path) -> None:
    """No model, or over already."""
    bare = {key: value for key, value in task().items() if key != "model"}
    assert rows(home, bare, task(status="completed"), task(id=7), {}) == {}


def test_parts_go_from_the_least_important(home: Path) -> None:
    """What it does goes first, then its age, its tokens, its name."""
    decide(home)
    assert rows(home, wide=50)[ID] == "Explore · haiku-5-5 (assigned) · 1.5k tokens · 7s"
    assert rows(home, wide=47)[ID] == "Explore · haiku-5-5 (assigned) · 1.5k tokens"
    assert rows(home, wide=40)[ID] == "Explore · haiku-5-5 (assigned)"
    assert rows(home, wide=20)[ID] == "haiku-5-5 (assigned)"
    assert rows(home, wide=19) == {}


@SHARED
@given(
    names=st.tuples(*[st.text(max_size=40) | st.just("日本語") | st.just("a\x1b[0m\n")] * 4),
    wide=st.integers(1, 100),
)
def test_no_row_is_wider_than_there_is_room(
    home: Path, names: tuple[str, str, str, str], wide: int
) -> None:
    """Names and descriptions are anybody's."""
    model, agent, label, name = names
    one = task(model=model, agentType=agent, label=label, name=name)
    for line in rows(home, one, wide=wide).values():
        assert line.isprintable()
        assert columns.wide(line.replace(" · ", "   ")) <= wide


@pytest.mark.parametrize("value", [None, 7, "x", [], {}, True, float("inf"), -1, 10**30])
def test_every_field_of_a_row_may_be_anything(home: Path, value: Any) -> None:
    """The row of another subagent is shown all the same."""
    for key in task():
        found = rows(home, task(**{key: value}), task(id="other"))
        assert "other" in found


def test_the_users_own_rows_win(home: Path) -> None:
    """Ours come for those that theirs say nothing about; with the same input, in any trouble."""
    folder = home / ".claude/claude-tier"
    folder.mkdir(parents=True)
    theirs = '{"id": "other", "content": "mine"}'
    chain = {"chain": f"cat > {home / 'got'}; echo '{theirs}'"}
    (folder / "policy.json").write_text(json.dumps({"subagent_line": chain}))
    event = sample("SubagentLine", home, tasks=[task(), task(id="other")])

    done = run("SubagentLine", event)
    garbage = run("SubagentLine", b"{")

    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(row["id"], row["content"][:7]) for row in lines] == [
        ("other", "mine"),
        (ID, "Explore"),
    ]
    assert (garbage.returncode, garbage.stdout) == (0, theirs.encode() + b"\n")
    assert (home / "got").read_bytes() == b"{"


def test_a_locked_ledger_costs_only_what_was_set(home: Path) -> None:
    """The model is in what the client says."""
    decide(home)
    lock = sqlite3.connect(ledger.file(), isolation_level=None)
    lock.execute("PRAGMA locking_mode = EXCLUSIVE")
    lock.execute("BEGIN EXCLUSIVE")
    done = run("SubagentLine", sample("SubagentLine", home))
    lock.close()
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"haiku-5-5" in done.stdout


def test_without_a_ledger_none_is_made(home: Path) -> None:
    """Showing rows is no reason to keep anything."""
    assert rows(home)[ID].startswith("Explore · haiku-5-5 ·")
    assert not Path(ledger.file()).exists()

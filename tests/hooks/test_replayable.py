"""What the gate keeps with a decision is enough to make it again."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from books import NOON, OPUS, answer, budget, policy
from claude_tier_hooks import decision, gate, ledger, replayable
from claude_tier_hooks import policy as runtime
from claude_tier_hooks.shapes import Json

SESSION = "11111111-aaaa"


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("claude_tier_hooks.gate.time.time", lambda: NOON + 60)


def ask(number: int = 1, **given: object) -> Json | None:
    return gate.answer(
        {
            "session_id": SESSION, "cwd": "/repo/app", "tool_name": "Agent",
            "tool_use_id": f"toolu_{number}",
            "tool_input": {"subagent_type": "Explore", "prompt": "secret words", **given},
        }
    )  # fmt: skip


def rows(columns: str = "*", table: str = "decision") -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(ledger.file())) as db:
        return db.execute(f"SELECT {columns} FROM {table}").fetchall()


def facts() -> Json:
    ((text,),) = rows("facts")
    found = json.loads(str(text))
    assert isinstance(found, dict)
    return found


def test_the_standing_of_every_budget_is_kept(home: Path) -> None:
    """Exactly, in the order of the policy's budgets."""
    policy(home, budgets=[budget(limit=0.05), budget("week", period="week", limit=100.0)])
    answer(home, OPUS)
    ask()
    daily, week = facts()["standings"]
    start = NOON - 12 * 3600
    assert daily == ["daily", 0.044 / 0.05, 0.044, 0.0, "warn", "warn", start, 0]
    assert week[:2] == ["week", 0.044 / 100.0]


def test_the_level_and_the_gate_are_kept_apart(home: Path) -> None:
    """What is reserved for the first counts at the gate of the second."""
    policy(home, budgets=[budget(limit=0.2)])
    answer(home, OPUS)
    ask(1)
    ask(2)
    (second,) = rows("facts", "decision WHERE tool_use_id = 'toolu_2'")
    ((_, used, amount, reserved, level, gate, *_),) = json.loads(str(second[0]))["standings"]
    assert (amount, used) == pytest.approx((0.044, 0.22))
    assert reserved > 0.2
    assert (level, gate) == ("ok", "stop")


def test_the_rules_are_kept_once(home: Path) -> None:
    """However many decisions are made under them; a change makes another row."""
    policy(home, exempt=["a"])
    ask(1)
    ask(2)
    assert len(rows(table="rules")) == 1
    policy(home, exempt=["b"])
    ask(3)
    assert [json.loads(str(text))["exempt"] for (text,) in rows("text", "rules")] != []
    assert len(rows(table="rules")) == 2
    assert {number for (number,) in rows("rules")} == {key for (key,) in rows("id", "rules")}


def test_an_ordinary_spawn_takes_little_room(home: Path) -> None:
    """Only what is out of the ordinary is written."""
    policy(home)
    answer(home, OPUS)
    ask()
    assert facts() == {"at_most": "opus"}


@pytest.mark.parametrize(
    ("name", "value", "key", "kept"),
    [
        ("CLAUDE_CODE_SUBAGENT_MODEL_FORCE", "1", "forced", True),
        ("CLAUDE_CODE_SESSION_ATTENDED", "0", "attended", False),
        ("ANTHROPIC_DEFAULT_HAIKU_MODEL", "claude-opus-5-5", "unavailable", ["haiku"]),
    ],
)
def test_what_the_environment_said_is_kept(
    home: Path, monkeypatch: pytest.MonkeyPatch, *, name: str, value: str, key: str, kept: object
) -> None:
    monkeypatch.setenv(name, value)
    policy(home)
    ask()
    assert facts()[key] == kept


def test_no_text_of_a_prompt_is_kept(home: Path) -> None:
    """Nor the description, where the user wants none."""
    policy(home, log={"descriptions": False})
    ask(description="private words")
    assert "words" not in Path(ledger.file()).read_bytes().decode("latin-1")
    assert "words" not in str(rows() + rows(table="rules"))


def test_the_spool_carries_both(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ledger that is locked gets them later."""
    policy(home, budgets=[budget()])
    answer(home, OPUS)
    monkeypatch.setattr("claude_tier_hooks.ledger.PATIENCE", 0.0)
    with closing(ledger.connect()) as other:
        other.execute("BEGIN IMMEDIATE")
        ask(1)
        other.execute("ROLLBACK")
    assert rows() == []
    ask(2)
    assert len([one for one in rows("facts, rules") if one[0] and one[1]]) == 2
    assert len(rows(table="rules")) == 1


def test_a_decision_is_made_again_from_its_row(home: Path) -> None:
    """With what was kept, `decide()` says the same."""
    policy(home, budgets=[budget(limit=0.047)], assign={"Explore": {"tier": "haiku"}})
    answer(home, OPUS)
    ask()
    ((text,),) = rows("text", "rules")
    rules = json.loads(str(text))
    row = {"tool": "Agent", "agent": "Explore", "would": OPUS, "origin": "parent", "parent": None}
    made = decision.decide(
        rules, replayable.standings(rules, facts()), replayable.spawn(row, facts())
    )
    assert rows("action, set_tier, reason, used, level") == [
        (made["action"], made["set"], made["reason"], made["used"], made["level"])
    ]
    assert made["level"] == "cap"


def test_every_rule_the_decision_reads_is_kept() -> None:
    """The policy with those keys alone decides like the whole one."""

    class Watched(dict[str, object]):
        def __getitem__(self, key: str) -> object:
            read.add(key)
            return super().__getitem__(key)

    read: set[str] = set()
    rules = Watched(
        {**runtime.load(), "budgets": [budget()], "floor": {"Explore": "sonnet"},
         "fan_out": {"max_new_agents": 1, "seconds": 60, "action": "lower"}}
    )  # fmt: skip
    spawn = replayable.spawn(
        {"tool": "Agent", "agent": "Explore", "would": OPUS, "origin": "parent", "parent": None},
        {"recent": 5},
    )
    standing = {"budget": budget(), "used": 1.0, "level": "cap", "gate": "cap"}
    assert decision.decide(rules, [standing], spawn)["action"] == "assigned"
    assert read <= set(replayable.RULES)

"""Usage without a price, and the day its model gets one."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from claude_tier_hooks import ingest, ledger, policy, routed, unpriced

RATE = {
    "from": None, "until": None, "input": 1, "output": 2, "cache_read": 3, "cache_write_5m": 4,
    "cache_write_1h": 5, "above": None, "fast": None,
}  # fmt: skip


def answer(number: int, model: str) -> str:
    """A transcript row of one response: a million tokens in, half a million out."""
    usage = {"input_tokens": 1_000_000, "output_tokens": 500_000}
    message = {"id": f"msg_{number}", "model": model, "stop_reason": "end_turn", "usage": usage}
    row = {
        "type": "assistant", "message": message, "sessionId": "s1", "cwd": "/w",
        "timestamp": "2026-11-20T12:00:00.000Z",
    }  # fmt: skip
    return json.dumps(row) + "\n"


@pytest.fixture
def db(home: Path) -> sqlite3.Connection:
    """A ledger with one priced and two unpriced responses."""
    folder = home / ".claude" / "projects" / "-w"
    folder.mkdir(parents=True)
    rows = [answer(1, "claude-haiku-5-5"), answer(2, "new-model"), answer(3, "other")]
    (folder / "s1.jsonl").write_text("".join(rows))
    made = ledger.connect()
    ingest.everything(made, policy.load())
    return made


def sums(db: sqlite3.Connection) -> tuple[float, int]:
    found: tuple[float, int] = db.execute(
        "SELECT sum(usd), sum(unpriced_requests) FROM bucket"
    ).fetchone()
    return found


def test_models_without_a_price_are_named(db: sqlite3.Connection) -> None:
    """With how many responses each has."""
    assert unpriced.models(db) == [("new-model", 1), ("other", 1)]


def test_usage_is_priced_once_its_model_has_a_price(db: sqlite3.Connection) -> None:
    """The sums move along; what still has no price stays unpriced."""
    before, _ = sums(db)
    rules = policy.load()
    rules["models"] = {**rules["models"], "new-model": [RATE]}
    assert unpriced.settle(db, rules) == 1
    assert unpriced.models(db) == [("other", 1)]
    assert sums(db) == (pytest.approx(before + 2.0), 1)
    assert unpriced.settle(db, rules) == 0


def test_usage_at_a_host_the_user_calls_free_costs_nothing(db: sqlite3.Connection) -> None:
    """Local models are 0 by the user's rule alone."""
    with ledger.Writing(db):
        db.execute("UPDATE session SET host = ?", (ledger.name_id(db, "localhost:1"),))
    before, _ = sums(db)
    rules = dict(policy.load(), hosts={"localhost:1": {"name": "mine", "free": True}})
    assert unpriced.settle(db, rules) == 2
    assert sums(db) == (pytest.approx(before), 0)


def test_what_a_provider_did_not_count_whole_has_no_price_later_either(
    db: sqlite3.Connection,
) -> None:
    """A part of an answer's figures is no price; of a try without an answer it is the least."""
    used = {
        "provider": "mine", "model": "m", "final": False, "usd": None,
        **dict.fromkeys(ledger.KINDS, 0), "output_tokens": 1_000_000,
    }  # fmt: skip
    row = {
        "id": "a", "at": 1.0, "session": "router:/w", "cwd": "/w", "origin": "ask",
        "route": None, "asked": "mine/m", "target": "mine/m", "model": "m", "seconds": 1.0,
        "attempts": [], "outcome": routed.ANSWERED, "used": used, "lost": [used],
    }  # fmt: skip
    with ledger.Writing(db):
        routed.record(db, row)
    host = {"prices": {"m": [RATE]}}
    named = {"providers": {"mine": {"host": "h"}}, "hosts": {"h": host}}
    assert unpriced.settle(db, dict(policy.load(), **named)) == 1
    found = db.execute("SELECT key, usd FROM usage WHERE key >= 'msg_router_' ORDER BY key")
    assert found.fetchall() == [("msg_router_a", None), ("msg_router_a_1", pytest.approx(2.0))]

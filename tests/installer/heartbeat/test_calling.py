"""One request for a beat: who is asked, who answered, what a failure comes to, and what it cost."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from claude_tier.heartbeat import history
from claude_tier.heartbeat.models import is_served_by
from claude_tier.report import reconcile, totals
from claude_tier.report.days import Slice
from claude_tier.routing.target import Target
from claude_tier_hooks import ledger, policy
from fault_server import FAULTS, FaultServer, Reply
from heartbeats import LOCAL, made

from .conftest import CarryOut, file

WELL = Reply("HEARTBEAT_OK")
PRICE = "{input: 1, output: 1}"


def test_a_fallback_answers_and_that_is_no_alert(home: Path, carry_out: CarryOut) -> None:
    """It is one that the file names."""
    with FaultServer(FAULTS["bad_gateway"]) as broken, FaultServer(WELL) as server:
        config = (
            f"providers: {{one: {{kind: openai-compatible, base_url: '{broken.url}', free: true}},"
            f" two: {{kind: openai-compatible, base_url: '{server.url}', free: true}}}}\n"
        )
        made(home, config).add(file("model: one/alpha\nfallback: [two/beta, skip]"))
        outcome = carry_out()

    assert (outcome.end.asked, outcome.end.served) == ("one/alpha", "beta")
    assert outcome.alerts == ()
    with closing(ledger.connect()) as db:
        found = history.query(db, None)
    assert "two/beta, asked one/alpha" in history.as_text(found, width=200)
    assert found[0].fields()["target"] == "two/beta"


@pytest.mark.parametrize(
    ("asked", "target", "served", "shown"),
    [
        ("haiku", "claude/haiku", "claude-haiku-5-5", "claude-haiku-5-5"),
        ("claude/haiku", "claude/haiku", "claude-haiku-5-5", "claude-haiku-5-5"),
        ("haiku", "claude/haiku", "claude-opus-5-5", "claude/claude-opus-5-5, asked haiku"),
        ("near/tiny", "near/tiny", "tiny", "tiny"),
        ("near/tiny", "far/tiny", "tiny", "far/tiny, asked near/tiny"),
        ("near/qwen3", "near/qwen3", "qwen3:latest", "qwen3:latest"),
        ("cheap", "near/tiny", "tiny", "near/tiny, asked cheap"),
        ("haiku", None, "claude-haiku-5-5", "claude-haiku-5-5"),
        ("haiku", None, None, ""),
    ],
)
def test_who_answered_is_shown_beside_who_was_asked_where_they_differ(
    asked: str, target: str | None, served: str | None, shown: str
) -> None:
    """With the provider, since two of them may have a model of one name."""
    one = history.Receipt(
        beat="f#it", slot=1.0, last=1.0, slots=1, origin="planned", status="ran", reason=None,
        began=1.0, ended=2.0, asked=asked, served=served, ok=True, saved_bytes=None,
        saved_usd=None, exchange="x", usd=0.0, target=target,
    )  # fmt: skip
    assert one.answered == shown


@pytest.mark.parametrize("model", ["haiku", "local/alpha"])
def test_where_nobody_was_there_nothing_was_sent_and_nothing_is_to_be_paid(
    home: Path, carry_out: CarryOut, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No `claude`, and no server."""
    monkeypatch.setenv("PATH", str(home))
    here = made(home, LOCAL.format(url="http://127.0.0.1:9") + "router: {retries: 0}\n")
    here.add(file(f"model: {model}"))
    outcome = carry_out()

    assert str(outcome.end.reason).startswith("connect: ")
    assert bool(outcome.alerts) == (model == "haiku")  # a server may come back by itself
    with closing(ledger.connect()) as db:
        shown = history.as_text(history.query(db, None), width=200)
    assert shown.endswith("\n0 requests, $0.00.")
    assert "unpriced" not in shown


def test_nobody_stands_in_for_a_model_that_is_kept_out(home: Path, carry_out: CarryOut) -> None:
    """A local model of the router's that the beat does not name is not asked: it is skipped."""
    with FaultServer(FAULTS["openai_quota"]) as paid, FaultServer(WELL) as local:
        config = (
            f"providers: {{paid: {{kind: openai-compatible, base_url: '{paid.url}', key_env: K}},"
            f" near: {{kind: llama-server, base_url: '{local.url}', local: true}}}}\n"
            "router: {small: near/beta}\n"
        )
        made(home, config.replace(", key_env: K", "")).add(file("model: paid/alpha"))
        ends = [carry_out().end, carry_out().end]
        assert local.requests == []
        assert len(paid.requests) == 1

    assert [one.status for one in ends] == ["failed", "skipped"]
    assert str(ends[0].reason).startswith("billing: ")
    assert str(ends[1].reason).startswith(("cooling: ", "emergency: "))


def test_another_model_than_the_one_asked_for_is_an_alert(home: Path, carry_out: CarryOut) -> None:
    """Both are in the receipt."""
    with FaultServer(Reply("HEARTBEAT_OK", model="opus-of-theirs")) as server:
        made(home, LOCAL.format(url=server.url)).add(file())
        outcome = carry_out()
    assert (outcome.end.asked, outcome.end.served) == ("local/alpha", "opus-of-theirs")
    (alert,) = outcome.alerts
    assert (alert.kind, alert.text) == (
        "model",
        "local/alpha was asked, and opus-of-theirs answered",
    )


@pytest.mark.parametrize(
    ("provider", "asked", "served", "same"),
    [
        ("claude", "haiku", "claude-haiku-5-5", True),
        ("claude", "haiku", "claude-opus-5-5", False),
        ("claude", "claude-haiku-4-5", "claude-haiku-4-5-20251001", True),
        ("claude", "claude-haiku-4-5", "claude-haiku-5-5", False),
        ("api", "claude-opus-4", "claude-opus-4-8", False),
        ("ollama", "qwen3", "qwen3:latest", True),
        ("ollama", "qwen3:8b", "qwen3:8b", True),
        ("ollama", "qwen3:8b", "qwen3:32b", False),
        ("openrouter", "qwen/qwen3:free", "qwen/qwen3", True),
        ("openrouter", "qwen/qwen3:free", "other/qwen3", False),
        ("openai", "gpt-5", "gpt-5-2026-08-07", True),
        ("openai", "gpt-5", "gpt-5-mini", False),
        ("lan", "tiny", "TINY", True),
    ],
)
def test_a_model_is_known_by_its_names(provider: str, asked: str, served: str, same: bool) -> None:
    """With a date or without, as an alias, but never as another one."""
    assert is_served_by(Target(provider, asked), served) == same


@pytest.mark.parametrize(
    ("fault", "reason", "told"),
    [
        ("openai_key", "key: ", True),
        ("openai_quota", "billing: ", True),
        ("openai_model", "model: ", True),
        ("openai_overloaded", "server: ", False),
        ("bad_gateway", "server: ", False),
        ("login_page", "server: ", False),
        ("garbage", "server: ", False),
        ("empty", "server: ", False),
        ("silent", "timeout: ", False),
        ("drip", "timeout: ", False),
        ("stalled", "timeout: ", False),
        ("reset", "connect: ", False),
        ("refused", "connect: ", None),
    ],
)
def test_every_failure_ends_in_time_with_the_right_receipt(
    home: Path, carry_out: CarryOut, fault: str, reason: str, told: bool | None
) -> None:
    """What only the user can mend is an alert at once."""
    with FaultServer(FAULTS[fault]) as server:
        here = made(home, LOCAL.format(url=server.url) + "router: {retries: 0}\n")
        here.add(file("model: local/alpha\ntimeout: 2s"))
        outcome = carry_out()

    (row,) = here.rows()
    assert row["status"] == outcome.end.status == "failed"
    assert str(outcome.end.reason).startswith(reason), outcome
    assert row["exchange"]
    assert told is None or bool(outcome.alerts) == told


def test_a_request_is_counted_as_the_heartbeats(home: Path, carry_out: CarryOut) -> None:
    """Source, agent and session of its own, and the receipt refers to it."""
    with FaultServer(WELL) as server:
        here = made(home, LOCAL.format(url=server.url))
        here.add(file())
        outcome = carry_out()
    with closing(ledger.connect()) as db:
        found = db.execute(
            "SELECT source.text, agent.text, session.text, usage.usd FROM usage"
            " JOIN name source ON source.id = usage.source"
            " JOIN name agent ON agent.id = usage.agent"
            " JOIN name session ON session.id = usage.session"
        ).fetchall()
        (exchange,) = db.execute("SELECT id FROM exchange").fetchone()
    assert found == [
        ("router/local/heartbeat", "heartbeat", f"heartbeat:{here.project}", 0.0),
    ]
    assert outcome.end.exchange == exchange


def test_a_try_without_an_answer_is_the_beats_too(home: Path, carry_out: CarryOut) -> None:
    """Where it was counted: in the budget of all beats, and in what its receipt says it cost."""
    with FaultServer(FAULTS["openrouter_given_up"]) as server:
        config = (
            f"providers: {{paid: {{kind: openai-compatible, base_url: '{server.url}',"
            f" prices: {{alpha: {PRICE}}}}}}}\n"
            "heartbeat: {budget: {usd: 1, period: day}}\nrouter: {retries: 0}\n"
        )
        made(home, config).add(file("model: paid/alpha"))
        outcome = carry_out()
    assert outcome.end.status == "failed"
    with closing(ledger.connect()) as db:
        (receipt,) = history.query(db, None)
        found = db.execute(
            "SELECT text, usd, final FROM usage JOIN name ON name.id = agent"
        ).fetchall()
    assert receipt.usd == pytest.approx(1100e-6)
    assert found == [("heartbeat", pytest.approx(1100e-6), 0)]


def test_a_session_of_the_heartbeats_own_is_none_of_the_clients(
    home: Path, carry_out: CarryOut
) -> None:
    """It saved no cost because there is none to save."""
    with FaultServer(WELL) as server:
        here = made(home, LOCAL.format(url=server.url))
        here.add(file())
        carry_out()
    rules = policy.load()
    with closing(ledger.connect()) as db:
        assert totals.unsaved(db, Slice()) == 0
        assert reconcile.query(db, rules, Slice()).sessions == ()

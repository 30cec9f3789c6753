"""Failures of the client's own turns as cooldowns of the router."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from books import NOON
from claude_tier_hooks import cooldowns, events, failures, ledger
from claude_tier_hooks.shapes import Json

KEY = "sk-ant-api03-of-the-test"
PROVIDERS = {
    "claude": {"host": None, "anthropic": True, "cooldown": 7200},
    "api": {"host": "api.anthropic.com", "anthropic": True, "cooldown": 7200},
    "lan": {"host": "llm.lan:4000", "anthropic": False, "cooldown": 1800},
}
LIMIT = (
    "API Error: 400 You have reached your specified API usage limits."
    " You will regain access on 2026-12-01 at 00:00 UTC."
)
DECEMBER = 1_796_083_200.0


def kept(event: Json, environment: Json, plan: float | None = None) -> dict[str, Json]:
    """The rows that come of a failed turn, by provider and account."""
    with closing(ledger.connect()) as db:
        with ledger.Writing(db):
            if plan:
                row = ("five_hour", 100.0, plan, NOON)
                db.execute("INSERT INTO plan_window VALUES (?, ?, ?, ?)", row)
            failures.keep(db, event, {"providers": PROVIDERS}, environment, NOON)
        return {f"{row['provider']}/{row['account']}": row for row in cooldowns.listed(db, NOON)}


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        ("rate_limit", "pace"),
        ("billing_error", "billing"),
        ("authentication_failed", "key"),
        ("server_error", "server"),
    ],
)
def test_each_kind_of_failure_has_its_cause(error: str, cause: str) -> None:
    """As the client names them; the login is the account."""
    (row,) = kept({"error": error}, {}).values()
    assert (row["provider"], row["account"], row["model"]) == ("claude", "login", "*")
    assert row["cause"] == cause


@pytest.mark.parametrize(
    "event",
    [{}, {"error": "invalid_request"}, {"error": "model_not_found"}, {"error": ["x"]},
     {"error": "unknown", "last_assistant_message": "API Error: 400 odd"}],
)  # fmt: skip
def test_what_says_nothing_about_the_account_cools_nothing(event: Json) -> None:
    """A prompt that is too long, say."""
    assert kept(event, {}) == {}


def test_a_spend_limit_ends_on_the_day_that_it_names() -> None:
    """The client calls it unknown."""
    (row,) = kept({"error": "unknown", "last_assistant_message": LIMIT}, {}).values()
    assert (row["cause"], row["until"], row["named"]) == ("billing", DECEMBER, 1)


def test_a_plan_that_is_used_up_ends_with_its_window() -> None:
    """As the status line reported it."""
    (row,) = kept({"error": "rate_limit"}, {}, plan=NOON + 9000).values()
    assert (row["until"], row["named"]) == (NOON + 9000, 1)


def test_a_key_is_one_account_at_every_provider_that_is_anthropic() -> None:
    """And its text is in none of the rows."""
    found = kept({"error": "billing_error"}, {"ANTHROPIC_API_KEY": KEY})
    account = cooldowns.fingerprint(KEY)
    assert found.keys() == {f"claude/{account}", f"api/{account}"}
    assert KEY not in str(found)


def test_at_another_endpoint_the_conversations_model_cools() -> None:
    """Of the provider with that host: a proxy has accounts of many behind it."""
    url = {"ANTHROPIC_BASE_URL": "http://llm.lan:4000/", "ANTHROPIC_AUTH_TOKEN": KEY}
    event = {"error": "authentication_failed", "session_id": "s"}
    assert kept(event, url) == {}  # whose model nobody knows
    with closing(ledger.connect()) as db:
        number = ledger.name_id(db, "s")
        db.execute("INSERT INTO session (id, project, model) VALUES (?, 0, 'qwen3')", (number,))
    (row,) = kept(event, url).values()
    assert (row["provider"], row["account"]) == ("lan", cooldowns.fingerprint(KEY))
    assert (row["model"], row["until"]) == ("qwen3", NOON + 300)
    assert len(kept(event, {"ANTHROPIC_BASE_URL": "http://else.lan"})) == 1


def test_the_hook_keeps_what_the_message_was_about_to_itself(home: Path) -> None:
    """Only the kind of failure is written down."""
    event = {"session_id": "s", "cwd": str(home), "error": "billing_error",
             "last_assistant_message": "Credit balance is too low for the secret"}  # fmt: skip
    assert events.stop_failure(event) is None
    with closing(ledger.connect()) as db:
        (row,) = cooldowns.listed(db, time.time())
    assert row["provider"] == "claude"
    assert "secret" not in str(row)


def test_the_script_does_the_same(home: Path) -> None:
    """As the client starts it."""
    script = Path(__file__).parents[2] / "hooks/stop_failure.py"
    event = {"hook_event_name": "StopFailure", "session_id": "s", "cwd": str(home),
             "error": "rate_limit"}  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-S", "-E", script], input=json.dumps(event).encode(),
        env={"HOME": str(home)}, capture_output=True, check=True,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == (b"", b"")
    with closing(ledger.connect()) as db:
        assert [row["cause"] for row in cooldowns.listed(db, time.time())] == ["pace"]

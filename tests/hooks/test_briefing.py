"""What sessions are told: whose budget it is, and whether anything holds at all."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from claude_tier_hooks import briefing, events, ledger, state

from .process import sample, transcript

Json = dict[str, Any]


def standing(level: str, **given: object) -> Json:
    budget = {
        "name": "daily", "scope": {"kind": "user", "name": None}, "period": "session",
        "unit": "usd", "ceiling": "sonnet", "on_stop": "deny",
    }  # fmt: skip
    return {"budget": {**budget, **given}, "level": level, "used": 1.02, "since": 0, "unpriced": 0}


REVIEWS = {"name": "reviews", "scope": {"kind": "agent", "name": "reviewer"}}


def test_an_agents_budget_is_told_as_its_own() -> None:
    """Claude is not told to stop starting others."""
    told = briefing.for_claude([standing("stop", **REVIEWS)], [])
    assert told == "claude-tier: budget reviews is at 102 % (stop): no new reviewer."
    assert "new reviewer run on sonnet at most" in briefing.lines([standing("cap", **REVIEWS)])[0]
    assert "Work inline" in briefing.for_claude([standing("stop")], [])


@pytest.fixture
def over(home: Path) -> None:
    """A session whose one response is far over the budget."""
    transcript(home)
    limit = {"limit": 1e-6, "warn": 0.8, "recover": 0.85, "cap": 0.9, "stop": 1.0}
    budget = {**standing("ok")["budget"], **limit}
    state.write_private(state.path("policy.json"), json.dumps({"budgets": [budget]}))


def prompt(home: Path) -> tuple[str, str]:
    """(what the user, what Claude is told) at the next prompt."""
    answer = events.user_prompt_submit(sample("UserPromptSubmit", home)) or {}
    output = answer.get("hookSpecificOutput", {})
    return answer.get("systemMessage", ""), output.get("additionalContext", "")


def test_while_off_nobody_is_told_of_limits(over: None, home: Path) -> None:
    """Off and on again are each said once, and then the limits."""
    user, claude = prompt(home)
    assert "no new subagents" in user
    assert "no new subagents" in claude
    state.write_private(state.path("off"), json.dumps({"until": time.time() + 600}))
    user, claude = prompt(home)
    assert user.startswith("claude-tier: off until ")
    assert "no new subagents" not in user + claude
    assert prompt(home) == ("", "")
    Path(state.path("off")).unlink()
    user, claude = prompt(home)
    assert "on again" in user
    assert "no new subagents" in user
    assert "no new subagents" in claude


def test_a_models_price_is_missed_once(over: None, home: Path) -> None:
    path = transcript(home, model="glm-4.7")
    user, _ = prompt(home)
    assert "cannot see 1 request whose" in user
    path.write_text(path.read_text() + path.read_text().replace("msg_1", "msg_2"))
    assert "cannot see" not in prompt(home)[0]
    assert ledger.connect().execute("SELECT count(*) FROM usage").fetchone() == (2,)

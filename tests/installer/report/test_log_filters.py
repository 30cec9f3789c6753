"""`log`: which decisions are shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from books import HOUR, NOON, answer, decide
from claude_tier import cli

Ids = Callable[..., list[str]]


@pytest.fixture
def ids(capsys: pytest.CaptureFixture[str]) -> Ids:
    """The calls that `claude-tier log … --json` shows."""

    def shown(*args: str) -> list[str]:
        assert cli.main(["log", *args, "--json"]) == 0
        found = json.loads(capsys.readouterr().out)["decisions"]
        return [one["tool_use_id"] for one in found]

    return shown


def test_an_agent_is_named_with_the_plugins_prefix_or_without(home: Path, ids: Ids) -> None:
    """As in the configuration."""
    decide("a", agent="model-tier:explorer")
    decide("b", agent="Explore")
    assert ids("--agent", "explorer") == ids("--agent", "model-tier:explorer") == ["a"]


def test_an_action_a_project_and_days_narrow_it_down(home: Path, ids: Ids) -> None:
    """Together, too; a span shows more than the last twenty."""
    app = home / "app"
    (app / ".git").mkdir(parents=True)
    answer(home, session="here", cwd=str(app))
    for n in range(30):
        decide(f"old{n:02}", at=NOON - 24 * HOUR + n)
    decide("denied", action="denied", session="here")
    decide("kept", session="here", at=NOON + 1)
    assert ids("--action", "denied") == ["denied"]
    assert ids("--project", str(app)) == ["denied", "kept"]
    assert len(ids("--until", "2026-11-20")) == 30
    assert ids("--since", "2026-11-21") == ["denied", "kept"]
    assert ids("--since", "2026-11-21", "--action", "denied", "--project", str(app)) == ["denied"]
    assert len(ids()) == 20


def test_a_day_and_a_span_exclude_each_other(home: Path) -> None:
    """Which of them was meant is not guessed."""
    assert cli.main(["log", "--day", "today", "--since", "today"]) == 2

"""Each preset does what its table in docs/presets.md says.

Plan windows are reported to subscribers only, so their figures are recorded input here: the status
line gets them as the client writes them.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import uuid

import pytest
from claude_tier.livecheck import Client, Script, spawn, text
from claude_tier_hooks import decisions as rows
from claude_tier_hooks import ledger

from .conftest import Serve
from .installation import Installed, installed
from .witness import HAIKU, OPUS, SONNET, messages, opened, spawning, streamed

PRESETS = ("balanced", "budget", "premium")


def by_preset(*found: object) -> list[tuple[str, object]]:
    return list(zip(PRESETS, found, strict=True))


@pytest.fixture
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A time zone in which it is about noon, far from where a day's budget begins afresh."""
    behind = time.gmtime().tm_hour - 12
    monkeypatch.setenv("TZ", f"NOON{behind:+d}")
    time.tzset()


def report_plan(here: Installed, window: str, percent: float) -> None:
    """What the client tells its status line of a subscription."""
    limits = {window: {"used_percentage": percent, "resets_at": int(time.time()) + 3600}}
    event = {"session_id": "recorded", "model": {"id": OPUS}, "rate_limits": limits}
    script = str(here.state / "hooks/status_line.py")
    subprocess.run(
        [sys.executable, "-S", "-E", script],
        input=json.dumps(event).encode(),
        env={"HOME": str(here.home)},
        capture_output=True,
        check=True,
    )


@pytest.mark.parametrize(
    ("preset", "models"),
    by_preset((HAIKU, OPUS, SONNET), (HAIKU, SONNET, HAIKU), (SONNET, OPUS, OPUS)),
)
def test_assignments(preset: str, models: tuple[str, ...], client: Client, serve: Serve) -> None:
    """Explore, Plan and general-purpose without a model, under an Opus conversation."""
    installed(client, "--preset", preset)
    kinds = ("Explore", "Plan", "general-purpose")
    calls = [spawn(kind, subagent_type=kind) for kind in kinds]

    seen = streamed(client, serve, Script().on("start", calls, text("ok")))

    assert seen.subagents == dict(zip(kinds, models, strict=True))


@pytest.mark.parametrize("preset", PRESETS)
def test_a_named_model_stands(preset: str, client: Client, serve: Serve) -> None:
    """No preset overrides what was asked for."""
    installed(client, "--preset", preset)

    seen = spawning(client, serve, subagent_type="Explore", model="opus")

    assert seen.subagents == {"the task": OPUS}


@pytest.mark.parametrize("window", ["five_hour", "seven_day"])
@pytest.mark.parametrize(
    ("preset", "percent", "ran"),
    [
        ("balanced", 85, OPUS),
        ("balanced", 95, SONNET),
        ("balanced", 100, HAIKU),
        ("budget", 85, OPUS),
        ("budget", 95, SONNET),
        ("budget", 100, None),
        ("premium", 85, OPUS),
        ("premium", 100, OPUS),
    ],
)
def test_plan_windows(
    preset: str, percent: float, ran: str | None, window: str, client: Client, serve: Serve
) -> None:
    """An agent that asks for Opus, as a window of the plan fills up."""
    here = installed(client, "--preset", preset)
    report_plan(here, window, percent)
    name = {"five_hour": "plan-5h", "seven_day": "plan-week"}[window]

    seen = streamed(
        client, serve, Script().on("start", spawn("the task", model="opus"), text("ok"))
    )

    assert seen.subagents == ({"the task": ran} if ran else {})
    assert messages(seen)[0].startswith(f"claude-tier: budget {name} is at {percent} %")


@pytest.mark.parametrize(
    ("preset", "spent", "ran"),
    [
        ("balanced", 50, OPUS),
        ("budget", 8.5, OPUS),
        ("budget", 9.5, SONNET),
        ("budget", 10.5, None),
        ("premium", 50, OPUS),
    ],
)
def test_ten_dollars_a_day(
    preset: str, spent: float, ran: str | None, noon: None, client: Client, serve: Serve
) -> None:
    """Only `budget` has a limit in dollars."""
    installed(client, "--preset", preset).spend(spent)

    seen = spawning(client, serve, subagent_type="general-purpose", model="opus")

    assert seen.subagents == ({"the task": ran} if ran else {})


@pytest.mark.parametrize(
    ("preset", "allowed", "ran"),
    [("balanced", 20, OPUS), ("budget", 10, HAIKU), ("premium", 50, OPUS)],
)
def test_fan_out(preset: str, allowed: int, ran: str, client: Client, serve: Serve) -> None:
    """One more than allowed in ten minutes: warned of, or lowered."""
    here = installed(client, "--preset", preset)
    session = str(uuid.uuid4())
    _spawned_before(here, session, allowed)

    seen = streamed(
        client,
        serve,
        Script().on("start", spawn("the task", model="opus"), text("ok")),
        "--session-id",
        session,
    )

    assert seen.subagents == {"the task": ran}
    assert f"{allowed} new subagents in the last 10 min" in messages(seen)[0]


def _spawned_before(here: Installed, session: str, number: int) -> None:
    db = opened(here)
    row = {"session": session, "agent": "Explore", "tool": "Agent", "action": "kept"}
    with ledger.Writing(db):
        for each in range(number):
            rows.record(db, {**row, "tool_use_id": f"toolu_{each}", "at": time.time() - 60})


@pytest.mark.parametrize(("preset", "way"), by_preset("ask", "ask", "off"))
def test_model_switch(preset: str, way: str, client: Client) -> None:
    """Going above a ceiling with `/model`; what each way does is shown with the gates."""
    here = installed(client, "--preset", preset)

    assert json.loads((here.state / "policy.json").read_text())["model_switch"] == way


@pytest.mark.parametrize("preset", PRESETS)
def test_a_budget_of_ones_own_at_the_stop(preset: str, client: Client, serve: Serve) -> None:
    """Denied, or (premium) asked about, which is a denial where nobody attends."""
    here = installed(client, "--preset", preset)
    here.configure(
        f"preset: {preset}\nbudgets: [{{name: mine, period: seven_day, limit: {{usd: 10}}}}]\n"
    )
    here.spend(12)

    assert spawning(client, serve, subagent_type="Explore").subagents == {}

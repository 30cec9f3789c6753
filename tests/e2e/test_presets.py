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
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from claude_tier.livecheck import Answer, Block, Client, Failure, Request, Script, spawn, text
from claude_tier_hooks import decisions as rows
from claude_tier_hooks import ingest, ledger, policy

from .conftest import Serve
from .installation import Installed
from .witness import FOREGROUND, HAIKU, OPUS, SONNET, Seen, decisions, messages, opened, streamed

PRESETS = ("balanced", "budget", "premium")
Change = Callable[[], None]


def in_turn(
    client: Client, serve: Serve, steps: list[tuple[Change, list[Block]]], *arguments: str
) -> Seen:
    """One session, which spawns the agents of each step once its change is made.

    The first is made before the session starts.
    """
    (first, _), *_ = steps
    script = Script().on("start", *(calls for _, calls in steps), text("ok"))

    def respond(request: Request) -> Answer | Failure:
        if request.asker == "main" and 0 < request.step < len(steps):
            steps[request.step][0]()
        return script(request)

    first()
    return streamed(client, serve, respond, *arguments, env=FOREGROUND)


def prefer(here: Installed, preset: str, more: str = "") -> None:
    here.configure(f"preset: {preset}\n{more}")


@pytest.fixture
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A time zone in which it is about noon, far from where a day's budget begins afresh."""
    behind = time.gmtime().tm_hour - 12
    monkeypatch.setenv("TZ", f"NOON{behind:+d}")
    time.tzset()


def test_assignments(client: Client, serve: Serve, here: Installed) -> None:
    """Explore, Plan and general-purpose without a model, under an Opus conversation.

    A model that is asked for by name stands with each.
    """
    table = {
        "balanced": (HAIKU, OPUS, SONNET, OPUS),
        "budget": (HAIKU, SONNET, HAIKU, OPUS),
        "premium": (SONNET, OPUS, OPUS, OPUS),
    }
    kinds = ("Explore", "Plan", "general-purpose")

    def calls(preset: str) -> list[Block]:
        named = spawn(f"{preset} named", subagent_type="Explore", model="opus")
        return [*(spawn(f"{preset} {kind}", subagent_type=kind) for kind in kinds), named]

    steps = [(lambda preset=preset: prefer(here, preset), calls(preset)) for preset in PRESETS]

    seen = in_turn(client, serve, steps)

    assert seen.subagents == {
        f"{preset} {what}": model
        for preset, models in table.items()
        for what, model in zip((*kinds, "named"), models, strict=True)
    }


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
    ("window", "name", "presets"),
    [("five_hour", "plan-5h", PRESETS), ("seven_day", "plan-week", PRESETS[::-1])],
)
def test_plan_windows(
    window: str, name: str, presets: tuple[str, ...], client: Client, serve: Serve, here: Installed
) -> None:
    """An agent that asks for Opus, as a window of the plan fills up; the first level is told."""
    table = {
        "balanced": {85: ("warn", OPUS), 95: ("cap", SONNET), 100: ("stop", HAIKU)},
        "budget": {85: ("warn", OPUS), 95: ("cap", SONNET), 100: ("stop", None)},
        "premium": dict.fromkeys((85, 95, 100), ("warn", OPUS)),
    }

    def change(preset: str, percent: float) -> Change:
        return lambda: (prefer(here, preset), report_plan(here, window, percent))

    cases = [(preset, percent) for percent in (85, 95, 100) for preset in presets]
    steps = [
        (change(preset, percent), [spawn(f"{preset} at {percent}", model="opus")])
        for preset, percent in cases
    ]

    seen = in_turn(client, serve, steps)

    ran = {f"{preset} at {percent}": table[preset][percent][1] for preset, percent in cases}
    assert seen.subagents == {task: model for task, model in ran.items() if model}
    levels = [standing(row, name) for row in decisions(here)]
    assert levels == [table[preset][percent][0] for preset, percent in cases]
    assert messages(seen)[0].startswith(f"claude-tier: budget {name} is at 85 %")


def standing(decision: dict[str, object], budget: str) -> str:
    """The level of that budget as the decision was made."""
    facts = json.loads(str(decision["facts"]))
    (level,) = (one[4] for one in facts["standings"] if one[0] == budget)
    return str(level)


def test_ten_dollars_a_day(noon: None, client: Client, serve: Serve, here: Installed) -> None:
    """Only `budget` has a limit in dollars."""
    table: list[tuple[str, float, str | None]] = [
        ("budget", 8.5, OPUS),
        ("budget", 9.5, SONNET),
        ("budget", 10.5, None),
        ("balanced", 50, OPUS),
        ("premium", 50, OPUS),
    ]
    spent = 0.0

    def change(preset: str, usd: float) -> Change:
        def make() -> None:
            nonlocal spent
            prefer(here, preset)
            here.spend(usd - spent)
            _counted(here)
            spent = usd

        return make

    steps = [
        (change(preset, usd), [spawn(f"{preset} at ${usd}", model="opus")])
        for preset, usd, _ in table
    ]

    seen = in_turn(client, serve, steps)

    assert seen.subagents == {f"{preset} at ${usd}": ran for preset, usd, ran in table if ran}


def _counted(here: Installed) -> None:
    """A session reads what others have spent as it starts; this is as if one had started now."""
    with closing(opened(here)) as db:
        ingest.everything(db, policy.load())


@pytest.mark.parametrize(
    "table",
    [{"budget": (10, HAIKU), "balanced": (20, OPUS)}, {"premium": (50, OPUS)}],
    ids=" and ".join,
)
def test_fan_out(
    table: dict[str, tuple[int, str]], client: Client, serve: Serve, here: Installed
) -> None:
    """One more than allowed in ten minutes: warned of (once a session), or lowered."""
    session = str(uuid.uuid4())

    def change(preset: str) -> Change:
        return lambda: (prefer(here, preset), _spawned(here, session, table[preset][0]))

    steps = [(change(preset), [spawn(preset, model="opus")]) for preset in table]

    seen = in_turn(client, serve, steps, "--session-id", session)

    assert seen.subagents == {preset: ran for preset, (_, ran) in table.items()}
    for (allowed, _), told in zip(table.values(), messages(seen), strict=True):
        assert f"{allowed} new subagents in the last 10 min" in told


def _spawned(here: Installed, session: str, number: int) -> None:
    """As if so many had been spawned in that session by now."""
    row = {"session": session, "agent": "Explore", "tool": "Agent", "action": "kept"}
    with closing(opened(here)) as db:
        (before,) = db.execute("SELECT count(*) FROM decision").fetchone()
        with ledger.Writing(db):
            for each in range(before, number):
                call = {"tool_use_id": f"toolu_{each}", "at": time.time() - 60}
                rows.record(db, {**row, **call})


@pytest.mark.parametrize(
    ("preset", "way"), [("balanced", "ask"), ("budget", "ask"), ("premium", "off")]
)
def test_model_switch(preset: str, way: str, home: Path) -> None:
    """Going above a ceiling with `/model`; what each way does is shown with the gates."""
    here = Installed(home)
    prefer(here, preset)

    assert json.loads((here.state / "policy.json").read_text())["model_switch"] == way


def test_a_budget_of_ones_own_at_the_stop(client: Client, serve: Serve, here: Installed) -> None:
    """Denied, or (premium) asked about, which is a denial where nobody attends."""
    mine = "budgets: [{name: mine, period: seven_day, limit: {usd: 5}}]\n"
    here.spend(6)

    def change(preset: str) -> Change:
        return lambda: prefer(here, preset, mine)

    steps = [(change(preset), [spawn(preset, subagent_type="Explore")]) for preset in PRESETS]

    seen = in_turn(client, serve, steps)

    assert seen.subagents == {}
    denied = ("denied", "mine")
    assert [(row["action"], row["budget"]) for row in decisions(here)] == [denied] * len(PRESETS)

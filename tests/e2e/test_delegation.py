"""Which model each subagent really runs on: the API's own record is the witness."""

from __future__ import annotations

import json
import sys
from collections import Counter

from claude_tier.livecheck import Client, Script, Usage, spawn, text, tool_use
from claude_tier.livecheck.answers import Answer
from claude_tier.livecheck.script import Step

from .conftest import Serve
from .installation import IMPORTS, Installed, budget
from .witness import (
    FABLE,
    FOREGROUND,
    HAIKU,
    LIMIT,
    OPUS,
    SONNET,
    SPENT,
    Seen,
    calling,
    costing,
    decisions,
    opened,
    spawning,
)

# What the main session's responses cost: they bring a budget of 100 dollars to ok, warn, cap, stop.
LEVELS = {"ok": 10, "warn": 75, "cap": 10, "stop": 25}
# agent -> its input beside the type
ASKED = {
    "by parameter": {"subagent_type": "plain", "model": "opus"},
    "by agent file": {"subagent_type": "builder"},
    "cheap": {"subagent_type": "plain", "model": "haiku"},
    "on its floor": {"subagent_type": "floored", "model": "opus"},
    "above its floor": {"subagent_type": "floored", "model": "fable"},
    "exempt": {"subagent_type": "guard"},
}
AS_ASKED = {
    "by parameter": OPUS, "by agent file": OPUS, "cheap": HAIKU, "on its floor": OPUS,
    "above its floor": FABLE, "exempt": FABLE,
}  # fmt: skip
AT_CAP = {**AS_ASKED, "by parameter": SONNET, "by agent file": SONNET, "above its floor": OPUS}


def test_each_level_lets_run_what_it_should(client: Client, serve: Serve, here: Installed) -> None:
    """As asked below the cap; a ceiling never raises; the stop is for all that is not exempt."""
    here.agent("plain")
    here.agent("builder", "opus")
    here.agent("floored", "fable")
    here.agent("guard", "fable")
    here.configure("fan_out: off\nfloor: {floored: opus}\nexempt: [guard]\n" + budget(LIMIT))
    here.wait_longer()
    steps: list[Step] = []
    for level, dollars in LEVELS.items():
        volley = [spawn(f"{level} {name}", **asked) for name, asked in ASKED.items()]
        steps += [costing(dollars), volley]
    api = serve(Script().on("start", *steps, text("ok")))

    run = client.run("-p", "start", "--allowedTools", "Bash", api=api, env=FOREGROUND)

    seen = Seen(api, run)
    assert seen.subagents == {
        **{f"ok {name}": ran for name, ran in AS_ASKED.items()},
        **{f"warn {name}": ran for name, ran in AS_ASKED.items()},
        **{f"cap {name}": ran for name, ran in AT_CAP.items()},
        "stop exempt": FABLE,
    }
    assert Counter(row["ran"] for row in decisions(here)) == Counter(
        {**Counter(seen.subagents.values()), None: 5}
    )
    assert "claude-tier: budget weekly is at 120 %" in seen.told_to_main
    assert "claude-tier off" not in seen.told_to_main
    # What was held back for each is free once it is known what was spent.
    assert opened(here).execute("SELECT count(*) FROM reservation").fetchone()[0] == 0


def test_a_budget_of_one_agent_leaves_the_others_alone(
    client: Client, serve: Serve, here: Installed
) -> None:
    """Only that type's spending counts, and only that type is lowered, however it is spelled."""
    here.agent("builder", "opus")
    here.agent("other", "opus")
    here.configure(budget(LIMIT, scope="{agent: builder}"))
    here.spend(SPENT["cap"], agent="builder")
    here.spend(SPENT["stop"], agent="other")
    calls = [spawn("one", subagent_type="Builder"), spawn("two", subagent_type="other")]

    seen = calling(client, serve, calls)

    assert seen.subagents == {"one": SONNET, "two": OPUS}


def test_twenty_spawns_at_89_percent_overrun_the_cap_by_one_reservation_at_most(
    client: Client, serve: Serve, here: Installed
) -> None:
    """Each spawn is judged with what those before it are expected to cost."""
    here.agent("builder", "opus")
    here.configure("fan_out: off\n" + budget(LIMIT))
    here.spend(84.0)
    for _ in range(2):
        here.spend(2.5, agent="builder")
    tasks = [f"task number {number:02}" for number in range(20)]
    calls = [spawn(task, subagent_type="builder") for task in tasks]
    script = Script().on("start", calls)
    for task in tasks:
        script.on(task, Answer((text("done"),), usage=Usage(output_tokens=125_000)))
    api = serve(script)

    seen = Seen(api, client.run("-p", "start", api=api))

    # 89 of 100 dollars are spent and a run on Opus costs 2.50, so the first reservation reaches the
    # cap; a run on Sonnet costs 1.25, so twenty of them would go far beyond the stop.
    models = list(seen.subagents.values())
    assert len(decisions(here)) == 20
    assert set(models) == {OPUS, SONNET}
    assert 89 + 2.5 * models.count(OPUS) <= 90 + 2.5
    assert 89 + 2.5 * models.count(OPUS) + 1.25 * models.count(SONNET) <= 100 + 2.5


def test_claude_cannot_turn_the_guard_off(client: Client, serve: Serve, here: Installed) -> None:
    """The way out is the user's: inside a session the command refuses, and assignments go on."""
    command = f"PYTHONPATH={IMPORTS} {sys.executable} -m claude_tier off"
    explore = spawn("the task", subagent_type="Explore")
    api = serve(Script().on("start", tool_use("Bash", command=command), explore, text("ok")))

    seen = Seen(api, client.run("-p", "start", "--allowedTools", "Bash", api=api))

    assert not (here.state / "off").exists()
    assert "inside a Claude Code session" in seen.told_to_main
    assert seen.subagents == {"the task": HAIKU}
    row = decisions(here)[-1]
    assert (row["action"], row["set_tier"], row["ran"], row["proof"]) == (
        "assigned", "haiku", HAIKU, "held",
    )  # fmt: skip


def test_off_lets_everything_run_as_asked(client: Client, serve: Serve, here: Installed) -> None:
    """Nothing is assigned, lowered or denied, and all of it is still recorded and counted."""
    here.configure(budget(LIMIT))
    here.spend(SPENT["stop"])
    (here.state / "off").write_text(json.dumps({"until": None}))

    seen = spawning(client, serve, subagent_type="Explore")

    assert seen.subagents == {"the task": OPUS}
    assert decisions(here)[-1]["reason"] == "claude-tier is off"
    assert decisions(here)[-1]["ran"] == OPUS

"""Which model each subagent really runs on: the API's own record is the witness."""

from __future__ import annotations

import json
import sys

import pytest
from claude_tier.livecheck import Client, Script, Usage, spawn, text, tool_use
from claude_tier.livecheck.answers import Answer

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
    decisions,
    opened,
    spawning,
)

LEVELS = ("ok", "warn", "cap", "stop")


def by_level(*models: str | None) -> list[tuple[str, str | None]]:
    """What runs at each level."""
    return list(zip(LEVELS, models, strict=True))


def test_explore_runs_on_haiku_by_assignment(client: Client, serve: Serve, here: Installed) -> None:
    """Nobody named a model, and what it would inherit is dearer."""
    seen = spawning(client, serve, subagent_type="Explore")

    assert seen.subagents == {"the task": HAIKU}
    row = decisions(here)[-1]
    assert (row["action"], row["set_tier"], row["ran"], row["proof"]) == (
        "assigned", "haiku", HAIKU, "held",
    )  # fmt: skip


@pytest.mark.parametrize("source", ["parameter", "agent file"])
@pytest.mark.parametrize(("level", "ran"), by_level(OPUS, OPUS, SONNET, None))
def test_an_opus_agent_runs_as_the_budget_allows(
    source: str, level: str, ran: str | None, client: Client, serve: Serve, here: Installed
) -> None:
    """As asked below the cap, on the ceiling at the cap, not at all at the stop."""
    here.agent("builder", "opus" if source == "agent file" else None)
    here.configure(budget(LIMIT))
    here.spend(SPENT[level])
    asked = {"model": "opus"} if source == "parameter" else {}

    seen = spawning(client, serve, subagent_type="builder", **asked)

    assert seen.subagents == ({"the task": ran} if ran else {})
    assert decisions(here)[-1]["ran"] == ran
    if ran is None:
        assert "claude-tier: budget weekly is at 120 %" in seen.told_to_main
        assert "claude-tier off" not in seen.told_to_main


def test_at_the_stop_an_opus_agent_runs_on_the_lowest_tier_where_told(
    client: Client, serve: Serve, here: Installed
) -> None:
    """on_stop: lowest keeps the work going."""
    here.configure(budget(LIMIT, on_stop="lowest"))
    here.spend(SPENT["stop"])

    seen = spawning(client, serve, subagent_type="general-purpose", model="opus")

    assert seen.subagents == {"the task": HAIKU}


@pytest.mark.parametrize(("level", "ran"), by_level(HAIKU, HAIKU, HAIKU, None))
def test_a_haiku_agent_stays_on_haiku_until_the_stop(
    level: str, ran: str | None, client: Client, serve: Serve, here: Installed
) -> None:
    """A ceiling never raises; the stop is for every agent."""
    here.configure(budget(LIMIT))
    here.spend(SPENT[level])

    seen = spawning(client, serve, subagent_type="general-purpose", model="haiku")

    assert seen.subagents == ({"the task": ran} if ran else {})


@pytest.mark.parametrize(("level", "ran"), by_level(OPUS, OPUS, OPUS, None))
def test_a_floor_holds_below_the_stop(
    level: str, ran: str | None, client: Client, serve: Serve, here: Installed
) -> None:
    """The agent with a floor is not pushed under it, but a stop is a stop."""
    here.agent("builder", "fable")
    here.configure("floor: {builder: opus}\n" + budget(LIMIT, ceiling="haiku"))
    here.spend(SPENT[level])

    seen = spawning(client, serve, subagent_type="builder", model="opus")

    assert seen.subagents == ({"the task": ran} if ran else {})


def test_a_floor_lowers_what_is_above_it(client: Client, serve: Serve, here: Installed) -> None:
    """At the cap the dearer agent goes down to its floor, no further."""
    here.agent("builder", "fable")
    here.configure("floor: {builder: opus}\n" + budget(LIMIT, ceiling="haiku"))
    here.spend(SPENT["cap"])

    seen = spawning(client, serve, subagent_type="builder", model="fable")

    assert seen.subagents == {"the task": OPUS}


@pytest.mark.parametrize("level", LEVELS)
def test_an_exempt_agent_runs_as_asked_at_every_level(
    level: str, client: Client, serve: Serve, here: Installed
) -> None:
    """Neither pushed nor denied."""
    here.agent("guard", "fable")
    here.configure("exempt: [guard]\n" + budget(LIMIT))
    here.spend(SPENT[level])

    assert spawning(client, serve, subagent_type="guard").subagents == {"the task": FABLE}


def test_an_exempt_agent_is_not_assigned(client: Client, serve: Serve, here: Installed) -> None:
    """Exempt means left alone."""
    here.configure("exempt: [Explore]\n")

    assert spawning(client, serve, subagent_type="Explore").subagents == {"the task": OPUS}


def test_a_budget_of_one_agent_leaves_the_others_alone(
    client: Client, serve: Serve, here: Installed
) -> None:
    """Only that type's spending counts, and only that type is lowered."""
    here.agent("builder", "opus")
    here.agent("other", "opus")
    here.configure(budget(LIMIT, scope="{agent: builder}"))
    here.spend(SPENT["cap"], agent="builder")
    here.spend(SPENT["stop"], agent="other")
    calls = [spawn("one", subagent_type="builder"), spawn("two", subagent_type="other")]
    api = serve(Script().on("start", calls, text("ok")))

    seen = Seen(api, client.run("-p", "start", api=api))

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


def test_reservations_end_with_their_subagents(
    client: Client, serve: Serve, here: Installed
) -> None:
    """What was held is free once it is known what was spent."""
    here.configure(budget(LIMIT))
    script = Script().on("start", [spawn("one"), spawn("two")])
    api = serve(script)

    client.run("-p", "start", api=api)

    assert opened(here).execute("SELECT count(*) FROM reservation").fetchone()[0] == 0


def test_claude_cannot_turn_the_guard_off(client: Client, serve: Serve, here: Installed) -> None:
    """The way out is the user's: inside a session the command refuses."""
    command = f"PYTHONPATH={IMPORTS} {sys.executable} -m claude_tier off"
    api = serve(Script().on("start", tool_use("Bash", command=command), text("ok")))

    seen = Seen(api, client.run("-p", "start", "--allowedTools", "Bash", api=api))

    assert not (here.state / "off").exists()
    assert "inside a Claude Code session" in seen.told_to_main


def test_off_lets_everything_run_as_asked(client: Client, serve: Serve, here: Installed) -> None:
    """Nothing is assigned, lowered or denied, and all of it is still recorded and counted."""
    here.configure(budget(LIMIT))
    here.spend(SPENT["stop"])
    (here.state / "off").write_text(json.dumps({"until": None}))

    seen = spawning(client, serve, subagent_type="Explore")

    assert seen.subagents == {"the task": OPUS}
    assert decisions(here)[-1]["reason"] == "claude-tier is off"
    assert decisions(here)[-1]["ran"] == OPUS


def test_a_nested_spawn_is_assigned_and_lowered_like_any_other(
    client: Client, serve: Serve, here: Installed
) -> None:
    """Its hook runs inside the subagent, and the ceiling holds there too."""
    here.agent("builder", "opus")
    here.configure(budget(LIMIT))
    here.spend(SPENT["cap"])
    script = (
        Script()
        .on("start", spawn("outer task", subagent_type="builder"))
        .on("outer task", spawn("inner task", subagent_type="builder", model="fable"))
    )
    api = serve(script)

    seen = Seen(api, client.run("-p", "start", api=api, env=FOREGROUND))

    assert seen.subagents == {"outer task": SONNET, "inner task": SONNET}

"""What stands at a gate beside the model: permission, fan-out, workflows, messages, switches."""

from __future__ import annotations

import shutil

import pytest
from claude_tier.livecheck import (
    Answer,
    Client,
    Run,
    Script,
    Terminal,
    Usage,
    spawn,
    text,
    tool_use,
)
from claude_tier.livecheck.terminal import poll

from .conftest import Serve
from .installation import Installed, budget
from .witness import (
    FOREGROUND,
    HAIKU,
    LIMIT,
    OPUS,
    SONNET,
    SPENT,
    Seen,
    decisions,
    spawning,
)

WORKFLOW = """export const meta = { name: 'survey', description: 'asks one agent' };
return await agent('look at it');
"""


def test_a_rewritten_spawn_is_still_subject_to_permission(
    client: Client, serve: Serve, here: Installed
) -> None:
    """The rewrite approves nothing: what a rule denies for an agent stays denied for it."""
    rules = ("--permission-mode", "manual", "--disallowedTools", "Agent(Explore)")

    seen = spawning(client, serve, *rules, subagent_type="Explore")

    assert seen.subagents == {}


def test_a_rewritten_spawn_is_asked_about_like_any_other(
    client: Client, serve: Serve, here: Installed
) -> None:
    """With a rule that asks and nobody there to answer, the rewritten spawn does not run."""
    settings = '{"permissions": {"ask": ["Agent"]}}'
    rules = ("--permission-mode", "manual", "--settings", settings)

    seen = spawning(client, serve, *rules, subagent_type="Explore")

    assert decisions(here)[-1]["action"] == "assigned"
    assert seen.subagents == {}
    assert seen.run.result["permission_denials"]


def test_a_rule_about_models_sees_the_rewritten_one(
    client: Client, serve: Serve, here: Installed
) -> None:
    """Rules are applied to what would run now, not to what was asked."""
    rules = ("--permission-mode", "manual", "--disallowedTools", "Agent(model:haiku)")

    seen = spawning(client, serve, *rules, subagent_type="Explore")

    assert seen.subagents == {}


def test_without_an_allow_rule_a_rewrite_changes_nothing_about_permission(
    client: Client, serve: Serve, here: Installed
) -> None:
    """In manual mode the subagent's own tools are denied as they are without us."""
    script = (
        Script()
        .on("start", spawn("the task", subagent_type="general-purpose"), text("ok"))
        .on("the task", tool_use("Bash", command="touch made-by-agent"), text("done"))
    )
    api = serve(script)

    seen = Seen(api, client.run("-p", "start", "--permission-mode", "manual", api=api))

    assert seen.subagents == {"the task": SONNET}
    assert not (client.cwd / "made-by-agent").exists()


def test_the_fan_out_gate_denies_the_one_too_many(
    client: Client, serve: Serve, here: Installed
) -> None:
    """Counted and checked in one transaction, so that a volley cannot pass together."""
    here.configure("fan_out: {max_new_agents: 3, per: 10m, action: deny}\n")
    tasks = [f"task {number}" for number in range(6)]
    api = serve(Script().on("start", [spawn(task, subagent_type="Explore") for task in tasks]))

    seen = Seen(api, client.run("-p", "start", api=api))

    assert len(seen.subagents) == 3
    assert sorted(str(row["action"]) for row in decisions(here)) == [
        *["assigned"] * 3,
        *["denied"] * 3,
    ]


def test_the_fan_out_gate_lowers_where_told(client: Client, serve: Serve, here: Installed) -> None:
    """Past the allowed number new subagents run on the lowest tier."""
    here.configure("fan_out: {max_new_agents: 2, per: 10m, action: lower}\n")
    tasks = [f"task {number}" for number in range(5)]
    calls = [spawn(task, subagent_type="general-purpose", model="opus") for task in tasks]
    api = serve(Script().on("start", calls))

    seen = Seen(api, client.run("-p", "start", api=api))

    assert sorted(seen.subagents.values()) == [*[HAIKU] * 3, *[OPUS] * 2]


@pytest.mark.parametrize("level", ["cap", "stop"])
def test_a_workflow_is_denied_at_the_stop(
    level: str, client: Client, serve: Serve, here: Installed
) -> None:
    """Its agents pass no gate of their own."""
    here.configure(budget(LIMIT))
    here.spend(SPENT[level])
    script = Script().on("start", tool_use("Workflow", script=WORKFLOW), text("ok"))
    api = serve(script)

    seen = Seen(api, client.run("-p", "start", "--allowedTools", "Workflow", api=api))

    assert decisions(here)[-1]["tool"] == "Workflow"
    assert bool(seen.subagents) == (level != "stop")


@pytest.mark.parametrize("level", ["cap", "stop"])
def test_a_stopped_agent_is_not_woken_at_the_stop(
    level: str, client: Client, serve: Serve, here: Installed
) -> None:
    """A message to it would make it run again, on the model it had."""
    here.configure(budget(LIMIT))
    wake = tool_use("SendMessage", to="AGENT", summary="go on", message="and again")
    script = (
        Script()
        .on("start", spawn("the task", subagent_type="general-purpose"), text("waiting"))
        .on("again", tool_use("ToolSearch", query="select:SendMessage"), wake, text("ok"))
    )
    api = serve(script)
    first = Seen(api, client.run("-p", "start", api=api, env=FOREGROUND))
    agent = next(one.request.agent_id for one in api.requests if one.request.agent_id)
    wake["input"] = {"to": agent, "summary": "go on", "message": "and more"}
    here.spend(SPENT[level])

    arguments = ("--resume", first.run.session_id, "--allowedTools", "SendMessage,ToolSearch")
    client.run("-p", "again", *arguments, api=api)

    woken = [one for one in api.requests if one.request.agent_id == agent][1:]
    assert bool(woken) == (level != "stop")
    assert decisions(here)[-1]["tool"] == "SendMessage"


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is missing")
def test_the_user_is_asked_at_the_stop_where_told(
    client: Client, serve: Serve, here: Installed
) -> None:
    """A yes lets the subagent run, on the budget's ceiling."""
    here.configure(budget(LIMIT, on_stop="ask"))
    here.spend(SPENT["stop"])
    script = Script().on("look", spawn("the task", subagent_type="Plan", model="opus"), text("ok"))
    api = serve(script)

    with client.terminal("--permission-mode", "acceptEdits", api=api) as terminal:
        terminal.send("look")
        screen = terminal.wait_for("Esc to cancel")
        assert not Seen(api, Run(0, "", "")).subagents
        # The client takes no key in the first moment, so that nobody allows by typing ahead.
        assert poll(lambda: _entered(terminal, "Esc to cancel"), 30)
        api.wait_for(lambda one: one.request.asker == "subagent")

    assert "budget weekly is at 120 %. If you allow it, it runs on sonnet." in screen
    assert Seen(api, Run(0, "", "")).subagents == {"the task": SONNET}


def _entered(terminal: Terminal, words: str) -> bool:
    """Press Enter; whether the dialog with those words has gone."""
    terminal.key("Enter")
    return words not in terminal.screen


@pytest.mark.parametrize("way", ["deny", "ask", "off"])
@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is missing")
def test_switching_up_above_the_ceiling_follows_the_policy(
    way: str, client: Client, serve: Serve, here: Installed
) -> None:
    """At the cap `/model fable` is refused, asked about, or left to the client's own dialog."""
    here.configure(f"model_switch: {way}\n" + budget(LIMIT))
    here.spend(SPENT["cap"])
    api = serve(Script().on("hello", text("Hello to you.")))
    expected = {
        "deny": "was blocked by a PreModelSwitch hook: claude-tier: budget weekly",
        "ask": "A PreModelSwitch hook asked you to confirm",
        "off": "This conversation is cached for the current model",
    }[way]

    with client.terminal(api=api) as terminal:
        terminal.send("hello")
        terminal.wait_for("Hello to you.")
        terminal.send("/model fable")
        screen = terminal.wait_for(expected)

    assert ("claude-fable-5-2 is above that" in screen) == (way != "off")


def test_switching_down_is_never_asked_about(client: Client, serve: Serve, here: Installed) -> None:
    """The conversation may always go lower, and what it then hands down is not raised."""
    here.configure("model_switch: deny\nassign: {Explore: sonnet}\n" + budget(LIMIT))
    here.spend(SPENT["cap"])
    script = Script().on("hello", text("Hello to you."))
    api = serve(script.on("look", spawn("the task", subagent_type="Explore"), text("Waiting.")))

    with client.terminal("--permission-mode", "acceptEdits", api=api) as terminal:
        terminal.send("hello")
        terminal.wait_for("Hello to you.")
        terminal.send("/model haiku")
        terminal.wait_for("Switch model?")
        assert poll(lambda: _entered(terminal, "Switch model?"), 30)
        terminal.wait_for("Set model to")
        terminal.send("look")
        api.wait_for(lambda one: one.request.asker == "subagent")

    assert decisions(here)[-1]["would"] == HAIKU
    assert Seen(api, Run(0, "", "")).subagents == {"the task": HAIKU}


@pytest.mark.parametrize("interactive", [False, True], ids=["print", "interactive"])
def test_the_response_that_asks_counts_before_its_call_is_decided(
    interactive: bool, client: Client, serve: Serve, here: Installed
) -> None:
    """The client writes it a little after the hook has started; the hook waits for it."""
    here.configure(budget(LIMIT))
    here.spend(SPENT["ok"])
    dear = Usage(output_tokens=5_000_000)  # 100 dollars
    call = spawn("the task", model="opus")
    api = serve(Script().on("start", Answer((call,), usage=dear), text("It is done.")))

    if interactive:
        # In auto mode, the default here, a check of the client's own decides first.
        with client.terminal("--permission-mode", "acceptEdits", api=api) as terminal:
            terminal.send("start")
            terminal.wait_for("It is done.")
    else:
        client.run("-p", "start", api=api)

    assert not [one for one in api.requests if one.request.asker == "subagent"]
    [row] = decisions(here)
    assert (row["action"], row["level"]) == ("denied", "stop")

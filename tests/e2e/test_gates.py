"""What stands at a gate beside the model: permission, fan-out, workflows, messages, switches."""

from __future__ import annotations

import shutil

import pytest
from claude_tier.livecheck import (
    Answer,
    Client,
    Failure,
    Request,
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
    DOLLAR,
    FOREGROUND,
    HAIKU,
    LIMIT,
    OPUS,
    SONNET,
    SPENT,
    Seen,
    by_agent,
    calling,
    costing,
    decisions,
    spawning,
)

WORKFLOW = """export const meta = { name: 'survey', description: 'asks one agent' };
return await agent('look at it');
"""


def test_a_rewritten_spawn_is_subject_to_the_rules_for_what_would_run(
    client: Client, serve: Serve, here: Installed
) -> None:
    """The rewrite approves nothing: neither a denied agent, nor a denied model, nor a tool.

    In manual mode a subagent's own tools are denied as they are without us.
    """
    here.agent("builder")
    here.configure("assign: {Explore: sonnet, builder: haiku, general-purpose: sonnet}\n")
    types = ("Explore", "builder", "general-purpose")
    rules = ("--disallowedTools", "Agent(Explore),Agent(model:haiku)")
    script = Script().on("start", [spawn(name, subagent_type=name) for name in types], text("ok"))
    script.on("general-purpose", tool_use("Bash", command="touch made-by-agent"), text("done"))
    api = serve(script)

    seen = Seen(api, client.run("-p", "start", "--permission-mode", "manual", *rules, api=api))

    assert seen.subagents == {"general-purpose": SONNET}
    assert by_agent(here, "action")["builder"] == "assigned"
    assert not (client.cwd / "made-by-agent").exists()


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


def test_the_fan_out_gate_denies_the_one_too_many(
    client: Client, serve: Serve, here: Installed
) -> None:
    """Counted and checked in one transaction, so that a volley cannot pass together."""
    here.configure("fan_out: {max_new_agents: 2, per: 10m, action: deny}\n")
    tasks = [f"task {number}" for number in range(4)]

    seen = calling(client, serve, [spawn(task, subagent_type="Explore") for task in tasks])

    assert len(seen.subagents) == 2
    assert sorted(str(row["action"]) for row in decisions(here)) == [
        *["assigned"] * 2,
        *["denied"] * 2,
    ]


def test_the_fan_out_gate_lowers_where_told(client: Client, serve: Serve, here: Installed) -> None:
    """Past the allowed number new subagents run on the lowest tier."""
    here.configure("fan_out: {max_new_agents: 1, per: 10m, action: lower}\n")
    tasks = [f"task {number}" for number in range(3)]
    calls = [spawn(task, subagent_type="general-purpose", model="opus") for task in tasks]

    seen = calling(client, serve, calls)

    assert sorted(seen.subagents.values()) == [HAIKU, HAIKU, OPUS]


def test_workflows_and_messages_to_stopped_agents_pass_until_the_stop(
    client: Client, serve: Serve, here: Installed
) -> None:
    """A workflow's agents pass no gate of their own; a message would make an agent run again."""
    here.configure(budget(LIMIT))
    here.wait_longer()
    here.spend(SPENT["cap"])
    message = {"to": "AGENT", "summary": "go on", "message": "and more"}
    wake, workflow = tool_use("SendMessage", **message), tool_use("Workflow", script=WORKFLOW)
    search = tool_use("ToolSearch", query="select:SendMessage")
    first = [spawn("the task", subagent_type="general-purpose"), search]
    both = [wake, workflow]
    script = Script().on("start", first, both, costing(25), both, text("ok"))

    def answer(request: Request) -> Answer | Failure:
        if request.agent_id and request.prompt == "the task":
            wake["input"] = {**message, "to": request.agent_id}
        return script(request)

    api = serve(answer)
    allowed = ("--allowedTools", "Workflow,SendMessage,ToolSearch,Bash")

    client.run("-p", "start", *allowed, api=api, env=FOREGROUND)

    asked = [one.request.prompt for one in api.requests if one.request.asker == "subagent"]
    for words in ("the task", "and more", "look at it"):
        assert sum(words in prompt for prompt in asked) == 1, (words, asked)
    found = {(row["tool"], row["level"]): row["action"] for row in decisions(here)}
    assert found == {
        ("Agent", "cap"): "assigned",
        ("SendMessage", "cap"): "kept",
        ("Workflow", "cap"): "kept",
        ("SendMessage", "stop"): "denied",
        ("Workflow", "stop"): "denied",
    }


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is missing")
def test_the_user_is_asked_at_the_stop_where_told(
    client: Client, serve: Serve, here: Installed
) -> None:
    """A yes lets the subagent run, on the budget's ceiling.

    The response that asks counts before its call is decided: the client writes it a little after
    the hook has started, and the hook waits for it.
    """
    here.configure(budget(LIMIT, on_stop="ask"))
    here.wait_longer()
    here.spend(SPENT["ok"])
    call = spawn("the task", subagent_type="Plan", model="opus")
    dear = Answer((call,), usage=Usage(output_tokens=110 * DOLLAR))
    api = serve(Script().on("look", dear, text("ok")))

    # In auto mode, the default here, a check of the client's own decides first.
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


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is missing")
def test_switching_up_above_the_ceiling_follows_the_policy_and_down_is_never_asked_about(
    client: Client, serve: Serve, here: Installed
) -> None:
    """At the cap `/model fable` is refused, asked about, or left to the client's own dialog.

    The conversation may always go lower, and what it then hands down is not raised.
    """
    here.spend(SPENT["cap"])
    script = Script().on("hello", text("Hello to you."))
    api = serve(script.on("look", spawn("the task", subagent_type="Explore"), text("Waiting.")))

    with client.terminal("--permission-mode", "acceptEdits", api=api) as terminal:
        terminal.send("hello")
        terminal.wait_for("Hello to you.")
        switching(here, "deny")
        terminal.send("/model fable")
        denied = terminal.wait_for("was blocked by a PreModelSwitch hook: claude-tier: budget week")
        switching(here, "ask")
        terminal.send("/model claude-fable-5-2")
        asked = terminal.wait_for("A PreModelSwitch hook asked you to confirm")
        assert poll(lambda: _entered(terminal, "Switch model?"), 30)
        terminal.wait_for("Set model to Fable")
        switching(here, "deny")
        terminal.send("/model haiku")
        terminal.wait_for("Switch model?")
        assert poll(lambda: _entered(terminal, "Switch model?"), 30)
        terminal.wait_for("Set model to Haiku")
        terminal.send("look")
        api.wait_for(lambda one: one.request.asker == "subagent")
        terminal.wait_for("Waiting.")
        switching(here, "off")
        terminal.send("/model opus")
        left = terminal.wait_for("This conversation is cached for the current model")

    assert denied.count("claude-fable-5-2 is above that") == 1
    assert asked.count("claude-fable-5-2 is above that") == 2
    assert "claude-opus-5-5 is above that" not in left
    assert decisions(here)[-1]["would"] == HAIKU
    assert Seen(api, Run(0, "", "")).subagents == {"the task": HAIKU}


def switching(here: Installed, way: str) -> None:
    here.configure(f"model_switch: {way}\nassign: {{Explore: sonnet}}\n" + budget(LIMIT))

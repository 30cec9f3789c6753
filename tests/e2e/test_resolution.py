"""What would have run, in the client's own words: nothing is ever raised, nothing fought."""

from __future__ import annotations

import json

from claude_tier.livecheck import (
    Answer,
    Client,
    Failure,
    Request,
    Script,
    spawn,
    text,
    tool_use,
)
from claude_tier.livecheck.terminal import poll

from .conftest import Serve
from .installation import Installed, budget
from .witness import (
    FABLE,
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


def test_under_haiku_nothing_is_raised(client: Client, serve: Serve, here: Installed) -> None:
    """Neither by an assignment nor by a ceiling; an agent file that names no model inherits."""
    nothing = {"empty": "null", "tilde": "~", "list": "[opus]"}
    for name, model in nothing.items():
        here.agent(name, model)
    here.configure("assign: {Explore: sonnet}\n" + budget(LIMIT))
    here.spend(SPENT["cap"])
    types = ("Explore", *nothing)
    calls = [spawn(name, subagent_type=name) for name in types]

    seen = calling(client, serve, calls, "--model", "claude-haiku-4-5")

    assert seen.subagents == dict.fromkeys(types, "claude-haiku-4-5")
    assert by_agent(here, "action") == dict.fromkeys(types, "kept")
    assert by_agent(here, "would") == dict.fromkeys(types, "claude-haiku-4-5")


def test_the_model_a_session_was_switched_to_is_what_is_inherited(
    client: Client, serve: Serve, here: Installed
) -> None:
    """By a full id, with a window's suffix, by an alias; Explore inherits Opus at most."""
    here.agent("builder")
    here.configure("assign: {builder: haiku, Explore: opus}\n")
    calls = [spawn("build", subagent_type="builder"), spawn("look", subagent_type="Explore")]
    script = Script().on("first", calls[0], text("ok")).on("second", calls[0], text("ok"))
    api = serve(script.on("third", calls, text("ok")))

    first = client.run("-p", "first", "--model", "claude-sonnet-4-6", api=api)
    arguments = ("--resume", first.session_id, "--model")
    client.run("-p", "second", *arguments, "opus[1m]", api=api)
    seen = Seen(api, client.run("-p", "third", *arguments, "fable", api=api))

    assert seen.subagents == {"build": HAIKU, "look": OPUS}
    keys = ("agent_type", "would", "action", "ran")
    assert {tuple(row[key] for key in keys) for row in decisions(here)} == {
        ("builder", "claude-sonnet-4-6", "assigned", HAIKU),
        ("builder", OPUS, "assigned", HAIKU),
        ("builder", FABLE, "assigned", HAIKU),
        ("Explore", FABLE, "kept", OPUS),
    }


def test_at_the_cap_all_are_lowered_that_can_be(
    client: Client, serve: Serve, here: Installed
) -> None:
    """A full id by its family, an unknown family as the dearest, a nested spawn like any other.

    However the client lets a name be spelled; a fork's model is ignored, so that it is left alone.
    """
    here.agent("full", "claude-opus-4-8")
    here.agent("unknown", "somebody-else-9")
    here.configure(budget(LIMIT, ceiling="haiku"))
    here.spend(SPENT["cap"])
    types = ("full", "unknown", "explore", " Explore ", "GeneralPurpose", "general purpose")
    calls = [spawn(f"as {name!r}", subagent_type=name) for name in types]
    outer = spawn("outer", subagent_type="full")
    script = Script().on("start", calls, outer, spawn("a copy", subagent_type="fork"), text("ok"))
    script.on("outer", spawn("inner", subagent_type="full", model="fable"))
    env = {**FOREGROUND, "CLAUDE_CODE_FORK_SUBAGENT": "1"}
    api = serve(script)

    seen = Seen(api, client.run("-p", "start", api=api, env=env))

    ran = seen.subagents
    [fork] = [prompt for prompt in ran if "a copy" in prompt]
    assert ran.pop(fork) == OPUS
    assert ran == dict.fromkeys([*(f"as {name!r}" for name in types), "outer", "inner"], HAIKU)
    assert by_agent(here, "action") == {
        **dict.fromkeys(("full", "unknown", "general-purpose"), "lowered"),
        "Explore": "assigned",
        "fork": "left",
    }


def test_an_unknown_agent_type_runs_on_the_lowest_tier_where_a_budget_says_so(
    client: Client, serve: Serve, here: Installed
) -> None:
    """on_stop: lowest keeps the work going; nothing is below Haiku, so nothing can be raised."""
    agents = {"helper": {"description": "helps", "prompt": "Help.", "model": "opus"}}
    here.configure(budget(LIMIT, on_stop="lowest"))
    here.spend(SPENT["stop"])
    known = spawn("known", subagent_type="general-purpose", model="opus")
    calls = [known, spawn("unknown", subagent_type="helper")]

    seen = calling(client, serve, calls, "--agents", json.dumps(agents))

    assert seen.subagents == {"known": HAIKU, "unknown": HAIKU}


def test_an_assignment_applies_where_nothing_is_asked_and_nothing_raised(
    client: Client, serve: Serve, here: Installed
) -> None:
    """`inherit` asks for nothing; below a Haiku agent, exempt, and by command line it is left."""
    agents = {"helper": {"description": "helps", "prompt": "Help.", "model": "haiku"}}
    here.agent("builder", "inherit")
    assigned = "{helper: sonnet, builder: sonnet, general-purpose: sonnet}"
    here.configure(f"assign: {assigned}\nexempt: [Explore]\n")
    calls = [
        spawn("inherits", subagent_type="builder"),
        spawn("unknown", subagent_type="helper"),
        spawn("exempt", subagent_type="Explore"),
    ]
    outer = spawn("outer", subagent_type="general-purpose", model="haiku")
    script = Script().on("start", calls, outer)
    api = serve(script.on("outer", spawn("inner", subagent_type="general-purpose")))
    arguments = ("--agents", json.dumps(agents))

    seen = Seen(api, client.run("-p", "start", *arguments, api=api, env=FOREGROUND))

    assert seen.subagents == {
        "inherits": SONNET, "unknown": HAIKU, "exempt": OPUS, "outer": HAIKU, "inner": HAIKU,
    }  # fmt: skip
    assert by_agent(here, "action")["helper"] == "left"
    assert by_agent(here, "would")["general-purpose"] == HAIKU


def test_the_environments_default_holds_where_nothing_is_said_and_up_to_the_ceiling(
    client: Client, serve: Serve, here: Installed
) -> None:
    """`inherit` beats CLAUDE_CODE_SUBAGENT_MODEL; a default is no protection from the budget."""
    here.agent("builder", "inherit")
    here.agent("other")
    here.agent("guard")
    here.configure("exempt: [guard]\n" + budget(LIMIT, ceiling="opus"))
    here.spend(SPENT["cap"])
    env = {"CLAUDE_CODE_SUBAGENT_MODEL": "fable"}
    types = ("builder", "other", "guard")

    seen = calling(client, serve, [spawn(name, subagent_type=name) for name in types], env=env)

    assert seen.subagents == {"builder": OPUS, "other": OPUS, "guard": FABLE}
    assert by_agent(here, "would") == {"builder": OPUS, "other": "fable", "guard": "fable"}
    assert by_agent(here, "action") == {"builder": "kept", "other": "lowered", "guard": "kept"}


def test_a_forced_session_is_left_alone_and_said_until_the_stop(
    client: Client, serve: Serve, here: Installed
) -> None:
    """With FORCE the client takes no model for a subagent: what cannot be lowered can be stopped.

    Nothing is set at the cap, and the proof says so.
    """
    here.configure(budget(LIMIT))
    here.wait_longer()
    here.spend(SPENT["cap"])
    env = {"CLAUDE_CODE_SUBAGENT_MODEL": "opus", "CLAUDE_CODE_SUBAGENT_MODEL_FORCE": "1"}
    calls = [spawn(f"at the {level}", subagent_type="Explore") for level in ("cap", "stop")]
    api = serve(Script().on("start", calls[0], costing(25), calls[1], text("ok")))
    allowed = ("--allowedTools", "Bash")

    seen = Seen(api, client.run("-p", "start", *allowed, api=api, env={**env, **FOREGROUND}))

    assert seen.subagents == {"at the cap": OPUS}
    left, denied = decisions(here)
    assert (left["action"], left["ran"]) == ("left", OPUS)
    assert "CLAUDE_CODE_SUBAGENT_MODEL_FORCE" in str(left["reason"])
    assert (denied["action"], denied["level"]) == ("denied", "stop")


def available(here: Installed, *models: str) -> None:
    """Let the user's settings name those models alone."""
    settings = here.config_dir / "settings.json"
    content = json.loads(settings.read_text())
    settings.write_text(json.dumps({**content, "availableModels": models}))


def test_an_alias_that_would_go_elsewhere_is_not_used(
    client: Client, serve: Serve, here: Installed
) -> None:
    """availableModels without Haiku sends `haiku` to a dearer model: left and reported."""
    available(here, "opus", "sonnet")

    seen = spawning(client, serve, subagent_type="Explore")

    row = decisions(here)[-1]
    assert (row["action"], row["ran"]) == ("left", seen.subagents["the task"])
    assert "haiku" in str(row["reason"])


def test_a_clones_available_models_do_not_stop_lowering(
    client: Client, serve: Serve, here: Installed
) -> None:
    """The client adds the project's list to the user's."""
    available(here, "opus", "sonnet", "haiku")
    (client.cwd / ".claude").mkdir(exist_ok=True)
    here.configure(budget(LIMIT))
    here.spend(SPENT["cap"])
    found = {}

    for cloned in ((), ("opus",)):
        project = client.cwd / ".claude/settings.json"
        project.write_text(json.dumps({"availableModels": cloned}))
        seen = spawning(client, serve, subagent_type="general-purpose", model="opus")
        found[cloned] = seen.subagents

    assert found == {(): {"the task": SONNET}, ("opus",): {"the task": SONNET}}


def test_an_alias_of_an_unknown_claude_is_not_used(
    client: Client, serve: Serve, here: Installed
) -> None:
    """It is dearer than what was asked: the next tier below runs instead."""
    here.configure(budget(LIMIT))
    here.spend(SPENT["cap"])
    env = {"ANTHROPIC_DEFAULT_SONNET_MODEL": "claude-mythos-5-2"}

    seen = spawning(client, serve, env=env, subagent_type="general-purpose", model="opus")

    assert seen.subagents == {"the task": HAIKU}


def test_an_assigned_effort_only_lowers(client: Client, serve: Serve, here: Installed) -> None:
    """Like the tier it comes with."""
    here.agent("eager")
    here.agent("idle")
    tiers = "eager: {tier: sonnet, effort: high}, idle: {tier: sonnet, effort: low}"
    here.configure(f"assign: {{{tiers}}}\n")
    calls = [spawn(name, subagent_type=name) for name in ("eager", "idle")]

    seen = calling(client, serve, calls, "--effort", "medium")

    asked = [one.request for one in seen.api.requests if one.request.asker == "subagent"]
    assert {one.prompt: (one.model, one.effort) for one in asked} == {
        "eager": (SONNET, "medium"),
        "idle": (SONNET, "low"),
    }


def test_a_skills_model_is_what_its_subagents_inherit(
    client: Client, serve: Serve, here: Installed
) -> None:
    """Under a Haiku skill an assignment to Sonnet would raise, whatever the answers run on."""
    here.configure("assign: {general-purpose: sonnet}\n")
    folder = here.config_dir / "skills/cheap"
    folder.mkdir(parents=True)
    (folder / "SKILL.md").write_text(
        "---\nname: cheap\ndescription: cheap things\nmodel: haiku\n---\nDo it cheaply.\n"
    )
    steps = (tool_use("Skill", skill="cheap"), spawn("the task"), spawn("another"), text("ok"))
    script = Script().on("start", *steps)

    def answer(request: Request) -> Answer | Failure:
        # A model takes seconds to answer; by then the client has written what it was told.
        if request.step == 1 and request.asker == "main":
            assert poll(lambda: _transcripts_hold(client, '"modelId":"claude-haiku-5-5"'), 30)
        return script(request)

    api = serve(answer)

    seen = Seen(api, client.run("-p", "start", "--allowedTools", "Skill", api=api))

    assert seen.subagents == {"the task": HAIKU, "another": HAIKU}
    assert [row["would"] for row in decisions(here)] == [HAIKU, HAIKU]


def _transcripts_hold(client: Client, words: str) -> bool:
    files = (client.home / ".claude/projects").glob("*/*.jsonl")
    return any(words in file.read_text() for file in files)

"""What would have run, in the client's own words: nothing is ever raised, nothing fought."""

from __future__ import annotations

import json

import pytest
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
    decisions,
    spawning,
)


def test_a_main_session_on_haiku_is_not_raised_by_an_assignment(
    client: Client, serve: Serve, here: Installed
) -> None:
    """What Explore inherits is cheaper than what it is assigned."""
    here.configure("assign: {Explore: sonnet}\n")

    seen = spawning(client, serve, "--model", "haiku", subagent_type="Explore")

    assert seen.subagents == {"the task": HAIKU}
    assert (decisions(here)[-1]["action"], decisions(here)[-1]["would"]) == ("kept", HAIKU)


@pytest.mark.parametrize(
    ("main", "would"),
    [
        ("claude-opus-4-8", "claude-opus-4-8"),
        ("claude-sonnet-4-6", "claude-sonnet-4-6"),
        ("opus[1m]", "claude-opus-5-5[1m]"),
        ("sonnet[1m]", "claude-sonnet-5-5[1m]"),
        ("claude-haiku-4-5", "claude-haiku-4-5"),
    ],
)
def test_full_ids_and_window_suffixes_are_understood(
    main: str, would: str, client: Client, serve: Serve, here: Installed
) -> None:
    """The family counts: Explore goes to Haiku from every dearer one, and stays on Haiku."""
    seen = spawning(client, serve, "--model", main, subagent_type="Explore")

    family = seen.subagents["the task"]
    assert "haiku" in family
    row = decisions(here)[-1]
    assert row["would"] in (would, would.partition("[")[0])
    assert row["action"] == ("kept" if "haiku" in main else "assigned")
    assert row["ran"] == family


def test_an_agent_file_with_a_full_id_is_lowered_by_its_family(
    client: Client, serve: Serve, here: Installed
) -> None:
    """claude-opus-4-8 is an Opus."""
    here.agent("builder", "claude-opus-4-8")
    here.configure(budget(LIMIT))
    here.spend(SPENT["cap"])

    assert spawning(client, serve, subagent_type="builder").subagents == {"the task": SONNET}


def test_an_unknown_family_counts_as_dearest(client: Client, serve: Serve, here: Installed) -> None:
    """A model nobody knows the rung of is lowered to the ceiling like the dearest."""
    here.agent("builder", "somebody-else-9")
    here.configure(budget(LIMIT))
    here.spend(SPENT["cap"])

    assert spawning(client, serve, subagent_type="builder").subagents == {"the task": SONNET}


@pytest.mark.parametrize("nothing", ["null", "~", "[opus]"])
def test_an_agent_file_that_names_no_model_inherits(
    nothing: str, client: Client, serve: Serve, here: Installed
) -> None:
    """Under Haiku it runs on Haiku, which no ceiling raises."""
    here.agent("builder", nothing)
    here.configure(budget(LIMIT))
    here.spend(SPENT["cap"])

    seen = spawning(client, serve, "--model", "haiku", subagent_type="builder")

    assert seen.subagents == {"the task": HAIKU}
    assert decisions(here)[-1]["action"] == "kept"


def test_an_unknown_agent_type_is_left_alone(client: Client, serve: Serve, here: Installed) -> None:
    """Its definition came by command line: setting a model might raise it."""
    agents = {"helper": {"description": "helps", "prompt": "Help.", "model": "haiku"}}
    here.configure("assign: {helper: sonnet}\n")

    seen = spawning(client, serve, "--agents", json.dumps(agents), subagent_type="helper")

    assert seen.subagents == {"the task": HAIKU}
    assert decisions(here)[-1]["action"] == "left"


def test_an_unknown_agent_type_runs_on_the_lowest_tier_where_a_budget_says_so(
    client: Client, serve: Serve, here: Installed
) -> None:
    """Nothing is below Haiku, so that it cannot be raised."""
    agents = {"helper": {"description": "helps", "prompt": "Help.", "model": "opus"}}
    here.configure(budget(LIMIT, on_stop="lowest"))
    here.spend(SPENT["stop"])

    seen = spawning(client, serve, "--agents", json.dumps(agents), subagent_type="helper")

    assert seen.subagents == {"the task": HAIKU}


def test_inherit_is_the_parents_model_and_is_assigned(
    client: Client, serve: Serve, here: Installed
) -> None:
    """An agent file that says inherit has asked for no model of its own."""
    here.agent("builder", "inherit")
    here.configure("assign: {builder: sonnet}\n")

    assert spawning(client, serve, subagent_type="builder").subagents == {"the task": SONNET}


def test_inherit_beats_the_environments_default(
    client: Client, serve: Serve, here: Installed
) -> None:
    """CLAUDE_CODE_SUBAGENT_MODEL holds only where nothing is said."""
    here.agent("builder", "inherit")
    here.agent("other")
    env = {"CLAUDE_CODE_SUBAGENT_MODEL": "sonnet"}
    calls = [spawn("one", subagent_type="builder"), spawn("two", subagent_type="other")]
    api = serve(Script().on("start", calls, text("ok")))

    seen = Seen(api, client.run("-p", "start", api=api, env=env))

    assert seen.subagents == {"one": OPUS, "two": SONNET}
    assert {row["agent_type"]: row["would"] for row in decisions(here)} == {
        "builder": OPUS,
        "other": "sonnet",
    }


def test_the_environments_default_is_lowered_at_the_cap(
    client: Client, serve: Serve, here: Installed
) -> None:
    """A default is no protection from the budget."""
    here.agent("builder")
    here.configure(budget(LIMIT))
    here.spend(SPENT["cap"])
    env = {"CLAUDE_CODE_SUBAGENT_MODEL": "fable"}

    seen = spawning(client, serve, env=env, subagent_type="builder")

    assert seen.subagents == {"the task": SONNET}


def test_a_forced_session_is_left_alone_and_said(
    client: Client, serve: Serve, here: Installed
) -> None:
    """With FORCE the client takes no model for a subagent: nothing is set, the proof says so."""
    here.configure(budget(LIMIT))
    here.spend(SPENT["cap"])
    env = {"CLAUDE_CODE_SUBAGENT_MODEL": "opus", "CLAUDE_CODE_SUBAGENT_MODEL_FORCE": "1"}

    seen = spawning(client, serve, env=env, subagent_type="Explore")

    assert seen.subagents == {"the task": OPUS}
    row = decisions(here)[-1]
    assert (row["action"], row["ran"]) == ("left", OPUS)
    assert "CLAUDE_CODE_SUBAGENT_MODEL_FORCE" in str(row["reason"])


def test_a_forced_session_is_denied_at_the_stop(
    client: Client, serve: Serve, here: Installed
) -> None:
    """What cannot be lowered can still be stopped."""
    here.configure(budget(LIMIT))
    here.spend(SPENT["stop"])
    env = {"CLAUDE_CODE_SUBAGENT_MODEL_FORCE": "1"}

    assert spawning(client, serve, env=env, subagent_type="Explore").subagents == {}


def test_a_fork_is_left_alone(client: Client, serve: Serve, here: Installed) -> None:
    """The client ignores a fork's model."""
    here.configure(budget(LIMIT))
    here.spend(SPENT["cap"])
    env = {"CLAUDE_CODE_FORK_SUBAGENT": "1"}

    seen = spawning(client, serve, env=env, subagent_type="fork")

    assert set(seen.subagents.values()) == {OPUS}
    assert decisions(here)[-1]["action"] == "left"


@pytest.mark.parametrize("spelled", ["explore", " Explore ", "GeneralPurpose", "general purpose"])
def test_an_agent_is_lowered_however_its_name_is_spelled(
    spelled: str, client: Client, serve: Serve, here: Installed
) -> None:
    """The client starts the same agent for each of these."""
    here.configure(budget(LIMIT, ceiling="haiku"))
    here.spend(SPENT["cap"])

    assert spawning(client, serve, subagent_type=spelled).subagents == {"the task": HAIKU}
    assert decisions(here)[-1]["agent_type"] in ("Explore", "general-purpose")


def test_an_agents_own_budget_stops_it_however_its_name_is_spelled(
    client: Client, serve: Serve, here: Installed
) -> None:
    """Its limit, floor, assignment and exemption are found under the agent's one name."""
    here.agent("builder", "opus")
    here.configure(budget(LIMIT, scope="{agent: builder}"))
    here.spend(SPENT["stop"], agent="builder")

    assert spawning(client, serve, subagent_type="Builder").subagents == {}


def test_an_alias_that_would_go_elsewhere_is_not_used(
    client: Client, serve: Serve, here: Installed
) -> None:
    """availableModels without Haiku sends `haiku` to a dearer model: left and reported."""
    settings = here.config_dir / "settings.json"
    content = json.loads(settings.read_text())
    content["availableModels"] = ["opus", "sonnet"]
    settings.write_text(json.dumps(content))

    seen = spawning(client, serve, subagent_type="Explore")

    row = decisions(here)[-1]
    assert (row["action"], row["ran"]) == ("left", seen.subagents["the task"])
    assert "haiku" in str(row["reason"])


@pytest.mark.parametrize("cloned", [["opus"], []])
def test_a_clones_available_models_do_not_stop_lowering(
    cloned: list[str], client: Client, serve: Serve, here: Installed
) -> None:
    """The client adds the project's list to the user's."""
    settings = here.config_dir / "settings.json"
    content = json.loads(settings.read_text())
    settings.write_text(json.dumps({**content, "availableModels": ["opus", "sonnet", "haiku"]}))
    (client.cwd / ".claude").mkdir(exist_ok=True)
    (client.cwd / ".claude/settings.json").write_text(json.dumps({"availableModels": cloned}))
    here.configure(budget(LIMIT))
    here.spend(SPENT["cap"])

    seen = spawning(client, serve, subagent_type="general-purpose", model="opus")

    assert seen.subagents == {"the task": SONNET}


def test_an_alias_of_an_unknown_claude_is_not_used(
    client: Client, serve: Serve, here: Installed
) -> None:
    """It is dearer than what was asked: the next tier below runs instead."""
    here.configure(budget(LIMIT))
    here.spend(SPENT["cap"])
    env = {"ANTHROPIC_DEFAULT_SONNET_MODEL": "claude-mythos-5-2"}

    seen = spawning(client, serve, env=env, subagent_type="general-purpose", model="opus")

    assert seen.subagents == {"the task": HAIKU}


def test_a_nested_spawn_inherits_from_its_parent_agent(
    client: Client, serve: Serve, here: Installed
) -> None:
    """Under a Haiku agent an assignment to Sonnet would raise: it is left as it is."""
    here.configure("assign: {general-purpose: sonnet}\n")
    script = (
        Script()
        .on("start", spawn("outer task", subagent_type="general-purpose", model="haiku"))
        .on("outer task", spawn("inner task", subagent_type="general-purpose"))
    )
    api = serve(script)

    seen = Seen(api, client.run("-p", "start", api=api, env=FOREGROUND))

    assert seen.subagents == {"outer task": HAIKU, "inner task": HAIKU}
    assert decisions(here)[-1]["would"] == HAIKU


@pytest.mark.parametrize(
    ("session", "assigned", "ran"), [("low", "high", "low"), ("high", "low", "low")]
)
def test_an_assigned_effort_only_lowers(
    session: str, assigned: str, ran: str, client: Client, serve: Serve, here: Installed
) -> None:
    """Like the tier it comes with."""
    here.configure(f"assign: {{general-purpose: {{tier: sonnet, effort: {assigned}}}}}\n")

    seen = spawning(client, serve, "--effort", session, subagent_type="general-purpose")

    efforts = [one.request.effort for one in seen.api.requests if one.request.asker == "subagent"]
    assert (seen.subagents, efforts) == ({"the task": SONNET}, [ran])


def test_explore_inherits_opus_at_most(client: Client, serve: Serve, here: Installed) -> None:
    """Under Fable the client runs Explore on Opus by itself: there is nothing to assign."""
    here.configure("assign: {Explore: opus}\n")

    seen = spawning(client, serve, "--model", "fable", subagent_type="Explore")

    assert seen.subagents == {"the task": OPUS}
    assert decisions(here)[-1]["action"] == "kept"


def test_the_session_model_of_a_switch_is_what_is_inherited(
    client: Client, serve: Serve, here: Installed
) -> None:
    """A resumed session on another model hands that one down."""
    here.configure("assign: {general-purpose: opus}\n")
    script = Script().on("start", text("ok")).on("go on", spawn("the task"), text("ok"))
    api = serve(script)
    first = client.run("-p", "start", "--model", "sonnet", api=api)

    arguments = ("--resume", first.session_id, "--model", "fable")
    seen = Seen(api, client.run("-p", "go on", *arguments, api=api))

    assert seen.subagents == {"the task": OPUS}
    assert decisions(here)[-1]["would"] == FABLE


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

"""What user and Claude are told, when a file changes by hand, and what stays silent."""

from __future__ import annotations

import json
import sys

from claude_tier.livecheck import Client, Script, spawn, text

from .conftest import Serve
from .installation import IMPORTS, Installed, budget
from .witness import (
    HAIKU,
    LIMIT,
    OPUS,
    SONNET,
    SPENT,
    answers,
    decisions,
    messages,
    opened,
    spawning,
    streamed,
)

COMPILING = {"PYTHONPATH": IMPORTS}  # the hooks run the command, wherever it is installed


def spawns(*calls: dict[str, object]) -> Script:
    return Script().on("start", list(calls), text("ok"))


def test_a_session_far_from_its_limits_is_told_only_of_first_assignments(
    client: Client, serve: Serve, here: Installed
) -> None:
    """Once a session and type; each answer costs a line in the transcript, a fault one in the log.

    With nothing to say of budgets or of what runs as asked there is none.
    """
    here.configure(budget(LIMIT))
    here.spend(SPENT["ok"])
    calls = [spawn(task, subagent_type="Explore") for task in ("one", "two", "three")]

    seen = streamed(client, serve, spawns(*calls, spawn("the task", model="opus")))

    assert messages(seen) == [
        "claude-tier: Explore runs on haiku instead of claude-opus-5-5"
        " (assigned; this session's first)."
    ]
    # The delegation table, and a rewrite for each that was assigned.
    assert [name for name, _ in answers(seen)] == ["SessionStart", *["PreToolUse"] * 3]
    assert "budget" not in json.dumps(answers(seen))
    assert not (here.state / "hooks.log").exists()
    assert opened(here).execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def test_levels_are_told_once_to_user_and_claude_and_every_lowering_to_the_user(
    client: Client, serve: Serve, here: Installed
) -> None:
    """At the start of the session, not again with every prompt, until the level is lifted."""
    here.configure(budget(LIMIT))
    here.spend(SPENT["cap"])
    calls = [spawn(task, subagent_type="Plan", model="opus") for task in ("one", "two")]
    first = streamed(client, serve, spawns(*calls))
    here.configure(budget(2 * LIMIT))

    second = streamed(client, serve, Script(), "--resume", first.run.session_id)

    level = "budget weekly is at 95 % (cap): new subagents run on sonnet at most"
    line = "claude-tier: Plan runs on sonnet instead of opus: budget weekly is at 95 %."
    assert messages(first) == [f"claude-tier: {level}", line, line]
    assert first.api.requests[0].request.conversation.count(level) == 1
    assert messages(second) == ["claude-tier: budget weekly is below its limits again"]


def test_the_way_out_is_told_to_the_user_alone(
    client: Client, serve: Serve, here: Installed
) -> None:
    """Claude has a shell; what it is told is to work inline or to ask."""
    here.configure(budget(LIMIT))
    here.spend(SPENT["stop"])

    seen = streamed(client, serve, spawns(spawn("the task"), spawn("another")))

    assert "claude-tier off --for 1h" in messages(seen)[0]
    assert "You can still edit and commit" in messages(seen)[0]
    assert "claude-tier off" not in seen.told_to_main
    assert "Do the work inline without a new subagent, or ask the user" in seen.told_to_main
    assert len(messages(seen)) == 2  # the level at the start, and the first denial


def test_config_edited_by_hand_takes_effect_at_the_next_session(
    client: Client, serve: Serve, here: Installed
) -> None:
    """Nobody has to run a command after an edit.

    Emergency mode is told to the user at the start, with the way out; not to Claude.
    """
    edited = "assign: {Explore: sonnet}\nrouter: {local_only: true}\n"
    (here.state / "config.yaml").write_text(edited)
    call = spawn("the task", subagent_type="Explore")

    seen = streamed(client, serve, spawns(call), env=COMPILING)

    assert seen.subagents == {"the task": SONNET}
    assert messages(seen)[0] == (
        "claude-tier: emergency mode: the router asks only models on this machine"
        " (router.local_only is set); setting router: {local_only: false} in config.yaml ends it"
    )
    assert "local_only" not in seen.api.requests[0].request.conversation


def test_config_edited_within_a_session_takes_effect_at_the_next_prompt(
    client: Client, serve: Serve, here: Installed
) -> None:
    """A running session follows."""
    script = Script().on("first", spawn("one", subagent_type="Explore"), text("First done."))
    api = serve(script.on("second", spawn("two", subagent_type="Explore"), text("Second done.")))
    arguments = ("--permission-mode", "acceptEdits")

    with client.terminal(*arguments, api=api, env=COMPILING) as terminal:
        terminal.send("first")
        terminal.wait_for("First done.")
        (here.state / "config.yaml").write_text("assign: {Explore: sonnet}\n")
        terminal.send("second")
        terminal.wait_for("Second done.")

    models = {one.request.prompt: one.request.model for one in api.requests if one.request.agent_id}
    assert models == {"one": HAIKU, "two": SONNET}


def test_a_mistake_in_config_is_reported_and_changes_nothing(
    client: Client, serve: Serve, here: Installed
) -> None:
    """File, line and what is wrong; the policy before it stands; said once a session."""
    here.configure("assign: {Explore: sonnet}\n")
    config = here.state / "config.yaml"
    config.write_text("assign: {Explore: opus}\nbudget: []\n")
    call = spawn("the task", subagent_type="Explore")

    seen = streamed(client, serve, spawns(call), env=COMPILING)

    assert seen.subagents == {"the task": SONNET}
    reports = [line for line in messages(seen) if "config.yaml" in line]
    assert len(reports) == 1
    assert f"{config}, line 2" in reports[0]
    assert "budget" in reports[0]


def test_a_clones_file_can_lower_but_not_raise(
    client: Client, serve: Serve, here: Installed
) -> None:
    """A project may assign a cheaper tier; a dearer one, an exemption or a command is refused."""
    file = client.cwd / ".claude/claude-tier.yaml"
    file.parent.mkdir()
    file.write_text("assign: {Plan: haiku}\n")
    lowered = spawning(client, serve, env=COMPILING, subagent_type="Plan")
    file.write_text("exempt: [Explore]\nassign: {Plan: haiku}\n")
    calls = [spawn("one", subagent_type="Plan"), spawn("two", subagent_type="Explore")]

    seen = streamed(client, serve, spawns(*calls), env=COMPILING)

    assert lowered.subagents == {"the task": HAIKU}
    assert seen.subagents == {"one": OPUS, "two": HAIKU}
    assert any(f"{file}, line 1" in line for line in messages(seen))


def test_damaged_files_of_ours_take_no_session_down(
    client: Client, serve: Serve, here: Installed
) -> None:
    """The session goes on, and the user is told once where the ledger is concerned."""
    for name in ("policy.json", "ledger.db"):
        (here.state / name).write_bytes(b"\x00garbage" * 1000)

    seen = streamed(client, serve, spawns(spawn("the task", subagent_type="Explore")))

    assert seen.run.result["is_error"] is False
    assert seen.subagents == {"the task": HAIKU}
    assert len([line for line in messages(seen) if "damaged" in line]) == 1


def test_without_python_the_session_goes_on(client: Client, serve: Serve, here: Installed) -> None:
    """Only the start of a session says what to do; every other hook is silent."""
    settings = here.config_dir / "settings.json"
    interpreter = sys._base_executable  # type: ignore[attr-defined]
    settings.write_text(settings.read_text().replace(interpreter, "/nowhere/python3"))

    seen = streamed(client, serve, spawns(spawn("the task", subagent_type="Explore")))

    assert seen.subagents == {"the task": OPUS}
    assert len(messages(seen)) == 1
    assert "claude-tier install" in messages(seen)[0]
    assert not (here.state / "ledger.db").exists()


def test_a_rewrite_that_did_not_take_is_told(client: Client, serve: Serve, here: Installed) -> None:
    """The proof contradicts the decision: somebody else's hook put the dearer model back."""
    settings = here.config_dir / "settings.json"
    content = json.loads(settings.read_text())
    back = {"description": "a task", "prompt": "the task", "subagent_type": "Plan", "model": "opus"}
    output = {"hookSpecificOutput": {"hookEventName": "PreToolUse", "updatedInput": back}}
    ours = content["hooks"]["PreToolUse"][0]["hooks"][0]
    # Of two rewrites the last wins; this is the last for certain.
    ours["command"] = f"({ours['command']}) > /dev/null; echo '{json.dumps(output)}'"
    settings.write_text(json.dumps(content))
    here.configure("assign: {Plan: haiku}\n")

    seen = streamed(client, serve, spawns(spawn("the task", subagent_type="Plan")))

    assert seen.subagents == {"the task": OPUS}
    assert messages(seen)[-1] == (
        "claude-tier: Plan runs on claude-opus-5-5, over the haiku it was to run on"
        " (assigned to haiku)."
    )
    assert decisions(here)[-1]["proof"] == "over"

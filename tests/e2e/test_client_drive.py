"""The real client driven against the scripted API: what later tests rely on."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path

import pytest
from claude_tier.errors import UserError
from claude_tier.livecheck import Answer, Client, Script, fail, spawn, text, tool_use

from .oracle import FOREGROUND, Serve, answered, charged, transcript


def test_a_prompt_is_answered_and_charged_to_the_token(
    client: Client, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One request, one result, and the client's figures are those of the script.

    Credentials and providers of the caller's environment do not pass.
    """
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "a secret")
    monkeypatch.setenv("CLAUDE_CODE_USE_BEDROCK", "1")
    api = serve(Script().on("say hello", text("hello there")))

    environment = client.environment(api)
    run = client.run("-p", "say hello", api=api)

    assert (run.returncode, run.stderr) == (0, "")
    assert run.result["result"] == "hello there"
    assert [exchange.request.asker for exchange in api.requests] == ["main"]
    assert api.requests[0].request.session_id == run.session_id
    assert charged(run.result) == answered(api)
    assert environment["ANTHROPIC_BASE_URL"] == api.url
    assert "ANTHROPIC_AUTH_TOKEN" not in environment
    assert "CLAUDE_CODE_USE_BEDROCK" not in environment
    assert "authorization" not in api.requests[0].request.headers


def test_a_background_agent_works_and_its_end_is_noticed(client: Client, serve: Serve) -> None:
    """The agent asks on its own account; the notice of its end is a turn of the main session."""
    script = (
        Script()
        .on("start", spawn("look around", subagent_type="Explore"), text("waiting"))
        .on("look around", tool_use("Bash", command="echo hi"), text("found it"))
    )
    api = serve(script)

    run = client.run("-p", "start", "--allowedTools", "Bash", api=api)

    agent = [one.request for one in api.requests if one.request.asker == "subagent"]
    assert [(request.prompt, request.step) for request in agent] == [
        ("look around", 0),
        ("look around", 1),
    ]
    assert len({request.agent_id for request in agent}) == 1
    assert ["" for one in api.requests if one.request.prompt == ""] == [""]
    assert charged(run.result) == answered(api)


def test_foreground_agents_run_nested_on_their_own_models(client: Client, serve: Serve) -> None:
    """A model named in the call holds for the agent and for what it spawns without one."""
    script = (
        Script()
        .on("start", spawn("outer task", subagent_type="general-purpose", model="haiku"))
        .on("outer task", spawn("inner task"), text("outer done"))
        .on("inner task", text("inner done"))
    )
    api = serve(script)

    run = client.run("-p", "start", api=api, env=FOREGROUND)

    asked = {one.request.prompt: one.request for one in api.requests}
    assert asked["outer task"].model == asked["inner task"].model == "claude-haiku-5-5"
    assert asked["inner task"].parent_agent_id == asked["outer task"].agent_id
    assert charged(run.result) == answered(api)


def test_twenty_agents_are_spawned_by_one_answer(client: Client, serve: Serve) -> None:
    """All of a fan-out reach the API, none twice."""
    tasks = [f"task number {number:02}" for number in range(20)]
    script = Script().on("start", [spawn(task, subagent_type="Explore") for task in tasks])
    for task in tasks:
        script.on(task, text(f"{task} done"))
    api = serve(script)

    run = client.run("-p", "start", api=api)

    asked = [one.request.prompt for one in api.requests if one.request.asker == "subagent"]
    assert sorted(asked) == tasks
    assert charged(run.result) == answered(api)


def test_a_resumed_session_goes_on_in_the_same_transcript(client: Client, serve: Serve) -> None:
    """Resume keeps the session id; a fork makes another that starts from the same figures."""
    api = serve(Script())
    first = client.run("-p", "one", api=api)
    second = client.run("-p", "two", "--resume", first.session_id, api=api)
    after_two = charged(second.result) == answered(api)
    fork = client.run("-p", "three", "--resume", first.session_id, "--fork-session", api=api)

    assert second.session_id == first.session_id
    assert fork.session_id != first.session_id
    assert after_two
    assert charged(fork.result) == answered(api)
    transcripts = list((client.home / ".claude/projects").glob("*/*.jsonl"))
    assert {path.stem for path in transcripts} == {first.session_id, fork.session_id}


def test_a_config_folder_of_its_own_holds_everything(
    client_program: Path, home: Path, project: Path, serve: Serve
) -> None:
    """CLAUDE_CONFIG_DIR moves settings and transcripts out of the home."""
    config = home / "elsewhere"
    client = Client(home, binary=client_program, cwd=project, config_dir=config)
    api = serve(Script())

    run = client.run("-p", "hello", api=api)

    assert list(config.glob(f"projects/*/{run.session_id}.jsonl"))
    assert not (home / ".claude").exists()


def test_a_hook_sees_what_the_script_made_happen(client: Client, serve: Serve) -> None:
    """Settings of the scratch home are in force: a hook is told of the spawn."""
    seen = client.home / "seen.json"
    hook = {"type": "command", "command": f"cat > '{seen}'"}
    settings = {"hooks": {"PreToolUse": [{"matcher": "Agent|Task", "hooks": [hook]}]}}
    folder = client.home / ".claude"
    folder.mkdir()
    (folder / "settings.json").write_text(json.dumps(settings))
    api = serve(Script().on("start", spawn("look"), text("waiting")))

    client.run("-p", "start", api=api)

    event = json.loads(seen.read_text())
    assert event["tool_name"] == "Agent"
    assert event["tool_input"] == {"description": "a task", "prompt": "look"}


def test_an_interrupted_answer_leaves_the_placeholder(client: Client, serve: Serve) -> None:
    """The client keeps what it heard, with the count the stream opened with."""
    stall = Answer((text("first block"), text("second bl")), ending="stall")
    api = serve(Script().on("hang", stall))

    streaming = ("--output-format", "stream-json", "--verbose")
    with client.start("-p", "hang", *streaming, api=api) as running:
        running.wait_for("first block")
        running.signal(signal.SIGINT)
        run = running.finish()

    rows = [row for row in transcript(client, run.session_id) if row["type"] == "assistant"]
    assert [row["message"]["content"][0]["text"] for row in rows] == ["first block", "second bl"]
    assert {row["message"]["stop_reason"] for row in rows} == {None}
    assert {row["message"]["usage"]["output_tokens"] for row in rows} == {1}


def test_an_overloaded_api_is_asked_again(client: Client, serve: Serve) -> None:
    """A failure is retried by the client; only the last answer is charged.

    The format that streams gives every event.
    """
    script = Script().on("hello", fail(529), times=1).on("hello", text("at last"))
    api = serve(script)

    run = client.run("-p", "hello", "--output-format", "stream-json", "--verbose", api=api)

    assert {"system", "assistant", "result"} <= {str(event["type"]) for event in run.events}
    assert run.result["result"] == "at last"
    assert len(api.requests) == 2
    assert charged(run.result) == answered(api)


def test_a_refused_request_fails_the_run(client: Client, serve: Serve) -> None:
    """Money gone: no retry, and the reason reaches the result."""
    api = serve(lambda request: fail(400, "Your credit balance is too low"))

    run = client.run("-p", "hello", api=api)

    assert run.returncode == 1
    assert run.result["is_error"] is True
    assert len(api.requests) == 1


def test_a_client_that_hangs_is_killed_with_its_group(client: Client, serve: Serve) -> None:
    """A run ends at its deadline, and says so."""
    api = serve(lambda request: Answer((text("half"),), ending="stall"))

    with pytest.raises(UserError, match="still at work after 1 s"):
        client.run("-p", "hello", api=api, timeout=1)


def test_the_version_is_the_pinned_one(client: Client) -> None:
    """The program answers for itself."""
    assert client.version() == "2.1.329"


needs_tmux = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is missing")


@needs_tmux
def test_an_interactive_session_answers_and_ends(client: Client, serve: Serve) -> None:
    """No first-run dialog stands in the way of the first prompt."""
    api = serve(Script().on("good morning", text("And to you.")))

    with client.terminal(api=api) as terminal:
        terminal.send("good morning")
        terminal.wait_for("And to you.")
        terminal.send("/exit")
        terminal.wait_end()

    assert [one.request.prompt for one in api.requests] == ["good morning"]


@needs_tmux
def test_escape_interrupts_and_the_session_goes_on(client: Client, serve: Serve) -> None:
    """Keys reach the client; leaving the block ends a session that is still at work."""
    stall = Answer((text("Working on it"), text("and")), ending="stall")
    api = serve(Script().on("go on", text("Went on.")).on("hang", stall))

    with client.terminal(api=api) as terminal:
        terminal.send("hang")
        terminal.wait_for("Working on it")
        terminal.key("Escape")
        terminal.wait_for("Interrupted")
        terminal.send("go on")
        terminal.wait_for("Went on.")

    assert terminal.ended

"""Groups in the real client: who is asked, with which credentials, and at what price."""

from __future__ import annotations

import json
import signal
from contextlib import closing
from pathlib import Path

import pytest
from claude_tier.livecheck import (
    Answer,
    Failure,
    Request,
    Script,
    Usage,
    text,
    tool_use,
)
from claude_tier.livecheck.client import API_KEY, CLIENT_VARIABLE
from claude_tier.livecheck.terminal import poll
from llama_server import Start

from .conftest import Serve
from .desk import CLOUD, CONSOLE_KEY, LOGIN, Desk, log_in, sent
from .installation import Installed
from .witness import opened

SUMMARY = "<summary> block"  # in what the client asks for when it compacts


def test_a_group_is_answered_by_a_real_local_server_and_claude_hears_nothing(
    desk: Desk, llama: Start, here: Installed
) -> None:
    """llama.cpp on its own Messages API, with the whole prompt of Claude Code.

    It is counted as free by the user's own word, though the client reckons list price.
    """
    server = desk.local(llama, "from llama.cpp")
    desk.configure(server.url, kind="llama-server")
    here.configure((desk.state / "config.yaml").read_text())

    done = desk.run("-p", "hello", "--output-format", "json")

    result = json.loads(done.stdout)
    assert (done.returncode, result["result"]) == (0, "from llama.cpp")
    assert list(result["modelUsage"]) == ["tiny"]
    assert (desk.claude.requests, desk.claude.probes) == ([], [])
    assert f"claude-tier: chat: tiny at {server.url}" in done.stderr
    assert poll(lambda: bool(rows(here)), 10)
    assert result["total_cost_usd"] > 0
    assert [(row["model"], row["usd"]) for row in rows(here)] == [("tiny", 0)]


def rows(here: Installed) -> list[dict[str, object]]:
    query = "SELECT text AS model, usd FROM usage JOIN name ON name.id = model"
    with closing(opened(here)) as db:
        return [dict(row) for row in db.execute(query)]


def test_main_reaches_claude_and_no_other_endpoint(desk: Desk, serve: Serve) -> None:
    """With the variables of another endpoint in the shell, too."""
    other = serve(Script())
    desk.configure(other.url)

    done = desk.run(
        "-p", "hello", group="main", ANTHROPIC_MODEL="glm-4.7", ANTHROPIC_AUTH_TOKEN="dummy-glm"
    )  # fmt: skip

    assert (done.returncode, done.stdout) == (0, "from Claude\n")
    assert (other.requests, other.probes) == ([], [])
    assert {one.request.headers.get("x-api-key") for one in desk.claude.requests} == {API_KEY}
    assert "glm" not in sent(desk.claude)


def test_main_drops_the_address_of_another_endpoint(desk: Desk, serve: Serve) -> None:
    """Without `pass` the client is told of no address: it wants Anthropic's own, by this proxy."""
    other, proxy = serve(Script()), serve(Script())
    desk.configure(other.url)
    config = desk.state / "config.yaml"
    config.write_text(
        config.read_text().replace("pass: [ANTHROPIC_BASE_URL, ANTHROPIC_API_KEY]", "")
    )
    log_in(desk.client.home)

    done = desk.run(
        "-p", "hello", group="main",
        ANTHROPIC_BASE_URL=other.url, HTTPS_PROXY=proxy.url, CLAUDE_CODE_MAX_RETRIES="0",
    )  # fmt: skip

    assert done.returncode == 1
    assert "proxy" in done.stdout
    assert (other.requests, other.probes) == ([], [])


@pytest.mark.parametrize("profile", [True, False], ids=["in a group", "with the address alone"])
def test_no_login_reaches_another_endpoint_in_a_group(
    profile: bool, desk: Desk, serve: Serve
) -> None:
    """Without the group's profile Claude Code sends both there, which is why there is one."""
    other = serve(Script().on("", text("from another")))
    desk.configure(other.url)
    log_in(desk.client.home)

    if profile:
        desk.run("-p", "hello", "--bare")
    else:
        for token in ({}, {"ANTHROPIC_AUTH_TOKEN": "own"}):
            env = {"ANTHROPIC_API_KEY": "", "ANTHROPIC_MODEL": "tiny", **token}
            desk.client.run("-p", "hello", api=other, env=env)

    everything = sent(other)
    leaked = [one for one in (LOGIN, CONSOLE_KEY) if one in everything]
    assert other.requests
    assert leaked == ([] if profile else [LOGIN, CONSOLE_KEY])
    assert not any(value in everything for value in (*CLOUD.values(), API_KEY) if profile)


def test_every_alias_and_every_subagent_is_the_groups_model(desk: Desk, serve: Serve) -> None:
    """Also one whose file names a model of Claude's in full. A large context is not compacted."""
    agent = desk.client.home / ".claude/agents/builder.md"
    agent.parent.mkdir(parents=True)
    agent.write_text("---\nname: builder\ndescription: b\nmodel: claude-opus-5-5\n---\nBuild.")
    spawns = [
        tool_use("Agent", description="a", prompt="build", subagent_type="builder"),
        tool_use("Agent", description="b", prompt="look", subagent_type="Explore"),
    ]
    used = Usage(50_000, 10)
    other = serve(Script().on("start", Answer(tuple(spawns), usage=used), text("done")))
    desk.configure(other.url, context="250000", max_output="4096")

    done = desk.run("-p", "start", "--model", "opus", CLAUDE_CODE_DISABLE_BACKGROUND_TASKS="1")

    assert done.returncode == 0, done.stderr
    assert len(other.requests) >= 4
    assert {one.request.model for one in other.requests} == {"tiny"}
    assert {one.request.body["max_tokens"] for one in other.requests} == {4096}
    assert SUMMARY not in sent(other)


def test_the_client_compacts_before_the_groups_context_is_full(desk: Desk, serve: Serve) -> None:
    """It is told how much that is."""
    step = (tool_use("Bash", command="true"),)
    used = [Answer(step, usage=Usage(tokens, 10)) for tokens in (20_000, 50_000, 20_000)]
    script = Script().on("start", *used)

    def respond(request: Request) -> Answer | Failure:
        if SUMMARY in json.dumps(request.body):
            return Answer((text("<summary>so far</summary>"),))
        return script(request)

    other = serve(respond)
    desk.configure(other.url, context="65536")

    done = desk.run("-p", "start", "--allowedTools", "Bash")

    compacted = [SUMMARY in json.dumps(one.request.body) for one in other.requests]
    assert done.returncode == 0, done.stdout
    assert (compacted[:3], sum(compacted)) == ([False, False, True], 1)


@pytest.mark.parametrize("profile", [True, False], ids=["in a group", "with the address alone"])
def test_settings_that_change_during_the_session_lead_nowhere_else(
    profile: bool, desk: Desk, serve: Serve
) -> None:
    """Claude could write them itself; without the profile the client follows them at once.

    With the profile no login is sent either, whatever the session does.
    """
    away = serve(Script())
    log_in(desk.client.home)
    settings = desk.client.cwd / ".claude/settings.json"
    settings.parent.mkdir()
    settings.write_text("{}")
    # Time for the client to see that the file has changed.
    steps = [tool_use("Bash", command="sleep 3"), tool_use("Bash", command="true"), text("stayed")]
    script = Script().on("start", *steps)

    def respond(request: Request) -> Answer | Failure:
        settings.write_text(json.dumps({"env": {"ANTHROPIC_BASE_URL": away.url}}))
        return script(request)

    other = serve(respond)
    desk.configure(other.url)
    arguments = ("-p", "start", "--allowedTools", "Bash")
    if profile:
        desk.run(*arguments)
    else:
        desk.client.run(*arguments, api=other, env={"ANTHROPIC_MODEL": "tiny"})

    assert (len(other.requests), bool(away.requests)) == ((3, False) if profile else (1, True))
    kept = (LOGIN, CONSOLE_KEY, API_KEY, *CLOUD.values())
    assert not any(value in sent(other) for value in kept if profile)


def test_settings_that_lead_elsewhere_are_refused_by_their_place(desk: Desk, serve: Serve) -> None:
    """Before anything is sent."""
    other = serve(Script())
    desk.configure(other.url)
    settings = desk.client.home / ".claude/settings.json"
    settings.write_text(json.dumps({"apiKeyHelper": "echo sk-x"}))

    done = desk.run("-p", "hello")

    assert (done.returncode, done.stdout) == (1, "")
    assert f"{settings}: the key that apiKeyHelper prints would be sent to" in done.stderr
    assert other.requests == []


def environ_of(pid: int) -> dict[str, str]:
    pairs = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
    return dict(pair.split("=", 1) for pair in pairs if pair)


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="no /proc")
@pytest.mark.parametrize("fallback", ["none", "haiku"])
def test_the_clients_process_holds_no_other_key(fallback: str, desk: Desk, serve: Serve) -> None:
    """What the kernel says of the real client, while a request is under way."""
    stall = Answer((text("Working"),), ending="stall")
    other = serve(Script().on("hello", stall))
    desk.configure(other.url, fallback=fallback)

    with desk.start("-p", "hello") as running:
        other.wait_for(lambda one: "hello" in one.request.prompt)
        pid = running._process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        env = environ_of(int(children[0]) if fallback == "haiku" else pid)
        running.signal(signal.SIGTERM)
        done = running.finish()

    assert Path(env[CLIENT_VARIABLE]) == desk.client.binary
    assert set(CLOUD) & set(env) == set()
    assert API_KEY not in env.values()
    assert (env["ANTHROPIC_API_KEY"], env["ANTHROPIC_AUTH_TOKEN"]) == ("", "no-key-needed")
    assert env["ANTHROPIC_BASE_URL"] == other.url
    assert done.returncode in (143, -signal.SIGTERM)
    assert desk.claude.requests == []

"""Local models as tools in the real client: registered by install, asked, and taken out again."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from claude_tier.livecheck import Client, Namespace, Run, Script, ScriptedAPI, text, tool_use
from llama_server import Start
from recorder import Recorder
from trees import snapshot, write

from . import command
from .conftest import Serve
from .installation import IMPORTS, Installed
from .witness import opened

SAID = 'Dear "colleague",\nit is 42.'
ASK = "mcp__local-models__ask_local_llama"
ClaudeTier = Callable[..., str]


@pytest.fixture
def programs(client: Client, network: Namespace | None, tmp_path: Path) -> Path:
    """A PATH with `claude`, which has no network, and `claude-tier`, as a user has them."""
    folder = tmp_path / "bin"
    inside = [str(client.binary)]
    words = shlex.join(inside if network is None else network.command(inside))
    write(folder / "claude", f'#!/bin/sh\nexec {words} "$@"\n').chmod(0o755)
    script = f'#!/bin/sh\nPYTHONPATH={IMPORTS} exec {sys.executable} -m claude_tier "$@"\n'
    write(folder / "claude-tier", script).chmod(0o755)
    return folder


@pytest.fixture
def environment(client: Client, programs: Path) -> dict[str, str]:
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    return {"HOME": str(client.home), "PATH": path, "PYTHONPATH": IMPORTS, "TZ": "UTC"}


@pytest.fixture
def claude_tier(
    client: Client, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> ClaudeTier:
    """`claude-tier …` in the project; it has to succeed, and says something."""
    monkeypatch.chdir(client.cwd)

    def run(*arguments: str) -> str:
        done = command.claude_tier(client.home, *arguments, env=environment)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture
def server(llama: Start, network: Namespace | None, client: Client) -> Iterator[Recorder]:
    """A local model that the configuration names for small work."""
    with Recorder(llama(SAID).url, namespace=network) as recorder:
        provider = f"{{kind: llama-server, base_url: '{recorder.url}', free: true}}"
        text = f"providers: {{llama: {provider}}}\nrouter: {{small: llama/tiny}}\n"
        Installed(client.home).configure(text)
        yield recorder


def asking(serve: Serve, **arguments: object) -> ScriptedAPI:
    """Claude calls the tool once."""
    return serve(Script().on("start", tool_use(ASK, **arguments), text("done")))


def told(api: ScriptedAPI) -> str:
    """What the tool's result was, as the next request holds it."""
    blocks = [
        block
        for message in api.requests[-1].request.body["messages"]
        for block in message["content"]
        if isinstance(block, dict) and block.get("type") == "tool_result"
    ]
    return str(blocks[-1]["content"])


def start(client: Client, api: ScriptedAPI, environment: dict[str, str]) -> Run:
    return client.run("-p", "start", "--allowedTools", ASK, api=api, env=environment)


def registered(client: Client) -> dict[str, object]:
    """The servers that the client keeps for its user."""
    found: dict[str, object] = json.loads((client.home / ".claude.json").read_bytes())
    servers = found.get("mcpServers")
    return servers if isinstance(servers, dict) else {}


def test_an_answer_of_a_local_model_reaches_claude_and_is_counted_in_its_session(
    client: Client,
    serve: Serve,
    server: Recorder,
    claude_tier: ClaudeTier,
    environment: dict[str, str],
) -> None:
    """A file of the project is read by the server, not by Claude, which tells it the session.

    Uninstall takes the registration back by the client's own command; one of the user's stays.
    """
    own = {"mcpServers": {"mine": {"type": "stdio", "command": "true", "args": [], "env": {}}}}
    write(client.home / ".claude.json", json.dumps(own))
    claude_tier("install", "--mcp")
    assert list(registered(client)) == ["mine", "local-models"]
    assert "already installed" in claude_tier("install", "--mcp")
    write(client.cwd / "notes.txt", "zanzibar 5521\n")
    api = asking(serve, prompt="Draft a letter.", files=["notes.txt"])
    run = start(client, api, environment)
    assert run.result["result"] == "done"
    answer = json.loads(told(api))
    assert answer["text"] == SAID
    assert (answer["provider"], answer["model"], answer["next_page"]) == ("llama", "tiny", None)
    asked = [request.body for request in server.requests]
    assert "zanzibar 5521" in str(asked)
    assert "zanzibar 5521" not in str([one.request.body for one in api.requests])
    with closing(opened(Installed(client.home))) as db:
        rows = db.execute(
            "SELECT name.text, origin, route, asked, outcome FROM exchange"
            " JOIN name ON name.id = exchange.session"
        ).fetchall()
    row = (run.session_id, "mcp", "ask_local_llama", "llama/tiny", "answered")
    assert [tuple(each) for each in rows] == [row]

    claude_tier("uninstall")
    assert registered(client) == own["mcpServers"]
    start(client, asking(serve, prompt="Draft a letter."), environment)
    assert [request.body for request in server.requests] == asked


def test_a_local_registration_is_for_one_project(
    client: Client, serve: Serve, server: Recorder, claude_tier: ClaudeTier, tmp_path: Path,
    environment: dict[str, str],
) -> None:  # fmt: skip
    """Elsewhere the tool is not there."""
    claude_tier("install", "--mcp", "--scope", "local")
    assert registered(client) == {}
    start(client, asking(serve, prompt="here"), environment)
    assert len(server.requests) == 1
    elsewhere = Client(client.home, binary=client.binary, cwd=tmp_path)
    start(elsewhere, asking(serve, prompt="there"), environment)
    assert len(server.requests) == 1
    assert "local-models" in (client.home / ".claude.json").read_text()
    claude_tier("uninstall", "--scope", "local")
    assert "local-models" not in (client.home / ".claude.json").read_text()


def test_a_project_registration_is_committed_and_taken_out_to_the_byte(
    client: Client,
    serve: Serve,
    server: Recorder,
    claude_tier: ClaudeTier,
    environment: dict[str, str],
) -> None:
    """It starts whatever `claude-tier` is on the PATH of whoever cloned the project."""
    write(client.cwd / ".mcp.json", '{"mcpServers":\t{"mine": {"command": "true"}}, "x": 1 }')
    before = snapshot(client.cwd)
    claude_tier("install", "--mcp", "--scope", "project")
    start(client, asking(serve, prompt="Draft a letter."), environment)
    assert len(server.requests) == 1
    assert str(client.home) not in (client.cwd / ".mcp.json").read_text()
    claude_tier("uninstall", "--scope", "project")
    assert snapshot(client.cwd) == before

"""The server and the SDK's own client: in one process, or as Claude Code starts it, in its own.

A start takes more than a second of the processor, so that only what is about it pays for one.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import anyio
import forking
import llama_server
import pytest
from claude_tier.local_models import server
from forking import Stem
from mcp import Client, StdioServerParameters
from mcp_types import CallToolResult
from routers import place
from shipped import ROOT

Result = TypeVar("Result")
Talk = Callable[..., Any]
Configure = Callable[..., None]

IMPORTS = os.pathsep.join([str(ROOT / "installer"), str(ROOT / "hooks")])
PATIENCE = 60  # seconds until an answer counts as lost
SESSION = "00000000-0000-4000-8000-000000000001"


@pytest.fixture
def work(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project that the client works in, and what Claude Code tells its servers of it."""
    folder = home / "work"
    folder.mkdir()
    for name, value in told(folder).items():
        monkeypatch.setenv(name, value)
    return folder


@pytest.fixture(scope="package")
def llama() -> Iterator[llama_server.Start]:
    """Real llama.cpp servers as `llama_server.serving` starts them; those that are alike are one.

    They stay for the tests after, so that no test stops one.
    """
    with llama_server.sharing() as start:
        yield start


@pytest.fixture(scope="package")
def stem() -> Iterator[Stem]:
    """What a server imports takes most of its start."""
    with forking.stem("claude_tier.cli.mcp", "claude_tier.local_models.server", "httpx",
                      path=IMPORTS) as found:  # fmt: skip
        yield found


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address that is taken, and where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.fixture
def configure() -> Configure:
    """Name the servers of a test: `configure("router: …", here=url)`."""
    return place


def told(work: Path) -> dict[str, str]:
    """What Claude Code tells a server."""
    return {
        "CLAUDECODE": "1",
        "CLAUDE_CODE_SESSION_ID": SESSION,
        "CLAUDE_PROJECT_DIR": str(work),
    }


def started(work: Path) -> StdioServerParameters:
    """How Claude Code starts the server."""
    environ = {"HOME": str(Path.home()), "PYTHONPATH": IMPORTS, **told(work)}
    words = ["-W", "error::ResourceWarning", "-m", "claude_tier", "mcp"]
    return StdioServerParameters(command=sys.executable, args=words, env=environ, cwd=work)


Body = Callable[[Client], Awaitable[Result]]


async def _with(client: Client, body: Body[Result]) -> Result:
    async with client:
        return await body(client)


@pytest.fixture
def talk(work: Path) -> Talk:
    """Do something with a client of the server, and end both; `options` are the client's.

    Within one process only the `legacy` mode says who wants to hear of progress.
    """

    def run(body: Body[Result], **options: Any) -> Result:
        made = server.protocol(server.service())
        return anyio.run(_with, Client(made, read_timeout_seconds=PATIENCE, **options), body)

    return run


@pytest.fixture
def talk_to_process(work: Path) -> Talk:
    """The same with a server in a process of its own."""

    def run(body: Body[Result], **options: Any) -> Result:
        client = Client(started(work), read_timeout_seconds=PATIENCE, **options)
        return anyio.run(_with, client, body)

    return run


Call = Callable[..., CallToolResult]


@pytest.fixture
def call(talk: Talk) -> Call:
    """One call of one tool in a session of its own."""

    def run(name: str, /, **arguments: object) -> CallToolResult:
        found: CallToolResult = talk(lambda client: client.call_tool(name, arguments))
        return found

    return run


def said(result: CallToolResult) -> str:
    """The text of a result."""
    (block,) = result.content
    assert block.type == "text"
    return block.text

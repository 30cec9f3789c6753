"""The server as a client starts it: a process of its own, spoken to by the SDK's own client."""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import anyio
import pytest
from claude_tier import config, paths
from mcp import Client, StdioServerParameters
from mcp_types import CallToolResult
from shipped import ROOT

Result = TypeVar("Result")
Talk = Callable[..., Any]
Configure = Callable[..., None]

IMPORTS = os.pathsep.join([str(ROOT / "installer"), str(ROOT / "hooks")])
PATIENCE = 60  # seconds until an answer counts as lost
SESSION = "00000000-0000-4000-8000-000000000001"


@pytest.fixture
def work(home: Path) -> Path:
    """The project that the client works in."""
    folder = home / "work"
    folder.mkdir()
    return folder


@pytest.fixture
def configure() -> Configure:
    """Put local providers into config.yaml, by name and address, and more text after them."""

    def place(more: str = "", **addresses: str) -> None:
        providers = "".join(
            f"  {name}: {{kind: llama-server, base_url: '{url}', free: true}}\n"
            for name, url in addresses.items()
        )
        folder = paths.state_dir()
        folder.mkdir(parents=True, exist_ok=True)
        text = f"providers:\n{providers}" if providers else ""
        (folder / config.CONFIG).write_text(f"{text}{more}", "utf-8")

    return place


def started(work: Path) -> StdioServerParameters:
    """How the server is started, with what Claude Code tells one."""
    environ = {
        "HOME": str(Path.home()),
        "PYTHONPATH": IMPORTS,
        "CLAUDECODE": "1",
        "CLAUDE_CODE_SESSION_ID": SESSION,
        "CLAUDE_PROJECT_DIR": str(work),
    }
    words = ["-W", "error::ResourceWarning", "-m", "claude_tier", "mcp"]
    return StdioServerParameters(command=sys.executable, args=words, env=environ, cwd=work)


@pytest.fixture
def talk(work: Path) -> Talk:
    """Do something with a client of the server, and end both; `mode` is the client's."""

    def run(body: Callable[[Client], Awaitable[Result]], *, mode: str = "auto") -> Result:
        async def both() -> Result:
            client = Client(started(work), mode=mode, read_timeout_seconds=PATIENCE)
            async with client:
                return await body(client)

        return anyio.run(both)

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

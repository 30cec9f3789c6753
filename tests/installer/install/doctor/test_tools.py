"""What the doctor says of the MCP server: nothing, until somebody registered it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import client_program
import pytest
from claude_tier import bundle
from claude_tier.install import installing, scopes
from trees import write

from .conftest import Diagnose

CHECK = "local models"
Register = Callable[..., None]


@pytest.fixture
def register(home: Path, path: Path, monkeypatch: pytest.MonkeyPatch) -> Register:
    """`claude-tier install --mcp`."""
    client_program.put(path)
    monkeypatch.setenv("PATH", f"{path}:/usr/bin:/bin")

    def _register(scope: scopes.Scope = "user", root: Path | None = None) -> None:
        target = scopes.target(scope, home / ".claude", root)
        installing.install(installing.Request(target, bundle.root(), mcp=True))

    return _register


def test_a_registered_server_is_started(register: Register, diagnose: Diagnose) -> None:
    """And has to answer the first message of the protocol."""
    assert CHECK not in diagnose()
    register()
    (finding,) = diagnose()[CHECK]
    assert (finding.verdict, finding.what) == ("ok", "registered (for you), and the server starts")


def test_a_server_that_does_not_start_is_a_fault(
    register: Register, home: Path, diagnose: Diagnose
) -> None:
    """As when the environment it was installed in is gone."""
    register()
    file = home / ".claude.json"
    whole = json.loads(file.read_bytes())
    whole["mcpServers"]["local-models"]["command"] = "/gone/python"
    write(file, json.dumps(whole))
    (finding,) = diagnose()[CHECK]
    assert finding.verdict == "fault"
    assert "/gone/python is not there" in finding.what
    assert finding.todo == "Run `claude-tier install --mcp`."


def test_a_registration_that_is_gone_is_a_warning(
    register: Register, home: Path, diagnose: Diagnose
) -> None:
    """Removed in the client, but not here."""
    register()
    write(home / ".claude.json", "{}")
    (finding,) = diagnose()[CHECK]
    assert (finding.verdict, finding.what) == ("warning", "no longer registered (for you)")


def test_a_projects_server_is_what_path_has(
    register: Register, work: Path, path: Path, diagnose: Diagnose
) -> None:
    """The shared entry names no folder of this machine."""
    register("project", work)
    (finding,) = diagnose()[CHECK]
    assert (finding.verdict, finding.todo) == (
        "fault",
        "The project starts `claude-tier` from PATH: install claude-tier there.",
    )
    hello = '{"jsonrpc": "2.0", "id": 1, "result": {"serverInfo": {"name": "local-models"}}}'
    write(path / "claude-tier", f"#!/bin/sh\necho '{hello}'\n").chmod(0o755)
    (finding,) = diagnose()[CHECK]
    assert finding.verdict == "ok"

"""Whether the MCP server of local models, once registered, is what Claude Code can start."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Sequence

from claude_tier.errors import UserError
from claude_tier.install import client_file, files, manifest, mcp_json, settings, tool_server
from claude_tier.install.doctor.machine import Machine
from claude_tier.install.doctor.registration import install_command
from claude_tier.install.doctor.report import Finding, fault, ok, warning
from claude_tier.install.json_text import JsonError
from claude_tier.install.manifest import Manifest
from claude_tier.install.scopes import Target
from claude_tier.local_models import NAME

CHECK = "local models"
SECONDS = 30
HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "claude-tier doctor", "version": "1"},
    },
}


def local_models(machine: Machine) -> Iterator[Finding]:
    """Every registration there is, or was made, starts a server that speaks."""
    for target in machine.targets:
        words = _words(target)
        todo = f"Run `{install_command(target)} --mcp`."
        if words is not None:
            yield _started(words, machine, target, todo)
        elif _was_registered(target, machine):
            yield warning(CHECK, f"no longer registered ({_place(target)})", todo)


def _words(target: Target) -> Sequence[str] | None:
    """What a registration of ours starts; None where there is none."""
    if target.is_shared:
        command, args = mcp_json.ENTRY["command"], mcp_json.ENTRY["args"]
        assert isinstance(args, list)
        return [str(command), *args] if _in_file(target) else None
    entry = client_file.server(target, NAME)
    if entry is None or not tool_server.is_ours(entry):
        return None
    args = entry.get("args")
    return [str(entry.get("command")), *(args if isinstance(args, list) else [])]


def _in_file(target: Target) -> bool:
    content = files.read(tool_server.file(target))
    try:
        return content is not None and mcp_json.has_ours(settings.decode(content))
    except JsonError:
        return False


def _was_registered(target: Target, machine: Machine) -> bool:
    known = machine.manifest if not target.is_shared else _manifest(target)
    install = known.find(target.place)
    return install is not None and install.tool_server is not None


def _manifest(target: Target) -> Manifest:
    try:
        return manifest.load(target.manifest, files.read(target.manifest))
    except UserError:  # a clone's, and damaged
        return Manifest()


def _started(words: Sequence[str], machine: Machine, target: Target, todo: str) -> Finding:
    problem = _problem(words, {**os.environ, **machine.environ})
    if problem is None:
        return ok(CHECK, f"registered ({_place(target)}), and the server starts")
    if target.is_shared:
        todo = f"The project starts `{words[0]}` from PATH: install claude-tier there."
    return fault(CHECK, f"the registered server ({_place(target)}) does not start: {problem}", todo)


def _problem(words: Sequence[str], environ: dict[str, str]) -> str | None:
    """Why it does not answer a first message; None where it does."""
    try:
        done = subprocess.run(
            words, input=json.dumps(HELLO) + "\n", capture_output=True, text=True,
            errors="replace", timeout=SECONDS, check=False, env=environ,
        )  # fmt: skip
    except FileNotFoundError:
        return f"{words[0]} is not there"
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)
    if f'"{NAME}"' in done.stdout:
        return None
    lines = done.stderr.strip().splitlines()
    return lines[-1] if lines else f"it said nothing, exit code {done.returncode}"


def _place(target: Target) -> str:
    return "for you" if target.root is None else str(target.root)

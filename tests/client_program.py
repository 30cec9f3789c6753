"""A stand-in for `claude` where only its `mcp add` and `mcp remove` are wanted: a program on PATH.

It keeps servers where the client does, and refuses what the client 2.1.329 refuses. That the real
one does as much is shown in e2e/test_mcp.py.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

SAID = "2.1.329 (Claude Code)"


def put(folder: Path) -> Path:
    """Make it the `claude` of that folder."""
    program = folder / "claude"
    program.write_text(f"#!{sys.executable}\n{Path(__file__).read_text('utf-8')}")
    program.chmod(0o755)
    return program


def main(arguments: list[str]) -> int:
    if arguments[0] != "mcp":
        sys.stdout.write(f"{SAID}\n")
        return 0
    _, verb, _, scope, name, *words = arguments
    file = Path.home() / ".claude.json"
    whole = json.loads(file.read_text()) if file.exists() else {}
    holder = whole if scope == "user" else _project(whole)
    servers = holder.setdefault("mcpServers", {})
    if (name in servers) == (verb == "add"):
        trouble = "already exists" if verb == "add" else "is not there"
        sys.stderr.write(f"MCP server {name} {trouble}\n")
        return 1
    if verb == "add":
        servers[name] = {"type": "stdio", "command": words[1], "args": words[2:], "env": {}}
    else:
        del servers[name]
    file.write_text(json.dumps(whole, indent=2))
    return 0


def _project(whole: dict) -> dict:  # type: ignore[type-arg]
    projects = whole.setdefault("projects", {})
    found: dict = projects.setdefault(str(Path.cwd()), {})  # type: ignore[type-arg]
    return found


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

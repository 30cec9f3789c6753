"""What the client has registered for a user: read from its own file, which only it may write."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from claude_tier_hooks import project

from claude_tier.install.scopes import Target

NAME = ".claude.json"


def path(target: Target, environ: Mapping[str, str] = os.environ) -> Path:
    """In the folder that CLAUDE_CONFIG_DIR names, else beside the usual one."""
    named = environ.get("CLAUDE_CONFIG_DIR")
    return (target.config if named else target.config.parent) / NAME


def server(target: Target, name: str) -> dict[str, object] | None:
    """The MCP server of that name for the user, or for the user in that project; None for none."""
    try:
        whole = json.loads(path(target).read_bytes())
    except (OSError, ValueError):
        return None
    found = (
        _table(_table(holder).get("mcpServers")).get(name) for holder in _holders(whole, target)
    )
    return next((each for each in found if isinstance(each, dict)), None)


def _holders(whole: object, target: Target) -> Iterator[object]:
    if target.root is None:
        yield whole
        return
    projects = _table(_table(whole).get("projects"))
    # The client files a folder under the root of its repository.
    for folder in dict.fromkeys([str(target.root), project.root(str(target.root))]):
        yield projects.get(folder)


def _table(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}

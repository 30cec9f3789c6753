"""A project's .mcp.json with our server in it, and the same file without, every other byte kept."""

from __future__ import annotations

from pathlib import PurePath

from claude_tier.install import json_edit, json_text
from claude_tier.install.json_edit import Padding
from claude_tier.install.json_text import BOM, JsonError, Node
from claude_tier.install.manifest import Container, Settings
from claude_tier.install.settings import Merged, is_blank
from claude_tier.local_models import NAME

SERVERS = "mcpServers"
PROGRAM = "claude-tier"
# Committed for everyone who clones the project, so that it names nothing of this machine.
ENTRY: dict[str, object] = {"type": "stdio", "command": PROGRAM, "args": ["mcp"]}


def merge(text: str | None, record: Settings | None) -> Merged:
    """The file with our server; raises JsonError, also where another server has its name."""
    entry = None if text is None or is_blank(text) else _entry(_parse(text))
    if text is not None and entry is not None and not is_ours(entry.value):
        raise JsonError(text, entry.start, f'another MCP server is named "{NAME}" here')
    if text is not None and entry is not None and record is not None:
        return Merged(text, record)
    base = None if text is None else unmerge(text, record)
    merged = _add(base)
    if unmerge(merged.text, merged.record) != base:
        raise RuntimeError("our server could not be taken out again to the byte")
    if text is not None and entry is not None and merged.text != text:
        return Merged(text, Settings())  # a colleague's, perhaps with more in it
    return merged


def unmerge(text: str, record: Settings | None) -> str | None:
    """The file without our server; None where the file itself was ours."""
    if is_blank(text):
        return text
    servers = _parse(text).get(SERVERS)
    entry = servers.get(NAME) if servers else None
    if servers is not None and entry is not None and is_ours(entry.value):
        text = json_edit.delete(text, servers, servers.index(NAME), _padding(record, (SERVERS,)))
        text = _drop_empty(text, record)
    if record is None or json_text.parse(text).members:
        return text
    return None if record.created else text if record.blank is None else record.blank


def has_ours(text: str) -> bool:
    """Whether our server is in it; raises JsonError."""
    entry = None if is_blank(text) else _entry(_parse(text))
    return entry is not None and is_ours(entry.value)


def is_ours(value: object) -> bool:
    """Whether a server starts `claude-tier mcp` from PATH, with whatever somebody added to it."""
    if not isinstance(value, dict):
        return False
    command = value.get("command")
    named = isinstance(command, str) and PurePath(command).name == PROGRAM
    return named and value.get("args") == ENTRY["args"]


def _parse(text: str) -> Node:
    root = json_text.parse(text)
    if not root.is_object:
        raise JsonError(text, root.start, "the file must hold an object")
    servers = root.get(SERVERS)
    if servers is not None and not servers.is_object:
        raise JsonError(text, servers.start, f'"{SERVERS}" must be an object')
    return root


def _entry(root: Node) -> Node | None:
    servers = root.get(SERVERS)
    return servers.get(NAME) if servers else None


def _add(base: str | None) -> Merged:
    blank = base if base is not None and is_blank(base) else None
    mark = BOM if blank and blank.startswith(BOM) else ""
    text = base if base is not None and blank is None else f"{mark}{{}}\n"
    root = _parse(text)
    style, servers = json_edit.style_of(text, root), root.get(SERVERS)
    if servers is None:
        text, padding = json_edit.append(text, root, {NAME: ENTRY}, style, name=SERVERS)
        containers = [*_filled((), padding), Container(path=(SERVERS,), created=True)]
    else:
        text, padding = json_edit.append(text, servers, ENTRY, style, name=NAME)
        containers = _filled((SERVERS,), padding)
    return Merged(text, Settings(created=base is None, blank=blank, containers=tuple(containers)))


def _filled(path: tuple[str, ...], padding: Padding | None) -> list[Container]:
    return [Container(path=path, lead=padding.lead, trail=padding.trail)] if padding else []


def _drop_empty(text: str, record: Settings | None) -> str:
    """Take out the table of servers that came with ours; without a record, an empty one did."""
    root = json_text.parse(text)
    servers, made = root.get(SERVERS), record.container((SERVERS,)) if record else None
    came_with_us = record is None or (made is not None and made.created)
    if servers is None or servers.spans or not came_with_us:
        return text
    return json_edit.delete(text, root, root.index(SERVERS), _padding(record, ()))


def _padding(record: Settings | None, path: tuple[str, ...]) -> Padding | None:
    container = record.container(path) if record else None
    return Padding(container.lead, container.trail) if container else None

"""The status line: ours runs the user's own and adds to it; their command is put back exactly."""

from __future__ import annotations

import json
from typing import NamedTuple

from claude_tier.install import json_edit, json_text
from claude_tier.install.entries import Runtime, chained, is_ours, mentions_us
from claude_tier.install.json_edit import Padding, Style
from claude_tier.install.json_text import JsonError, Node
from claude_tier.install.manifest import Container, Settings, StatusLine

KEY = "statusLine"


class Added(NamedTuple):
    """The text with our status line; no record where a line that already runs ours was left."""

    text: str
    record: StatusLine | None
    padding: Padding | None = None


def chain_of(record: Settings | None) -> str | None:
    """The user's own command, which ours runs."""
    original = record.status_line.original if record and record.status_line else None
    return None if original is None else str(json.loads(original))


def check(text: str, root: Node) -> None:
    """Refuse a status line that the client would drop the whole file for."""
    line = root.get(KEY)
    if line is None:
        return
    command = line.get("command")
    if not line.is_object or command is None or not isinstance(command.value, str):
        raise JsonError(text, line.start, f'"{KEY}" must be an object with a string "command"')
    if any("\ud800" <= character <= "\udfff" for character in command.value):
        raise JsonError(text, command.start, "half a surrogate pair in a command")


def is_current(text: str, runtime: Runtime, record: Settings) -> bool:
    """Whether the line is as `add` would leave it."""
    line = json_text.parse(text).get(KEY)
    command = line.get("command") if line else None
    if line is None or command is None:
        return False
    if is_ours(line.value):
        return record.status_line is not None and command.value == runtime.status_line(
            chain_of(record)
        )
    return mentions_us(str(command.value))


def add(text: str, style: Style, runtime: Runtime) -> Added:
    """Our status line in a text that has none of ours."""
    root = json_text.parse(text)
    line = root.get(KEY)
    command = line.get("command") if line else None
    if command is None:
        value = {"type": "command", "command": runtime.status_line(None)}
        added, padding = json_edit.append(text, root, value, style, name=KEY)
        return Added(added, StatusLine(), padding)
    theirs = str(command.value)
    if mentions_us(theirs):  # a wrapper that runs ours: to chain it would never end
        return Added(text, None)
    token = json.dumps(runtime.status_line(theirs), ensure_ascii=False)
    original = text[command.start : command.end]
    return Added(json_edit.replace(text, command, token), StatusLine(original=original))


def restore(text: str, record: Settings | None) -> str:
    """The text with the user's own line back, or none; one that is not ours stays."""
    root = json_text.parse(text)
    line = root.get(KEY)
    command = line.get("command") if line else None
    if line is None or command is None or not is_ours(line.value):
        return text
    original = _original(str(command.value), record)
    if original is not None:
        return json_edit.replace(text, command, original)
    return json_edit.delete(text, root, root.index(KEY), _root_padding(record))


def _original(command: str, record: Settings | None) -> str | None:
    """The user's command as a JSON token; read out of ours where no record is left."""
    if record and record.status_line:
        return record.status_line.original
    theirs = chained(command)
    return None if theirs is None else json.dumps(theirs, ensure_ascii=False)


def _root_padding(record: Settings | None) -> Padding | None:
    root: Container | None = record.container(()) if record else None
    return Padding(root.lead, root.trail) if root else None

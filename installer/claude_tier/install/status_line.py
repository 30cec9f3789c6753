"""The lines shown in a session: ours run the user's own and add to them; these come back exactly.

`statusLine` is below the prompt, `subagentStatusLine` the row of each running subagent.
"""

from __future__ import annotations

import json
from typing import Literal, NamedTuple

from claude_tier.install import json_edit, json_text
from claude_tier.install.entries import Runtime, chained, is_ours, mentions_us
from claude_tier.install.json_edit import Padding, Style
from claude_tier.install.json_text import JsonError, Node
from claude_tier.install.manifest import Container, Settings, StatusLine


class Line(NamedTuple):
    """A key of the settings, and what our records, the policy and the script call it."""

    key: str
    name: Literal["status_line", "subagent_line"]
    words: str

    def command(self, runtime: Runtime, chain: str | None) -> str:
        return runtime.line(f"{self.name}.py", chain)

    def record(self, settings: Settings | None) -> StatusLine | None:
        if settings is None:
            return None
        return settings.status_line if self.name == "status_line" else settings.subagent_line


STATUS = Line("statusLine", "status_line", "status line")
SUBAGENTS = Line("subagentStatusLine", "subagent_line", "line of subagents")
LINES = (STATUS, SUBAGENTS)


class Added(NamedTuple):
    """The text with our line; no record where a line that already runs ours was left."""

    text: str
    record: StatusLine | None
    padding: Padding | None = None


def chain_of(record: Settings | None, line: Line = STATUS) -> str | None:
    """The user's own command, which ours runs."""
    own = line.record(record)
    return None if own is None or own.original is None else str(json.loads(own.original))


def check(text: str, root: Node) -> None:
    """Refuse a status line that the client would drop the whole file for."""
    line = root.get(STATUS.key)
    if line is None:
        return
    if not _is_line(line):
        message = f'"{STATUS.key}" must be an object with a string "command"'
        raise JsonError(text, line.start, message)
    command = line.get("command")
    if command is not None and _is_torn(command):
        raise JsonError(text, command.start, "half a surrogate pair in a command")


def is_current(text: str, runtime: Runtime, record: Settings) -> bool:
    """Whether the lines are as `add` would leave them."""
    root = json_text.parse(text)
    return all(_is_current(root.get(line.key), line, runtime, record) for line in LINES)


def _is_current(node: Node | None, line: Line, runtime: Runtime, record: Settings) -> bool:
    command = _command(node)
    if node is None or command is None:
        return node is not None and line is SUBAGENTS
    if is_ours(node.value):
        own = line.command(runtime, chain_of(record, line))
        return line.record(record) is not None and command.value == own
    return mentions_us(str(command.value))


def add(text: str, style: Style, runtime: Runtime, line: Line) -> Added:
    """Our line in a text that has none of ours.

    A line of subagents that the client ignores, because it is no command, is left as it is.
    """
    root = json_text.parse(text)
    node = root.get(line.key)
    if node is None:
        value = {"type": "command", "command": line.command(runtime, None)}
        added, padding = json_edit.append(text, root, value, style, name=line.key)
        return Added(added, StatusLine(), padding)
    command = _command(node)
    if command is None:
        return Added(text, None)
    theirs = str(command.value)
    if mentions_us(theirs):  # a wrapper that runs ours: to chain it would never end
        return Added(text, None)
    token = json.dumps(line.command(runtime, theirs), ensure_ascii=False)
    original = text[command.start : command.end]
    return Added(json_edit.replace(text, command, token), StatusLine(original=original))


def restore(text: str, record: Settings | None) -> str:
    """The text with the user's own lines back, or none; one that is not ours stays."""
    for line in reversed(LINES):
        text = _restored(text, record, line)
    return text


def _restored(text: str, record: Settings | None, line: Line) -> str:
    root = json_text.parse(text)
    node = root.get(line.key)
    command = node.get("command") if node else None
    if node is None or command is None or not is_ours(node.value):
        return text
    original = _original(str(command.value), line.record(record))
    if original is not None:
        return json_edit.replace(text, command, original)
    return json_edit.delete(text, root, root.index(line.key), _root_padding(record))


def _command(node: Node | None) -> Node | None:
    """The command of a line that the client would run."""
    if node is None or not _is_line(node):
        return None
    command = node.get("command")
    return None if command is None or _is_torn(command) else command


def _is_line(node: Node) -> bool:
    command = node.get("command") if node.is_object else None
    return command is not None and isinstance(command.value, str)


def _is_torn(command: Node) -> bool:
    """Half a surrogate pair, which no file can hold."""
    return any("\ud800" <= character <= "\udfff" for character in str(command.value))


def _original(command: str, own: StatusLine | None) -> str | None:
    """The user's command as a JSON token; read out of ours where no record is left."""
    if own:
        return own.original
    theirs = chained(command)
    return None if theirs is None else json.dumps(theirs, ensure_ascii=False)


def _root_padding(record: Settings | None) -> Padding | None:
    root: Container | None = record.container(()) if record else None
    return Padding(root.lead, root.trail) if root else None

"""A settings file with our entries in it, and the same file without them.

`merge` and `unmerge` work on the text: they insert and cut spans and leave every other byte as it
stands. What the client would drop is refused with its place (JsonError).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, cast

from claude_tier.install import json_edit, json_text, status_line
from claude_tier.install.entries import Group, Hooks, Runtime, is_ours
from claude_tier.install.json_edit import Padding, Style
from claude_tier.install.json_text import BOM, JsonError, Node
from claude_tier.install.manifest import Container, Settings, StatusLine

SPACE = " \t\r\n"


@dataclass(frozen=True)
class Wanted:
    """What a settings file shall hold of ours; no line in the session for a project."""

    hooks: Hooks
    status_line: Runtime | None = None


class Merged(NamedTuple):
    """The new text and how to undo it."""

    text: str
    record: Settings


class _Place(NamedTuple):
    """A group of ours, or a handler of ours (by index) in somebody else's group."""

    event: str
    group: int
    handler: int | None


def decode(content: bytes) -> str:
    """The text of a settings file; raises JsonError at the first byte that is not UTF-8."""
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        before = content[: error.start].decode()
        raise JsonError(before, len(before), "not valid UTF-8") from error


def merge(text: str | None, wanted: Wanted, record: Settings | None) -> Merged:
    """The file with our entries as they shall be; None is a file that does not exist."""
    if text is not None and record is not None and _is_current(text, wanted, record):
        return Merged(text, record)
    base = None if text is None else unmerge(text, record, _commands(wanted.hooks))
    merged = _add(base, wanted)
    if unmerge(merged.text, merged.record) != base:
        raise RuntimeError("our entries could not be taken out again to the byte")
    return merged


def unmerge(text: str, record: Settings | None, commands: tuple[str, ...] = ()) -> str | None:
    """The file without our entries; None where the file itself was ours.

    `commands` are ours as well, beside those of the record.
    """
    if is_blank(text):
        return text
    parse(text)
    text = status_line.restore(text, record)
    written = (record.commands if record else ()) + commands
    while places := list(_places(json_text.parse(text), written)):
        text = _cut(text, places[-1], record)
    return text if record is None or json_text.parse(text).members else _emptied(text, record)


def ours(text: str, written: tuple[str, ...] = ()) -> Hooks:
    """Our groups in the file, by event: those that run our hooks, or a command of `written`."""
    found: Hooks = {}
    if is_blank(text):
        return found
    root = parse(text)
    for place in _places(root, written):
        group = _events(root)[place.event].items[place.group]
        found.setdefault(place.event, []).append(cast("Group", group.value))
    return found


def parse(text: str) -> Node:
    """The settings object; raises JsonError for anything else."""
    root = json_text.parse(text)
    if not root.is_object:
        raise JsonError(text, root.start, "settings must be an object")
    return root


def is_blank(text: str) -> bool:
    """Whether there is nothing in the file, which the client reads as no settings."""
    return not text.removeprefix(BOM).strip(SPACE)


def _emptied(text: str, record: Settings) -> str | None:
    if record.created:
        return None
    return text if record.blank is None else record.blank


def _is_current(text: str, wanted: Wanted, record: Settings) -> bool:
    if is_blank(text):
        return False
    _check(text, wanted)
    line = wanted.status_line is None or status_line.is_current(text, wanted.status_line, record)
    return line and ours(text, record.commands) == wanted.hooks


def _events(root: Node) -> dict[str, Node]:
    hooks = root.get("hooks")
    return {member.name: member.value for member in hooks.members} if hooks else {}


def _places(root: Node, written: tuple[str, ...]) -> Iterator[_Place]:
    """Everything of ours among the hooks, in the order of the file."""
    for event, groups in _events(root).items():
        for at, group in enumerate(groups.items):
            handlers = group.get("hooks")
            found = [is_ours(each.value, written) for each in handlers.items] if handlers else []
            if found and all(found):
                yield _Place(event, at, None)
            else:
                yield from (_Place(event, at, i) for i, is_found in enumerate(found) if is_found)


def _cut(text: str, place: _Place, record: Settings | None) -> str:
    event = _events(json_text.parse(text))[place.event]
    if place.handler is not None:
        handlers = event.items[place.group].get("hooks")
        return json_edit.delete(text, cast("Node", handlers), place.handler)
    path = ("hooks", place.event)
    text = json_edit.delete(text, event, place.group, _padding(record, path))
    return _drop_empty(_drop_empty(text, path, record), path[:1], record)


def _drop_empty(text: str, path: tuple[str, ...], record: Settings | None) -> str:
    """Take out a container that our entries have left empty, if it came with them."""
    box = json_text.parse(text)
    for name in path[:-1]:
        box = cast("Node", box.get(name))
    child = box.get(path[-1])
    if child is None or child.spans or not _came_with_us(record, path):
        return text
    return json_edit.delete(text, box, box.index(path[-1]), _padding(record, path[:-1]))


def _came_with_us(record: Settings | None, path: tuple[str, ...]) -> bool:
    """Without a record an empty container is taken for ours: it means nothing to anybody."""
    if record is None:
        return True
    container = record.container(path)
    return container is not None and container.created


def _padding(record: Settings | None, path: tuple[str, ...]) -> Padding | None:
    container = record.container(path) if record else None
    return Padding(container.lead, container.trail) if container else None


def _check(text: str, wanted: Wanted) -> None:
    """Refuse what the client would ignore or drop the file for, where it stands in our way."""
    root = parse(text)
    hooks = root.get("hooks")
    if hooks and not hooks.is_object:
        raise JsonError(text, hooks.start, '"hooks" must be an object of event names')
    for event in wanted.hooks:
        groups = hooks.get(event) if hooks else None
        if groups:
            _check_event(text, event, groups)
    if wanted.status_line:
        status_line.check(text, root)


def _check_event(text: str, event: str, groups: Node) -> None:
    if not groups.is_array:
        raise JsonError(text, groups.start, f'"hooks.{event}" must be an array')
    for group in groups.items:
        handlers = group.get("hooks")
        if handlers is None or not handlers.is_array:
            message = f'an entry of "hooks.{event}" must be an object with an array "hooks"'
            raise JsonError(text, group.start, message)


class _Draft:
    """A text that grows by our entries, and the record of how it did."""

    def __init__(self, text: str, style: Style) -> None:
        self.text = text
        self.style = style
        self.containers: dict[tuple[str, ...], Container] = {}

    def node(self, path: tuple[str, ...]) -> Node | None:
        node: Node | None = json_text.parse(self.text)
        for name in path:
            node = node.get(name) if node else None
        return node

    def append(self, path: tuple[str, ...], value: object, name: str | None = None) -> None:
        """Add a last child to the container at that path, which exists."""
        box = cast("Node", self.node(path))
        self.text, padding = json_edit.append(self.text, box, value, self.style, name=name)
        if padding:
            lead, trail = padding
            self.containers[path] = Container(path=path, lead=lead, trail=trail)

    def created(self, *path: str) -> None:
        self.containers[path] = Container(path=path, created=True)


def _add(base: str | None, wanted: Wanted) -> Merged:
    """Our entries in a file that has none of them."""
    blank = base if base is not None and is_blank(base) else None
    text = base if base is not None and blank is None else _fresh(blank)
    _check(text, wanted)
    draft = _Draft(text, json_edit.style_of(text, json_text.parse(text)))
    _add_hooks(draft, wanted.hooks)
    record = Settings(created=base is None, blank=blank, commands=_commands(wanted.hooks))
    if wanted.status_line:
        record = record.model_copy(update=_add_lines(draft, wanted.status_line))
    containers = tuple(draft.containers.values())
    return Merged(draft.text, record.model_copy(update={"containers": containers}))


def _add_lines(draft: _Draft, runtime: Runtime) -> dict[str, StatusLine | None]:
    records: dict[str, StatusLine | None] = {}
    for line in status_line.LINES:
        added = status_line.add(draft.text, draft.style, runtime, line)
        draft.text, records[line.name] = added.text, added.record
        if added.padding:
            lead, trail = added.padding
            draft.containers[()] = Container(path=(), lead=lead, trail=trail)
    return records


def _fresh(blank: str | None) -> str:
    return (BOM if blank and blank.startswith(BOM) else "") + "{}\n"


def _add_hooks(draft: _Draft, hooks: Hooks) -> None:
    if draft.node(("hooks",)) is None:
        draft.append((), hooks, "hooks")
        draft.created("hooks")
        for event in hooks:
            draft.created("hooks", event)
        return
    for event, groups in hooks.items():
        if draft.node(("hooks", event)) is None:
            draft.append(("hooks",), groups, event)
            draft.created("hooks", event)
        else:
            for group in groups:
                draft.append(("hooks", event), group)


def _commands(hooks: Hooks) -> tuple[str, ...]:
    groups = [group for groups in hooks.values() for group in groups]
    handlers = [each for group in groups for each in cast("list[Group]", group["hooks"])]
    return tuple(str(each["command"]) for each in handlers)

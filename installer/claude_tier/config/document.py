"""Reads a YAML file into plain values and remembers where each of them stands.

Stricter than YAML on purpose, because a file may come with somebody's clone: no tags, anchors or
aliases, no repeated keys, a bounded size and depth. `on`, `off`, `yes`, `no` and `12:30` are text
(YAML 1.1 reads them as booleans and a number).
"""

from __future__ import annotations

import errno
import os
import re
import stat
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from claude_tier.config.faults import (
    ConfigError,
    Fault,
    Location,
    Source,
    dotted,
    printable,
)

LARGEST = 64 * 1024  # bytes
DEEPEST = 16
UNREADABLE = "cannot be read"
# What the parser says of the commonest mistakes -> the same in plain words; the first that fits.
PLAIN = (
    (r"found character '\\t'", "a tab: YAML is indented with spaces only"),
    (r"flow sequence .*<stream end>", "a list that begins with [ is not closed with ]"),
    (r"flow mapping .*<stream end>", "a mapping that begins with { is not closed with }"),
    (r"flow node .*<stream end>", "what begins with [ or { is not closed"),
    (r"flow sequence .*expected ',' or '\]'", "a list that begins with [ lacks a comma or its ]"),
    (r"flow mapping .*expected ',' or '}'", "a mapping that begins with { lacks a comma or its }"),
    (r"quoted scalar .*end of stream", "a text in quotes is not closed"),
    (r"simple key .*expected ':'", "a key without its colon, or no space after the colon"),
    (r"scanning an alias", "text that begins with * must be in quotes"),
    (r"mapping values are not allowed",
     "a colon where none may be: look at the indentation, or put the text in quotes"),
    (r"expected <block end>", "is indented otherwise than the lines it belongs to"),
)  # fmt: skip

Value = object
Place = tuple[int, int]


@dataclass(frozen=True)
class Document:
    """The values of one file; `places` has the line and column of every key and list item."""

    source: Source
    values: dict[str, Value]
    places: dict[Location, Place]
    faults: tuple[Fault, ...] = ()

    def fault(self, location: Location, message: str) -> Fault:
        """A fault at that key, or at the nearest one above it that is written in the file."""
        depth = len(location)
        while depth and location[:depth] not in self.places:
            depth -= 1
        line, column = self.places.get(location[:depth], (0, 0))
        return Fault(self.source.path, line, column, dotted(location), message)


def read(path: Path, *, follow_links: bool = True) -> Document:
    """The document at that path, an empty one when there is no file; raises ConfigError."""
    return parse(*text_of(path, follow_links=follow_links))


def text_of(path: Path, *, follow_links: bool = True) -> tuple[Source, str]:
    """The version and the text of that file, no text when there is none; raises ConfigError."""
    source, content = _bytes(path, follow_links=follow_links)
    try:
        return source, content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _refused(source, "is not UTF-8 text", (line, 1)) from None


def _bytes(path: Path, *, follow_links: bool) -> tuple[Source, bytes]:
    # O_NONBLOCK: a named pipe in a clone must not hang the command that looks at it.
    flags = os.O_RDONLY | os.O_NONBLOCK | (0 if follow_links else os.O_NOFOLLOW)
    try:
        with open(path, "rb", opener=lambda name, _: os.open(name, flags)) as stream:
            status = os.fstat(stream.fileno())
            content = stream.read(LARGEST + 1) if stat.S_ISREG(status.st_mode) else None
    except (FileNotFoundError, NotADirectoryError):
        if path.is_symlink():
            raise _refused(Source(path), "is a link to a file that does not exist") from None
        return Source(path), b""
    except OSError as error:
        message = _why(error, follow_links=follow_links)
        source = replace(_unread(path), unread=message.startswith(UNREADABLE))
        raise _refused(source, message) from None
    if content is None:
        raise _refused(_unread(path), "is not a regular file")
    if len(content) > LARGEST:
        raise _refused(_unread(path), f"is larger than {LARGEST} bytes")
    return Source(path, len(content), status.st_mtime_ns, zlib.crc32(content)), content


def _why(error: OSError, *, follow_links: bool) -> str:
    if error.errno == errno.ELOOP and not follow_links:
        return "is a symbolic link, which the file of a project may not be"
    if error.errno == errno.EISDIR:
        return "is not a regular file"
    return f"{UNREADABLE}: {error.strerror}"


def _unread(path: Path) -> Source:
    """The version of a file whose content was not looked at."""
    try:
        status = path.stat()
    except OSError:
        return Source(path)
    return Source(path, status.st_size, status.st_mtime_ns)


def _refused(source: Source, message: str, place: Place = (0, 0)) -> ConfigError:
    return ConfigError(source, [Fault(source.path, *place, "", message)])


def parse(source: Source, text: str) -> Document:
    """The document in that text of a file; raises ConfigError."""
    try:
        root = yaml.compose(text, _Loader)
    except yaml.MarkedYAMLError as error:
        raise _refused(source, *_syntax_fault(error)) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        message = "holds a character that YAML does not allow"
        raise _refused(source, message, (line, 1)) from None
    reading = _Reading(source.path)
    values = reading.value(root, ()) if root else None
    if values is None and not reading.faults:
        return Document(source, {}, {})
    if not isinstance(values, dict):
        assert root
        reading.fault(root, (), "must hold keys and values, such as `preset: balanced`")
        raise ConfigError(source, reading.faults)
    return Document(source, values, reading.places, tuple(reading.faults))


def _syntax_fault(error: yaml.MarkedYAMLError) -> tuple[str, Place]:
    mark = error.problem_mark or error.context_mark
    message = error.problem or "is not valid YAML"
    whole = f"{error.context or ''} {message}"
    plain = next((words for pattern, words in PLAIN if re.search(pattern, whole)), None)
    if plain is None and message.startswith("but "):
        message = f"{error.context} {message}"
    return plain or printable(message), (mark.line + 1, mark.column + 1) if mark else (0, 0)


class _Loader(yaml.SafeLoader):
    """Composes nodes only; nothing is ever constructed by YAML itself."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if getattr(event, "anchor", None):  # an alias has one too
            raise _refusal("anchors and aliases are not supported", event.start_mark)
        if self.depth >= DEEPEST:
            raise _refusal("is nested too deeply", event.start_mark)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def _refusal(problem: str, mark: yaml.Mark) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=mark)


_CORE = "tag:yaml.org,2002:"
_Loader.yaml_implicit_resolvers = {}
for _kind, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9][0-9_]*", list("-+0123456789")),
    (
        "float",
        r"[-+]?(?:(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|\.(?:inf|Inf|INF))"
        r"|\.(?:nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
):
    _Loader.add_implicit_resolver(_CORE + _kind, re.compile(rf"(?:{_pattern})\Z"), _first)


class _Reading:
    """Turns nodes into values; collects places, and faults instead of stopping at the first."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.places: dict[Location, Place] = {}
        self.faults: list[Fault] = []

    def fault(self, node: yaml.Node, location: Location, message: str) -> None:
        line, column = _place(node)
        self.faults.append(Fault(self.path, line, column, dotted(location), message))

    def value(self, node: yaml.Node, location: Location) -> Value:
        kind = node.tag.removeprefix(_CORE)
        if isinstance(node, yaml.MappingNode) and kind == "map":
            return self._mapping(node, location)
        if isinstance(node, yaml.SequenceNode) and kind == "seq":
            return self._sequence(node, location)
        if isinstance(node, yaml.ScalarNode) and kind in _SCALARS:
            return self._scalar(node, kind, location)
        self.fault(node, location, f"the tag {printable(node.tag)} is not supported")
        return None

    def _scalar(self, node: yaml.ScalarNode, kind: str, location: Location) -> Value:
        try:
            return _SCALARS[kind](node.value)
        except (ValueError, KeyError):
            self.fault(node, location, f"'{printable(node.value)}' is not a usable {kind}")
            return None

    def _sequence(self, node: yaml.SequenceNode, location: Location) -> list[Value]:
        items = []
        for index, item in enumerate(node.value):
            here = (*location, index)
            self.places[here] = _place(item)
            items.append(self.value(item, here))
        return items

    def _mapping(self, node: yaml.MappingNode, location: Location) -> dict[str, Value]:
        values: dict[str, Value] = {}
        for key, item in node.value:
            here = (*location, key.value)
            if not isinstance(key, yaml.ScalarNode):
                self.fault(key, location, "a key must be text")
            elif key.value in values:
                first = self.places[here][0]
                self.fault(key, here, f"is given twice, first on line {first}")
            else:
                self.places[here] = _place(key)
                values[key.value] = self.value(item, here)
        return values


def _place(node: yaml.Node) -> Place:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _integer(text: str) -> int:
    digits = text.replace("_", "")
    if len(digits) > 18:
        raise ValueError(text)
    return int(digits)


def _plain(number: str) -> str:
    """What Python reads as the same float: 1_000.5 -> 1000.5, .inf -> inf."""
    return re.sub(r"\.(?=inf|nan)", "", number.replace("_", "").lower())


_SCALARS: dict[str, Callable[[str], Value]] = {
    "null": lambda _: None,
    "bool": lambda text: {"true": True, "false": False}[text.lower()],
    "int": _integer,
    "float": lambda text: float(_plain(text)),
    "str": str,
}

"""Puts missing keys into a YAML text; every character that stands there stays as it is.

A key that is there is never changed, only added to where both sides are mappings. Whether the
result means what it should is for the caller to check: unusual YAML is not understood here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import yaml

Additions = Mapping[str, object]  # values are text, numbers, booleans, or mappings of these

STEP = 2
LONGEST = 88  # columns of a mapping that is written in one line
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*\Z")
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*(?::[A-Za-z0-9_./-]+)*\Z")
_WORDS = frozenset({"true", "false", "null", "on", "off", "yes", "no"})  # true, to some YAML


class Insertion(NamedTuple):
    """Text that goes in at that index of the old one."""

    at: int
    text: str


def inserted(text: str, additions: Additions) -> str:
    """The text with what it lacks of `additions`; the same text where it lacks nothing."""
    root = yaml.compose(text, yaml.SafeLoader)
    newline = "\r\n" if "\r\n" in text else "\n"
    if isinstance(root, yaml.MappingNode):
        found = list(_missing(_Place(text, newline), root, additions))
    else:
        found = [Insertion(len(text), _ending(text, newline) + _block(additions, 0, newline))]
    for each in sorted(found, key=lambda one: one.at, reverse=True):
        text = text[: each.at] + each.text + text[each.at :]
    return text


class _Place(NamedTuple):
    text: str
    newline: str

    def after(self, node: yaml.Node) -> int:
        """Where the line begins that follows the node's last one."""
        leaf = _last_leaf(node)
        index = int(leaf.end_mark.index)
        if leaf.end_mark.column == 0 and leaf.end_mark.line > leaf.start_mark.line:
            return index  # a block of text ends with its line
        end = self.text.find("\n", index)
        return len(self.text) if end < 0 else end + 1


def _last_leaf(node: yaml.Node) -> yaml.Node:
    """The last thing written of it: a block's own end lies behind the comments that follow."""
    while not getattr(node, "flow_style", True) and node.value:
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    return node


def _missing(place: _Place, node: yaml.MappingNode, additions: Additions) -> Iterator[Insertion]:
    there = {key.value: value for key, value in node.value}
    lacking = {key: value for key, value in additions.items() if key not in there}
    if lacking:
        yield _flow_entries(node, lacking) if node.flow_style else _entries(place, node, lacking)
    for key, value in additions.items():
        below = there.get(key)
        if not isinstance(value, Mapping) or below is None:
            continue
        if isinstance(below, yaml.MappingNode):
            yield from _missing(place, below, value)
        elif below.value == "":
            yield _filled(place, node, below, value)


def _entries(place: _Place, node: yaml.MappingNode, lacking: Additions) -> Insertion:
    column = node.value[0][0].start_mark.column
    at = len(place.text) if column == 0 else place.after(node)
    ending = _ending(place.text[:at], place.newline)
    return Insertion(at, ending + _block(lacking, column, place.newline))


def _flow_entries(node: yaml.MappingNode, lacking: Additions) -> Insertion:
    inside = _inline(lacking)[1:-1]
    return Insertion(node.start_mark.index + 1, f"{inside}, " if node.value else inside)


def _filled(place: _Place, node: yaml.MappingNode, empty: yaml.Node, value: Additions) -> Insertion:
    """Entries for a key that has none: `router:` and nothing behind it."""
    if node.flow_style:
        return Insertion(empty.end_mark.index, f" {_inline(value)}")
    column = node.value[0][0].start_mark.column + STEP
    at = place.after(empty)
    return Insertion(
        at, _ending(place.text[:at], place.newline) + _block(value, column, place.newline)
    )


def _ending(before: str, newline: str) -> str:
    return "" if not before or before.endswith("\n") else newline


def _block(entries: Additions, column: int, newline: str) -> str:
    return "".join(f"{line}{newline}" for line in _lines(entries, column))


def _lines(entries: Additions, column: int) -> Iterator[str]:
    for key, value in entries.items():
        start = f"{' ' * column}{_scalar(key, _KEY)}:"
        line = f"{start} {_inline(value)}"
        if isinstance(value, Mapping) and value and (column == 0 or len(line) > LONGEST):
            yield start
            yield from _lines(value, column + STEP)
        else:
            yield line


def _inline(value: object) -> str:
    if isinstance(value, Mapping):
        inside = ", ".join(f"{_scalar(key, _KEY)}: {_inline(one)}" for key, one in value.items())
        return f"{{{inside}}}"
    return _scalar(value)


def _scalar(value: object, plain: re.Pattern[str] = _PLAIN) -> str:
    """A text that could be read as something else is quoted, as JSON does it."""
    if isinstance(value, str) and plain.match(value) and value.lower() not in _WORDS:
        return value
    return json.dumps(value, ensure_ascii=False)

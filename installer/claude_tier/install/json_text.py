"""JSON with positions: where each value stands in the text, so that the rest is never rewritten.

As strict as the client's own reader, and stricter about duplicate keys, of which the client keeps
only the last without a word.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, NoReturn

BOM = "\ufeff"
MAX_DEPTH = 200  # real settings need six

_SPACE = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_STRING = re.compile(
    r'"[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*'  # up to the quote
)
_LITERALS = {"true": True, "false": False, "null": None}
_EXACT_DIGITS = 15  # longer integers are compared as floats, as the client does


class JsonError(ValueError):
    """The text is not the JSON we accept; line and column count from 1."""

    def __init__(self, text: str, position: int, message: str) -> None:
        self.line = text.count("\n", 0, position) + 1
        start = text.rfind("\n", 0, position) + 1
        self.column = position - start + 1 - text.startswith(BOM, start, position)
        super().__init__(message)


class Member(NamedTuple):
    """One `"name": value` of an object; it starts at its name."""

    name: str
    start: int
    value: Node


@dataclass(frozen=True)
class Node:
    """One value: its span in the text, what it means, and its parts with their own spans."""

    start: int
    end: int
    value: object
    members: tuple[Member, ...] = ()
    items: tuple[Node, ...] = ()

    @property
    def spans(self) -> tuple[tuple[int, int], ...]:
        """Start and end of each child, member names included."""
        if self.members:
            return tuple((member.start, member.value.end) for member in self.members)
        return tuple((item.start, item.end) for item in self.items)

    @property
    def is_object(self) -> bool:
        return isinstance(self.value, dict)

    @property
    def is_array(self) -> bool:
        return isinstance(self.value, list)

    def get(self, name: str) -> Node | None:
        return next((member.value for member in self.members if member.name == name), None)

    def index(self, name: str) -> int:
        return next(i for i, member in enumerate(self.members) if member.name == name)


# A change asks for the same few texts a dozen times: to make it, and to see that it can be undone.
@lru_cache(maxsize=16)
def parse(text: str) -> Node:
    """The one value in the text; a leading byte order mark is passed over. Raises JsonError."""
    scanner = _Scanner(text)
    root = scanner.value(scanner.skip(1 if text.startswith(BOM) else 0), 0)
    end = scanner.skip(root.end)
    if end != len(text):
        scanner.fail(end, "something follows the end of the value")
    return root


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text

    def fail(self, position: int, message: str) -> NoReturn:
        if self.text.startswith(("//", "/*", "#"), position):
            message = "JSON has no comments"
        raise JsonError(self.text, position, message)

    def skip(self, position: int) -> int:
        found = _SPACE.match(self.text, position)
        return found.end() if found else position

    def value(self, position: int, depth: int) -> Node:
        if depth > MAX_DEPTH:
            self.fail(position, f"nested more than {MAX_DEPTH} levels deep")
        first = self.text[position : position + 1]
        if first == "{":
            return self.object(position, depth)
        if first == "[":
            return self.array(position, depth)
        return self.string(position) if first == '"' else self.scalar(position)

    def string(self, position: int) -> Node:
        found = _STRING.match(self.text, position)
        end = found.end() if found else position
        if self.text[end : end + 1] != '"':
            self.fail(end, _string_fault(self.text[end : end + 1]))
        return Node(position, end + 1, json.loads(self.text[position : end + 1]))

    def scalar(self, position: int) -> Node:
        for word, meaning in _LITERALS.items():
            if self.text.startswith(word, position):
                return Node(position, position + len(word), meaning)
        found = _NUMBER.match(self.text, position)
        if not found:
            self.fail(position, "expected a value")
        return Node(position, found.end(), _number(found))

    def array(self, position: int, depth: int) -> Node:
        items: list[Node] = []
        at, closed = self._open(position, "]")
        while not closed:
            items.append(self.value(at, depth + 1))
            at, closed = self._next(items[-1].end, "]")
        return Node(position, at + 1, [item.value for item in items], items=tuple(items))

    def object(self, position: int, depth: int) -> Node:
        members: dict[str, Member] = {}
        at, closed = self._open(position, "}")
        while not closed:
            member = self._member(at, depth)
            if member.name in members:
                self.fail(at, f"the key {json.dumps(member.name)} stands here twice")
            members[member.name] = member
            at, closed = self._next(member.value.end, "}")
        value = {name: member.value.value for name, member in members.items()}
        return Node(position, at + 1, value, members=tuple(members.values()))

    def _member(self, position: int, depth: int) -> Member:
        if self.text[position : position + 1] != '"':
            self.fail(position, "expected a key in double quotes")
        name = self.string(position)
        colon = self.skip(name.end)
        if self.text[colon : colon + 1] != ":":
            self.fail(colon, "expected a colon")
        return Member(str(name.value), position, self.value(self.skip(colon + 1), depth + 1))

    def _open(self, position: int, bracket: str) -> tuple[int, bool]:
        """Where the first child starts, or the closing bracket of an empty one."""
        at = self.skip(position + 1)
        return at, self.text.startswith(bracket, at)

    def _next(self, end: int, bracket: str) -> tuple[int, bool]:
        """Where the child after a comma starts, or the closing bracket."""
        at = self.skip(end)
        if self.text.startswith(bracket, at):
            return at, True
        if not self.text.startswith(",", at):
            self.fail(at, f"expected a comma or {bracket}")
        following = self.skip(at + 1)
        if self.text.startswith(bracket, following):
            self.fail(at, f"a comma stands before the closing {bracket}")
        return following, False


def _string_fault(mark: str) -> str:
    if mark == "\\":
        return "an invalid escape in a string"
    return "a control character in a string" if mark else "a string is not closed"


def _number(found: re.Match[str]) -> float:
    digits = found.group()
    exact = not found.group(1) and not found.group(2) and len(digits) <= _EXACT_DIGITS
    return int(digits) if exact else float(digits)

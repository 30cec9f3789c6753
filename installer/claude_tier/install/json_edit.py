"""Put a value into JSON text, or take one out, without touching a byte of anything else."""

from __future__ import annotations

import json
from typing import NamedTuple

from claude_tier.install.json_text import Node


class Style(NamedTuple):
    """How a file is laid out: newline "" means on one line."""

    newline: str = "\n"
    indent: str = "  "
    gap: str = " "  # after colons, and after commas on one line


class Padding(NamedTuple):
    """The white space put around the first child of what had been an empty container."""

    lead: str
    trail: str


def style_of(text: str, root: Node) -> Style:
    """The layout of an object, read off its first member."""
    if not root.members:
        return Style()
    first = root.members[0]
    colon = text[first.start : first.value.start]
    gap = " " if colon.endswith((" ", "\t")) else ""
    before = text[root.start + 1 : first.start]
    if "\n" not in before:
        return Style(newline="", indent="", gap=gap)
    newline = "\r\n" if "\r\n" in before else "\n"
    return Style(newline, before.rpartition("\n")[2], gap)


def append(
    text: str, box: Node, value: object, style: Style, *, name: str | None = None
) -> tuple[str, Padding | None]:
    """The text with the value as last child of the box; padding if the box was empty."""
    if not box.spans:
        return _fill(text, box, value, style, name)
    start, end = box.spans[-1]
    before = text[box.start + 1 : start]
    lead = before[len(before.rstrip(" \t\r\n")) :]
    if "\n" in lead:
        here = style if style.newline else Style(gap=style.gap)
        base = lead.rpartition("\n")[2]
        addition = here.newline + base + _render(value, here, base, name)
    else:
        addition = style.gap + _render(value, style._replace(newline=""), "", name)
    return text[:end] + "," + addition + text[end:], None


def _fill(
    text: str, box: Node, value: object, style: Style, name: str | None
) -> tuple[str, Padding]:
    opened = box.start + 1
    inner = text[opened : box.end - 1]
    base = _line_indent(text, box.start)
    inside = base + style.indent
    if style.newline:
        trail = "" if "\n" in inner else style.newline + base
        padding = Padding(style.newline + inside, trail)
    else:
        padding = Padding("", "")
    rendered = _render(value, style, inside, name)
    filled = padding.lead + rendered + padding.trail
    return text[:opened] + filled + text[opened:], padding


def _line_indent(text: str, position: int) -> str:
    line = text[text.rfind("\n", 0, position) + 1 : position]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _render(value: object, style: Style, base: str, name: str | None) -> str:
    label = "" if name is None else json.dumps(name) + ":" + style.gap
    if not style.newline:
        separators = ("," + style.gap, ":" + style.gap)
        return label + json.dumps(value, ensure_ascii=False, separators=separators)
    separators = (",", ":" + style.gap)
    rendered = json.dumps(value, ensure_ascii=False, indent=style.indent, separators=separators)
    return label + rendered.replace("\n", style.newline + base)


def delete(text: str, box: Node, index: int, padding: Padding | None = None) -> str:
    """The text without that child and its comma; padding is what `append` once reported."""
    spans = box.spans
    start, end = spans[index]
    if index > 0:
        return text[: spans[index - 1][1]] + text[end:]
    if len(spans) > 1:
        return text[:start] + text[spans[1][0] :]
    lead, trail = padding or ("", "")
    padded = text[box.start + 1 : start] == lead and text.startswith(trail, end)
    if padding is None or not padded:
        return text[: box.start + 1] + text[box.end - 1 :]
    return text[: box.start + 1] + text[end + len(trail) :]


def replace(text: str, node: Node, token: str) -> str:
    """The text with that value's own characters exchanged."""
    return text[: node.start] + token + text[node.end :]

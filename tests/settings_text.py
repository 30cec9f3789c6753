"""Settings files as people, editors and generators write them: any content, any layout.

The text is spelled here and not by a JSON library, because its spelling is what must survive.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from hypothesis import strategies as st

EVENTS = ("PreToolUse", "PostToolUse", "SessionStart", "Stop", "Notification", "FutureEvent")
NUMBERS = ("0", "-0", "1", "1.0", "1e3", "1E+2", "-2.50", "123456789012345678901234567890", "10")
BOM = "\ufeff"


@dataclass(frozen=True)
class Spelled:
    """A number as it is written."""

    text: str


@dataclass(frozen=True)
class Layout:
    """How a file is written; an empty newline means on one line."""

    newline: str
    indent: str
    colon: str
    comma: str
    noise: int | None  # seed of stray white space; None for a tidy file
    escaped: bool  # whether letters outside ASCII are written as escapes
    before: str
    after: str


LAYOUTS = st.builds(
    Layout,
    newline=st.sampled_from(["\n", "\n", "\r\n", ""]),
    indent=st.sampled_from(["  ", "    ", "\t", ""]),
    colon=st.sampled_from([": ", ":", " : "]),
    comma=st.sampled_from([", ", ","]),
    noise=st.none() | st.integers(0, 999),
    escaped=st.booleans(),
    before=st.sampled_from(["", "", BOM, "\n", BOM + " "]),
    after=st.sampled_from(["\n", "\n", "", "\r\n", "\n\n", " "]),
)
WORDS = st.text(
    st.sampled_from("abc xyz\"\\/\n\t{}[],:é✓\u2028😀'$`") | st.characters(codec="utf-8"),
    max_size=8,
)
SCALARS = st.none() | st.booleans() | WORDS | st.sampled_from(NUMBERS).map(Spelled)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)
HANDLERS = st.fixed_dictionaries(
    {"type": st.just("command"), "command": WORDS},
    optional={"timeout": st.sampled_from(NUMBERS).map(Spelled), "x": VALUES},
)
GROUPS = st.fixed_dictionaries(
    {"hooks": st.lists(HANDLERS, max_size=2)}, optional={"matcher": WORDS, "note": VALUES}
)
HOOKS = st.dictionaries(st.sampled_from(EVENTS), st.lists(GROUPS, max_size=2), max_size=4)
STATUS_LINES = st.fixed_dictionaries(
    {"type": st.just("command"), "command": WORDS}, optional={"padding": st.just(Spelled("0"))}
)
# The client drops a bad one of subagents and keeps the file.
SUBAGENT_LINES = STATUS_LINES | SCALARS | st.just({"type": "command"})
OURS = ("hooks", "statusLine", "subagentStatusLine")
UNKNOWN = WORDS.filter(lambda key: key not in OURS)


@st.composite
def settings_values(draw: st.DrawFn) -> dict[str, object]:
    """Any settings that the client accepts, keys in any order."""
    values: dict[str, object] = dict(draw(st.dictionaries(UNKNOWN, VALUES, max_size=4)))
    if draw(st.booleans()):
        values["hooks"] = draw(HOOKS)
    if draw(st.booleans()):
        values["statusLine"] = draw(STATUS_LINES)
    if draw(st.booleans()):
        values["subagentStatusLine"] = draw(SUBAGENT_LINES)
    return {key: values[key] for key in draw(st.permutations(list(values)))}


@st.composite
def settings_texts(draw: st.DrawFn) -> str:
    """The text of any settings file."""
    return spell(draw(settings_values()), draw(LAYOUTS))


def spell(value: object, layout: Layout) -> str:
    """The value as JSON in that layout."""
    return layout.before + _Speller(layout).value(value, "") + layout.after


class _Speller:
    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.random = None if layout.noise is None else random.Random(layout.noise)

    def value(self, value: object, base: str) -> str:
        if isinstance(value, dict):
            items = [
                self.string(key) + self.layout.colon + self.value(each, base + self.layout.indent)
                for key, each in value.items()
            ]
            return self.bracketed("{", items, "}", base)
        if isinstance(value, list):
            items = [self.value(each, base + self.layout.indent) for each in value]
            return self.bracketed("[", items, "]", base)
        return self.scalar(value)

    def scalar(self, value: object) -> str:
        if isinstance(value, Spelled):
            return value.text
        if isinstance(value, str):
            return self.string(value)
        return {None: "null", True: "true", False: "false"}[value]

    def bracketed(self, opening: str, items: list[str], closing: str, base: str) -> str:
        newline = self.layout.newline
        if not items:
            return opening + self.stray() + closing
        separator = "," + newline + base + self.layout.indent if newline else self.layout.comma
        lead, trail = (newline + base + self.layout.indent, newline + base) if newline else ("", "")
        inner = items[0] + "".join(self.stray() + separator + self.stray() + i for i in items[1:])
        return opening + lead + self.stray() + inner + self.stray() + trail + closing

    def stray(self) -> str:
        if self.random is None or self.random.random() < 0.7:
            return ""
        return "".join(self.random.choices(" \t\n\r", k=self.random.randint(1, 3)))

    def string(self, text: str) -> str:
        return '"' + "".join(self.character(each) for each in text) + '"'

    def character(self, each: str) -> str:
        short = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}
        if each in short:
            return short[each]
        if each < " " or (each > "~" and self.layout.escaped):
            units = each.encode("utf-16-be")
            return "".join(f"\\u{units[i : i + 2].hex()}" for i in range(0, len(units), 2))
        return "\\/" if each == "/" and self.layout.escaped else each

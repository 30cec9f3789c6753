"""The scanner accepts what the client accepts and knows where everything stands."""

from __future__ import annotations

import json

import pytest
from claude_tier.install.json_text import JsonError, Node, parse
from hypothesis import given
from settings_text import LAYOUTS, VALUES, Layout, settings_texts, spell


@given(settings_texts())
def test_the_meaning_is_that_of_any_json_reader(text: str) -> None:
    """Whatever the layout, the values are what the standard library reads."""
    assert parse(text).value == _read(text.removeprefix("\ufeff"))


@given(VALUES, LAYOUTS)
def test_every_span_holds_the_whole_value_and_nothing_else(value: object, layout: Layout) -> None:
    """Each span, cut out and read alone, gives the value of its node."""
    text = spell(value, layout)
    for node in _walk(parse(text)):
        assert _read(text[node.start : node.end]) == node.value


def _read(text: str) -> object:
    """The value with its numbers as the client has them."""
    return json.loads(text, parse_int=float)


def _walk(node: Node) -> list[Node]:
    children = [member.value for member in node.members] + list(node.items)
    return [node] + [each for child in children for each in _walk(child)]


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ('{\n  // mine\n  "a": 1\n}', 2, 3, "no comments"),
        ('{"a": 1 /* mine */}', 1, 9, "no comments"),
        ("# mine\n{}", 1, 1, "no comments"),
        ('{\n  "a": 1,\n}', 2, 9, "comma stands before the closing }"),
        ("[1, 2,]", 1, 6, "comma stands before the closing ]"),
        ('{"a": 1, "b": {"c": 1, "c": 2}}', 1, 24, 'key "c" stands here twice'),
        ('{"a": 1, "\\u0061": 2}', 1, 10, 'key "a" stands here twice'),
        ('{"a" 1}', 1, 6, "expected a colon"),
        ('{"a": 1 "b": 2}', 1, 9, "expected a comma or }"),
        ("{a: 1}", 1, 2, "key in double quotes"),
        ("{'a': 1}", 1, 2, "key in double quotes"),
        ('{"a": 1} x', 1, 10, "follows the end"),
        ('{"a": NaN}', 1, 7, "expected a value"),
        ('{"a": 01}', 1, 8, "expected a comma"),
        ('{"a": .5}', 1, 7, "expected a value"),
        ('{"a": +1}', 1, 7, "expected a value"),
        ('{"a": "x\ny"}', 1, 9, "control character"),
        ('{"a": "\\x41"}', 1, 8, "invalid escape"),
        ('{"a": "\\u12"}', 1, 8, "invalid escape"),
        ('{"a": "x', 1, 9, "not closed"),
        ('{"a": 1', 1, 8, "expected a comma or }"),
        ("{", 1, 2, "key in double quotes"),
        ("", 1, 1, "expected a value"),
        ("\ufeff{,}", 1, 2, "key in double quotes"),
        ("{}\ufeff", 1, 3, "follows the end"),
        ('{"a":\u00a01}', 1, 6, "expected a value"),
        ("[" * 300 + "]" * 300, 1, 202, "levels deep"),
    ],
)
def test_what_is_no_json_is_refused_with_its_place(
    text: str, line: int, column: int, message: str
) -> None:
    """Line and column point at the character that is wrong."""
    with pytest.raises(JsonError, match=message.replace("[", r"\[")) as refused:
        parse(text)
    assert (refused.value.line, refused.value.column) == (line, column)


def test_a_large_file_takes_no_more_than_one_look_at_each_character() -> None:
    """A megabyte of nested arrays and white space is read in one pass."""
    text = "[" + ",".join([" " * 50 + "[1, 2, []]"] * 20_000) + "]"
    assert len(parse(text).items) == 20_000

"""Reading YAML that may come with somebody's clone: strict, bounded, and with places."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from claude_tier.config.document import DEEPEST, LARGEST, read
from claude_tier.config.faults import ConfigError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.yaml"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("off", "off"),
        ("on", "on"),
        ("no", "no"),
        ("true", True),
        ("FALSE", False),
        ("12:30", "12:30"),
        ("2026-10-07", "2026-10-07"),
        ("20_000_000", 20_000_000),
        ("010", 10),
        ("-3", -3),
        ("1e3", 1000.0),
        ("1_000.5", 1000.5),
        (".5", 0.5),
        ('"5"', "5"),
        ("~", None),
        ("", None),
        ("<<", "<<"),
        ("[a, 1]", ["a", 1]),
        ("0x10", "0x10"),
    ],
)
def test_a_value_is_what_it_looks_like(file: Path, text: str, value: object) -> None:
    """Words stay words, also where YAML 1.1 would make a boolean, a time or a date of them."""
    file.write_text(f"key: {text}\n")
    assert read(file).values == {"key": value}


def test_every_key_and_item_has_its_place(file: Path) -> None:
    """Lines and columns count from 1."""
    file.write_text("a:\n  - b: 1\n    c: [x,\n        y]\n")
    assert read(file).places == {
        ("a",): (1, 1),
        ("a", 0): (2, 5),
        ("a", 0, "b"): (2, 5),
        ("a", 0, "c"): (3, 5),
        ("a", 0, "c", 0): (3, 9),
        ("a", 0, "c", 1): (4, 9),
    }


@pytest.mark.parametrize("text", ["", "# nothing\n", "\ufeff", "---\n", "null\n"])
def test_an_empty_file_says_nothing(file: Path, text: str) -> None:
    """Comments, a byte order mark and an empty document are no values, and no mistake."""
    file.write_text(text, encoding="utf-8")
    document = read(file)
    assert document.values == {}
    assert document.source.size == len(text.encode())


def test_a_missing_file_says_nothing(file: Path) -> None:
    """It is recorded with size -1, so that its appearance is noticed."""
    document = read(file)
    assert (document.values, document.source.size) == ({}, -1)


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        (b"a: &x 1\n", 1, "anchors and aliases are not supported"),
        (b"a: 1\nb: *x\n", 2, "anchors and aliases are not supported"),
        (b"a: !!python/object:os.system x\n", 1, "the tag"),
        (b"a: !mine 1\n", 1, "the tag"),
        (b"a: !!int x\n", 1, "is not a usable int"),
        (b"a: !!bool maybe\n", 1, "is not a usable bool"),
        (b"a: 1\na: 2\n", 2, "is given twice, first on line 1"),
        (b"a:\n  b: 1\n  b: 2\n", 3, "is given twice, first on line 2"),
        (b"a: " + b"9" * 5000, 1, "is not a usable int"),
        (b"a: 1234567890123456789", 1, "is not a usable int"),
        (b"a: [\n", 2, "what begins with [ or { is not closed"),
        (b"a: b: c\n", 1, "a colon where none may be"),
        (b"\ta: 1\n", 1, "a tab: YAML is indented with spaces only"),
        (b"a:\n\tb: 1\n", 2, "a tab: YAML is indented with spaces only"),
        (b"a: [x, y\n", 2, "a list that begins with [ is not closed with ]"),
        (b"a: {x: y\n", 2, "a mapping that begins with { is not closed with }"),
        (b"a: [x, y\nb: 1\n", 2, "a list that begins with [ lacks a comma or its ]"),
        (b'a: "x\n', 2, "a text in quotes is not closed"),
        (b"a: 1\nb:2\n", 3, "a key without its colon, or no space after the colon"),
        (b"a: 1\n  b: 2\n", 2, "a colon where none may be"),
        (b"a:\n    b: 1\n  c: 2\n", 3, "is indented otherwise than the lines it belongs to"),
        (b"a: 1\n---\nb: 1\n", 2, "expected a single document in the stream"),
        (b"- 1\n", 1, "must hold keys and values"),
        (b"just text\n", 1, "must hold keys and values"),
        (b"? [a]\n: 1\n", 1, "a key must be text"),
        (b"a: 1\nb: \xff\n", 2, "is not UTF-8 text"),
        (b"a: 1\nb: \x07\n", 2, "holds a character that YAML does not allow"),
        (b"a: " + b"[" * 500, 1, "is nested too deeply"),
        (b"a: " + b"[" * (DEEPEST - 1) + b"]" * (DEEPEST - 1), 0, ""),
        (b"#" * (LARGEST + 1), 0, "is larger than 65536 bytes"),
    ],
)
def test_a_hostile_file_is_refused_at_its_line(
    file: Path, content: bytes, line: int, message: str
) -> None:
    """Nothing is constructed, expanded or followed; the first fault names where."""
    file.write_bytes(content)
    faults = _faults(file)
    assert [fault.line for fault in faults[:1]] == ([line] if message else [])
    assert not message or message in faults[0].message


def test_a_terminal_obeys_nothing_that_a_file_says(file: Path) -> None:
    """Escape sequences in keys and tags are shown escaped."""
    file.write_text('"\\e[2Jx": 1\n"\\e[2Jx": 2\n')
    [fault] = _faults(file)
    assert str(fault).isprintable()
    assert r"\x1b[2Jx" in str(fault)


def test_a_folder_or_pipe_in_the_files_place_is_refused(file: Path) -> None:
    """A named pipe does not hang the reader."""
    file.mkdir()
    assert _faults(file)[0].message == "is not a regular file"
    file.rmdir()
    os.mkfifo(file)
    assert _faults(file)[0].message == "is not a regular file"


def test_a_link_is_followed_only_where_it_is_the_users(file: Path, tmp_path: Path) -> None:
    """Dotfiles are links; the file of a clone must not point elsewhere."""
    target = tmp_path / "dotfiles.yaml"
    target.write_text("a: 1\n")
    file.symlink_to(target)
    assert read(file).values == {"a": 1}
    with pytest.raises(ConfigError, match="is a symbolic link"):
        read(file, follow_links=False)


def _faults(file: Path) -> list:  # type: ignore[type-arg]
    try:
        return list(read(file).faults)
    except ConfigError as error:
        return list(error.faults)

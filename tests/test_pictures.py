"""The pictures of the README are what the commands print today."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pictures
import pictures_terminal
import pytest
from claude_tier.cli import COMMANDS

MADE = sorted(
    {"monitor", *(name for name, line in pictures_terminal.PRINTED.items() if line[0] in COMMANDS)}
)
SIZE = re.compile(r"\d+(\.\d)?&#160;[kM]B")  # of the ledger's file: SQLite's own to say
REMOTE = re.compile(r"url\((?!#)|https?://(?!www\.w3\.org/2000/svg)|@import|@font-face|<script")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    pictures_terminal.draw(folder)
    return folder


@pytest.mark.parametrize("name", MADE)
def test_a_terminal_picture_is_not_stale(drawn: Path, name: str) -> None:
    """Made anew with `python tests/pictures.py terminal`."""
    kept = (pictures.FOLDER / f"{name}.svg").read_text("utf-8")
    new = (drawn / f"{name}.svg").read_text("utf-8")
    assert SIZE.sub("SIZE", new) == SIZE.sub("SIZE", kept)


@pytest.mark.parametrize("name", MADE)
def test_a_picture_reaches_no_other_host(drawn: Path, name: str) -> None:
    """Neither a font nor a script; and it is a picture."""
    text = (drawn / f"{name}.svg").read_text("utf-8")
    assert REMOTE.findall(text) == []
    assert ET.fromstring(text).tag == "{http://www.w3.org/2000/svg}svg"


@pytest.mark.parametrize("name", MADE)
def test_a_picture_names_no_folder_of_this_machine(drawn: Path, name: str) -> None:
    """Only ~ stands for the home it was made in."""
    assert "/tmp" not in (drawn / f"{name}.svg").read_text("utf-8")

"""What somebody asks: a text, and the files that come along."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from claude_tier.errors import UserError
from claude_tier.routing.prompt import Prompt

LARGEST = 16 * 1024 * 1024  # bytes of one file, or of stdin: more than any window holds
STDIN = "-"
_FENCE = re.compile(r"`{3,}")


class Attached(NamedTuple):
    """A file by the name it was given with."""

    name: str
    text: str

    def fenced(self) -> str:
        """Its text in a fence that nothing in it can close."""
        longest = max(map(len, _FENCE.findall(self.text)), default=2)
        fence = "`" * (longest + 1)
        return f"{self.name}:\n{fence}\n{self.text.rstrip()}\n{fence}"


@dataclass(frozen=True)
class Question:
    """The text that says what is wanted, and the files it is about."""

    text: str
    files: tuple[Attached, ...] = ()

    @property
    def whole(self) -> str:
        """All that is sent."""
        return "\n\n".join([self.text.strip(), *(file.fenced() for file in self.files)])

    @property
    def context_tokens(self) -> int:
        """About how many tokens that is."""
        return Prompt.of(self.whole).estimated_tokens


def read(text: str, files: Iterable[Path]) -> Question:
    """The question of a command line, where - is stdin; UserError where nothing is asked."""
    if text == STDIN:
        text = _decoded("stdin", sys.stdin.buffer.read(LARGEST + 1))
    if not text.strip():
        raise UserError("nothing is asked: the text is empty", code=2)
    return Question(text, tuple(Attached(str(file), _text_of(file)) for file in files))


def _text_of(file: Path) -> str:
    with file.open("rb") as opened:
        return _decoded(str(file), opened.read(LARGEST + 1))


def _decoded(name: str, found: bytes) -> str:
    if len(found) > LARGEST:
        raise UserError(f"{name} is larger than {LARGEST >> 20} MiB", "No model holds that much.")
    try:
        text = found.decode()
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise UserError(f"{name} is no text", "Only text in UTF-8 can be sent.")
    return text

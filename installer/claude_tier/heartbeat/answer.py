"""What a model's answer to a beat means: that all is well, or something to tell.

`HEARTBEAT_OK` says that all is well where it stands at the start or at the end, bare, quoted or in
bold, and little else does. In the middle of a sentence it is talked about.
"""

from __future__ import annotations

import re
import string
from typing import NamedTuple

OK = "HEARTBEAT_OK"
AROUND = string.whitespace + string.punctuation + "“”‘’«»„…–—"  # noqa: RUF001 - what models write
# Markup that would be left behind: <b>HEARTBEAT_OK</b>.
_TAGS = re.compile(r"</?(?:b|strong|i|em|code|p)>", re.IGNORECASE)


class Said(NamedTuple):
    """Whether all is well, and what else was said."""

    ok: bool
    text: str


def read(text: str, ok_chars: int) -> Said:
    """All is well with `HEARTBEAT_OK` at an end and at most `ok_chars` further characters."""
    bare = _TAGS.sub("", text)
    first = _without_first(bare)
    last = _without_last(bare if first is None else first)
    rest = first if last is None else last
    if rest is None:
        return Said(False, text.strip())
    return Said(len(rest.strip()) <= ok_chars, rest.strip())


def _without_first(text: str) -> str | None:
    """What follows the word at the start; None where it does not stand there."""
    bare = text.lstrip(AROUND)
    after = bare[len(OK) :]
    if not bare.startswith(OK) or after.lstrip("_")[:1].isalnum():
        return None
    return after.lstrip(AROUND)


def _without_last(text: str) -> str | None:
    """What comes before the word at the end; None where it does not stand there."""
    bare = text.rstrip(AROUND)
    before = bare[: -len(OK)]
    if not bare.endswith(OK) or before[-1:].isalnum():
        return None
    return before.rstrip(string.whitespace + "*`\"'“”‘’«»")  # noqa: RUF001 - what models write

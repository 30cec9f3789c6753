"""What `claude_tier_hooks.transcripts` finds in a block, faster: SIMD search and a parser in Rust.

Every shortcut here gives the same rows as the hooks' own reading or is not taken: a line that the
faster parser refuses, or whose shape is not the usual one, goes the hooks' way.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import orjson
import stringzilla
from claude_tier_hooks import transcripts

from claude_tier.backfill.repeats import AFTER, CONTENT, Pattern

if TYPE_CHECKING:
    from claude_tier_hooks.shapes import Json

_USAGE = b'"usage"'
_OTHER, _MIXED = -1, -2  # a line without usage: with one other needle, or with several
_NEEDLE = b'{"type":"api-request"'
_REQUEST = re.compile(
    rb'\{"type":"api-request","sessionId":"[0-9a-f-]{36}","id":"([0-9a-f-]{36})","timestamp":"'
)


def scan(data: bytes, batch: Json) -> None:
    """Fill the batch with the rows of a block, in the order of the file."""
    pattern: Pattern | None = None
    for start, (end, usage) in sorted(_lines(data).items()):
        if pattern is not None and usage > 0 and pattern.fits(data, start, end, usage):
            continue
        if usage == _OTHER and (request := _request(data, start, end)):
            batch["refs"].add(request)
            continue
        row = _parsed(data, start, end)
        if row is None:
            transcripts.scan_line(data, start, end, batch)
            pattern = None
        elif row.get("type") == "assistant":
            batch["rows"].extend(transcripts.usage_rows(row))
            pattern = _pattern(data, start, end, usage)
        else:
            transcripts.collect(row, data, start, batch)


def _lines(data: bytes) -> dict[int, tuple[int, int]]:
    """Every line that holds a needle, by its start: its end, and where its first usage is."""
    find = stringzilla.Str(data).find
    lines: dict[int, tuple[int, int]] = {}
    for needle in transcripts.NEEDLES:
        at = find(needle)
        while at >= 0:
            end = data.find(b"\n", at)
            if end < 0:
                end = len(data)
            start = data.rfind(b"\n", 0, at) + 1
            where = at if needle == _USAGE else _MIXED if start in lines else _OTHER
            lines[start] = (end, where)
            at = find(needle, end)
    return lines


def _request(data: bytes, start: int, end: int) -> str | None:
    """The id of a request's row, without parsing it; None for one that looks otherwise.

    {"type":"api-request","sessionId":"<36>","id":"<36>","timestamp":…}
    """
    found = _REQUEST.match(data, start, end)
    alone = data.find(_NEEDLE[8:], start + len(_NEEDLE), end) < 0 and data.endswith(
        b"}", start, end
    )
    return found[1].decode() if found and alone else None


def _parsed(data: bytes, start: int, end: int) -> Json | None:
    """The one object on the line; None where only the hooks' way can tell."""
    try:
        row = orjson.loads(data[start:end])
    except ValueError:
        return None
    return row if isinstance(row, dict) else None


def _pattern(data: bytes, start: int, end: int, usage: int) -> Pattern | None:
    """What further rows of the response on this line would look like."""
    content = data.find(CONTENT, start, max(start, usage)) + len(CONTENT)
    after = data.rfind(AFTER, content, max(start, usage))
    if content < len(CONTENT) or after < 0:
        return None
    return Pattern(data[start:end], content - start, after - start, usage - start)

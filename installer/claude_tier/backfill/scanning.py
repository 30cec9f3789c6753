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
_NEAR = 1024  # bytes from the start of a row within which its content begins


def scan(data: bytes, batch: Json) -> None:
    """Fill the batch with the rows of a block, in the order of the file."""
    rows = batch["rows"]
    pattern: Pattern | None = None
    for start, (end, usage) in sorted(_lines(data).items()):
        if pattern is not None and usage > 0 and pattern.fits(data, start, end, usage):
            continue
        if usage == _OTHER and (request := _request(data, start, end)):
            batch["refs"].add(request)
            continue
        row, found = _parsed(data, start, end, usage)
        if row is None:
            transcripts.scan_line(data, start, end, batch)
        elif row.get("type") != "assistant":
            transcripts.collect(row, data, start, batch)
            continue
        else:
            rows.extend(transcripts.usage_rows(row))
        pattern = found


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


def _parsed(data: bytes, start: int, end: int, usage: int) -> tuple[Json | None, Pattern | None]:
    """The one object on the line, None where only the hooks' way can tell; and its pattern.

    The answer's text is left out first. Should that have taken more with it, what
    is left does not parse, or lacks one of the keys beside it; then the row is parsed whole.
    """
    if usage > 0:
        content = data.find(CONTENT, start, min(usage, start + _NEAR)) + len(CONTENT)
        after = data.rfind(AFTER, content, usage)
        if len(CONTENT) <= content < after:
            try:
                row = orjson.loads(data[start:content] + data[after:end])
                message = row["message"]
                if message["usage"] and message["id"] and message["model"] and row["timestamp"]:
                    line = data[start:end]
                    return row, Pattern(line, content - start, after - start, usage - start)
            except (ValueError, LookupError, TypeError):
                pass
    try:
        row = orjson.loads(data[start:end])
    except ValueError:
        return None, None
    return row if isinstance(row, dict) else None, None

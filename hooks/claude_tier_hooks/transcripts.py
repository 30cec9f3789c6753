"""What a Claude Code transcript says was used: new lines only, whatever form they have.

A read returns a batch: plain dicts, nothing written yet. Lines are recognised by bytes before any
JSON is parsed, since four in five bytes of a transcript are text; `"usage"` inside a string is
always escaped there (`\\"usage\\"`) and so never looks like the key.

Nothing here raises for what a file holds; OSError when it cannot be read.
"""

from __future__ import annotations

import json
import os
import zlib
from datetime import datetime

from . import state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, BinaryIO

    from .shapes import Json

BLOCK = 16 * 1024 * 1024
HEAD = 256 * 1024  # how far into a file its first folder and time are looked for
BEFORE = 16 * 1024
MARK = 64  # bytes before the offset whose checksum tells a rewritten file
PENDING = 64  # requests without an answer that are remembered between reads
NEEDLES = (b'"usage"', b'"api-request"', b'"cost-state"', b'{"type":"model"')
SYNTHETIC = "<synthetic>"
MOST = 1e15  # no figure of a session is greater
_EARLIEST, _LATEST = 946_684_800, 7_258_118_400  # the years 2000 to 2199

_BLANK = " \t\r\n\0"
_decode = json.JSONDecoder(strict=False).raw_decode


def read(
    path: str,
    known: tuple[int, ...] | None,
    pending: list[str] | None = None,
    scan: Callable[[bytes, Json], None] | None = None,
) -> Json | None:
    """The next batch of that file; None when nothing is new.

    `known` is (inode, size, mtime_ns, offset, mark) of the last read. A file that was replaced,
    cut or rewritten is read from its start again: what it repeats is counted once all the same.
    `scan` is a faster way to the same rows, where there is much to read.
    """
    with open(path, "rb") as stream:
        now = os.fstat(stream.fileno())
        if known and known[:3] == (now.st_ino, now.st_size, now.st_mtime_ns):
            return None
        start = _start(stream, now, known)
        if not start:
            pending = None
        before = _before(stream, start)
        stream.seek(start)
        data, complete = _lines(stream, now.st_size - start)
        batch: Json = {
            "path": path,
            "inode": now.st_ino,
            "restart": known is not None and start == 0,
            "offset": start + complete,
            "more": start + len(data) < now.st_size,
            "refs": set(pending or ()),
            "rows": [],
            "costs": [],
            "models": [],
            "modified": now.st_mtime,
        }
        # A file that is not read to its end yet must not look unchanged next time.
        batch["size"] = -1 if batch["more"] else now.st_size
        batch["mtime_ns"] = now.st_mtime_ns
        batch["mark"] = _mark(stream, start + complete)
    (scan or scan_block)(data, batch)
    batch["costs"] = [(row, at or _time_before(before, len(before))) for row, at in batch["costs"]]
    return batch


def _start(stream: BinaryIO, now: os.stat_result, known: tuple[int, ...] | None) -> int:
    if not known:
        return 0
    inode, _, _, offset, mark = known
    if inode != now.st_ino or offset > now.st_size or _mark(stream, offset) != mark:
        return 0
    return offset


def _before(stream: BinaryIO, start: int) -> bytes:
    """Some text above what is read now, for the time of a cost-state that comes first in it."""
    stream.seek(max(0, start - BEFORE))
    return stream.read(min(BEFORE, start))


def _mark(stream: BinaryIO, offset: int) -> int:
    stream.seek(max(0, offset - MARK))
    return zlib.crc32(stream.read(min(MARK, offset)))


def _lines(stream: BinaryIO, left: int) -> tuple[bytes, int]:
    """A block of what is left, and how much of it ends in a newline; a longer line makes it longer.

    The torn rest is in the block too: when it is whole JSON it counts, but is read again later.
    """
    data = stream.read(min(BLOCK, left))
    complete = data.rfind(b"\n") + 1
    while not complete and len(data) < left:
        more = stream.read(BLOCK)
        if not more:
            break
        data += more
        complete = data.rfind(b"\n") + 1
    return data, complete


def scan_block(data: bytes, batch: Json) -> None:
    """Parse every line that holds one of the needles, in the order of the file."""
    lines: dict[int, int] = {}
    for needle in NEEDLES:
        at = data.find(needle)
        while at >= 0:
            start = data.rfind(b"\n", 0, at) + 1
            end = data.find(b"\n", at)
            end = len(data) if end < 0 else end
            lines[start] = end
            at = data.find(needle, end)
    for start in sorted(lines):
        scan_line(data, start, lines[start], batch)


def scan_line(data: bytes, start: int, end: int, batch: Json) -> None:
    for row in objects(data[start:end], whole=end < len(data)):
        collect(row, data, start, batch)


def _time_before(data: bytes, start: int) -> float | None:
    """A cost-state has no time of its own: that of the nearest line above it that has one."""
    at = data.rfind(b'"timestamp":"', 0, start)
    return epoch(data[at + 13 : at + 37].decode("ascii", "replace")) if at >= 0 else None


def objects(line: bytes, *, whole: bool = True) -> list[Json]:
    """Every JSON object on the line: also glued ones, and one behind the rest of a torn one.

    An object inside a torn one is none of them: what is found behind broken text must reach the
    end of the line and look like a row. A line that is `whole` no more will be appended to.
    """
    text = line.decode("utf-8", "replace")
    odd = "\\ud" in text or "\\uD" in text
    found = []
    position = text.find("{")
    broken = False
    for _ in range(200):
        if position < 0:
            break
        try:
            value, end = _decode(text, position)
            value = _storable(value) if odd else value
        except (ValueError, RecursionError):
            end = position + 1
            value = None
        if value is None:
            broken = True
            if not whole:
                break
        elif not broken or ("sessionId" in value and not text[end:].strip(_BLANK)):
            found.append(value)
        position = text.find('{"' if broken else "{", end)
    return found


def _storable(value: object) -> Any:
    """The value without half surrogate pairs, at any depth."""
    if isinstance(value, dict):
        return {state.storable(key): _storable(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_storable(one) for one in value]
    return state.storable(value) if isinstance(value, str) else value


def collect(row: Json, data: bytes, start: int, batch: Json) -> None:
    """Put what a row says into the batch; it stands in `data` from `start` on."""
    kind = row.get("type")
    if kind == "assistant":
        batch["rows"].extend(usage_rows(row))
    elif kind == "api-request" and isinstance(row.get("id"), str):
        batch["refs"].add(row["id"])
    elif kind == "cost-state":
        batch["costs"].append((row, _time_before(data, start)))
    elif kind == "attachment" and not row.get("isSidechain"):
        batch["models"].extend(_told_model(row))


def _told_model(row: Json) -> list[tuple[str, float]]:
    """(model, when) where the client tells the conversation its model: what subagents inherit.

    An answer's own model may differ: a skill's holds for what it starts, not for the answer.
    """
    told = row.get("attachment")
    identity = told.get("identity") if isinstance(told, dict) else None
    model = identity.get("modelId") if isinstance(identity, dict) else None
    at = epoch(row.get("timestamp"))
    return [(model, at)] if isinstance(model, str) and at is not None else []


def usage_rows(row: Json) -> list[Json]:
    """The usage of one assistant row: the response itself, then its advisor calls."""
    message = row.get("message")
    if not isinstance(message, dict) or not isinstance(message.get("usage"), dict):
        return []
    model = message.get("model")
    if model == SYNTHETIC or row.get("isApiErrorMessage"):
        return []
    usage = message["usage"]
    found = counts(usage)
    origin = _origin(row)
    found.update(
        key=message.get("id") or row.get("requestId") or row.get("uuid"),
        at=epoch(row.get("timestamp")),
        session=row.get("sessionId"),
        model=model if isinstance(model, str) and model else "unknown",
        asked=_word(row.get("requestedModel")),
        final=message.get("stop_reason") is not None,
        ref=_word(row.get("requestRef")),
        copied_from=origin,
        cwd=row.get("cwd"),
        requests=1,
        parts=None,
    )
    if not isinstance(found["key"], str):
        return []
    iterations = _iterations(usage)
    if not iterations:
        return [found]
    found["parts"] = _parts(iterations, found)
    advisors = [_advisor(found, one, n) for n, one in enumerate(iterations)]
    return [found] + [one for one in advisors if one]


def _origin(row: Json) -> str | None:
    """The session a copied row was first written in, where a fork or resume says so."""
    fork = row.get("forkedFrom")
    origin = row.get("requestSessionId") or (
        fork.get("sessionId") if isinstance(fork, dict) else None
    )
    return origin if isinstance(origin, str) and origin != row.get("sessionId") else None


def counts(usage: Json) -> Json:
    """The token kinds of an API `usage` object; the unsplit cache write counts as 5 minutes."""
    split = usage.get("cache_creation")
    split = split if isinstance(split, dict) else {}
    hour = number(split.get("ephemeral_1h_input_tokens"))
    short = number(split.get("ephemeral_5m_input_tokens"))
    written = number(usage.get("cache_creation_input_tokens"))
    server = usage.get("server_tool_use")
    return {
        "input": number(usage.get("input_tokens")),
        "output": number(usage.get("output_tokens")),
        "cache_read": number(usage.get("cache_read_input_tokens")),
        "cache_write_5m": max(short, written - hour),
        "cache_write_1h": hour,
        "web_searches": number(server.get("web_search_requests"))
        if isinstance(server, dict)
        else 0,
        "speed": _word(usage.get("speed")),
        "geo": _word(usage.get("inference_geo")),
    }


def _word(value: object) -> str | None:
    return value if isinstance(value, str) else None


def number(value: object) -> int:
    """A count as some writers put it: null, 12.0, "12"; 0 for what is no count."""
    if type(value) is int:
        return value if 0 < value < MOST else 0
    if isinstance(value, str) and value.isdecimal() and len(value) < 16:
        return int(value)
    if isinstance(value, (int, float)) and 0 < value < MOST:
        return int(value)
    return 0


def dollars(value: object) -> float | None:
    """An amount of money; None for what is none: a text, NaN, Infinity, 400 digits."""
    if isinstance(value, (int, float)) and 0 <= value < MOST:
        return float(value)
    return None


def _iterations(usage: Json) -> list[Json]:
    found = usage.get("iterations")
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _parts(iterations: list[Json], whole: Json) -> list[list[int]] | None:
    """The model calls within one response, when they add up to it: each has its own price step."""
    if len(iterations) < 2:
        return None
    kinds = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h")
    parts = [
        [found[kind] for kind in kinds]
        for found in (counts(one) for one in iterations if one.get("type") == "message")
    ]
    if len(parts) < 2 or [sum(column) for column in zip(*parts)] != [whole[kind] for kind in kinds]:
        return None
    return parts


def _advisor(response: Json, one: Json, number_: int) -> Json | None:
    """An advisor call is billed at its own model and is no request of the session's."""
    if one.get("type") != "advisor_message" or not isinstance(one.get("model"), str):
        return None
    found = dict(response, **counts(one))
    found.update(model=one["model"], asked=None, requests=0, parts=None, advisor=number_)
    return found


def epoch(text: object) -> float | None:
    """2026-11-20T23:00:00.123Z as epoch seconds; None for anything else.

    A year in which nobody used this is no time: a writer's zero is year 1.
    """
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
    except (ValueError, OverflowError):
        return None
    return moment if _EARLIEST < moment < _LATEST else None


def head(path: str) -> Json:
    """The first folder and time a transcript names, and the session it says it came from."""
    found: Json = {}
    try:
        with open(path, "rb") as stream:
            data = stream.read(HEAD)
    except OSError:
        return found
    for line in data.split(b"\n"):
        for row in objects(line) if b'"timestamp"' in line or b'"cwd"' in line else ():
            if isinstance(row.get("cwd"), str):
                found.setdefault("cwd", row["cwd"])
            if epoch(row.get("timestamp")) is not None:
                found.setdefault("at", epoch(row["timestamp"]))
        if len(found) == 2:
            break
    return found

"""JSON whose shape is the other side's: read without trust, as documents of one reply."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing

import orjson

from claude_tier.routing.fault import Fault
from claude_tier.routing.providers.http import Reply

Json = dict[str, object]
DONE = b"[DONE]"


def parsed(text: bytes) -> Json:
    """The object of that text; Fault where it holds none."""
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise Fault("server", "sent an answer that is no JSON") from None
    if not isinstance(found, dict):
        raise Fault("server", "sent an answer that is no object")
    return found


def complaint(body: bytes) -> Json:
    """The object of a failed response, of Google's the first in a list; {} where there is none."""
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return next(mappings(found), {}) if isinstance(found, list) else mapping(found)


async def of_events(reply: Reply) -> AsyncGenerator[Json | None, None]:
    """The documents of server-sent events; None for the mark that ends some streams.

    Comments and fields other than `data` and `event` say nothing about an answer.
    """
    name, data = b"", list[bytes]()
    async with aclosing(reply.lines()) as lines:
        async for line in lines:
            field, _, value = line.partition(b":")
            if field == b"data":
                data.append(value.removeprefix(b" "))
            elif field == b"event":
                name = value.strip()
            elif not line and data:
                yield _document(name, b"\n".join(data))
                name, data = b"", []
    if data:
        yield _document(name, b"\n".join(data))


async def of_lines(reply: Reply) -> AsyncGenerator[Json | None, None]:
    """The documents of a stream with one on each line."""
    async with aclosing(reply.lines()) as lines:
        async for line in lines:
            if line.strip():
                yield parsed(line)


def _document(name: bytes, data: bytes) -> Json | None:
    if data.strip() == DONE:
        return None
    found = parsed(data)
    return {"error": found} if name == b"error" and "error" not in found else found


def error_in(document: Json) -> object:
    """What a document complains of; None for one that is part of an answer."""
    response = mapping(document.get("response"))
    first = next(mappings(document.get("choices")), {})
    found = document.get("error") or response.get("error") or first.get("error")
    if not found and document.get("type") == "error":
        return document
    return found or None


def mapping(value: object) -> Json:
    return value if isinstance(value, dict) else {}


def mappings(value: object) -> Iterator[Json]:
    yield from (each for each in value if isinstance(each, dict)) if isinstance(value, list) else ()


def text(value: object) -> str:
    return value if isinstance(value, str) else ""


def count(value: object) -> int:
    """A number of tokens; 0 for what is none."""
    usable = isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**12
    return int(value) if usable and isinstance(value, int) else 0


def window(value: object) -> int | None:
    """A context window; None where nobody says."""
    return count(value) or None


def dollars(value: object) -> float | None:
    """An amount, also one written as text; None for what is none."""
    try:
        found = float(value) if isinstance(value, (int, float, str)) else None
    except ValueError:
        return None
    return found if found is not None and 0 <= found < 10**9 else None

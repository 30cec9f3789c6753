"""What becomes of an answer on its way: whole, cut, held back or without an end."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from loopback_server import Handler

from .fault import Course

PAUSE = 0.01  # seconds between two bytes that drip
GUSH = 65536  # bytes at once of what has no end


class Sent(NamedTuple):
    """An answer that is spelled out; `chunks` are a stream's events, or the one body."""

    status: int
    headers: Mapping[str, str]
    chunks: list[bytes]
    error: bytes | None = None  # the event that breaks it off, where it is a stream

    @property
    def streamed(self) -> bool:
        return self.error is not None

    @property
    def half(self) -> list[bytes]:
        """Of a stream the events until some text has come."""
        if self.streamed:
            return self.chunks[: len(self.chunks) // 2]
        body = self.chunks[0]
        return [body[: len(body) // 2]]


def _begin(handler: Handler, sent: Sent, *, chunked: bool) -> None:
    length = str(sum(map(len, sent.chunks)))
    framing = {"transfer-encoding": "chunked"} if chunked else {"content-length": length}
    handler.head(sent.status, {**sent.headers, **framing})


def _write(handler: Handler, sent: Sent, chunks: Iterable[bytes]) -> None:
    """The head, which announces all of it, and these chunks."""
    _begin(handler, sent, chunked=sent.streamed)
    for chunk in filter(None, chunks):
        (handler.chunk if sent.streamed else handler.wfile.write)(chunk)


def _end(handler: Handler, sent: Sent, chunks: Iterable[bytes]) -> None:
    """The same, closed in order."""
    _write(handler, sent, chunks)
    if sent.streamed:
        handler.chunk(b"")


def _wait(handler: Handler) -> None:
    handler.server.owner.closing.wait()
    handler.hang_up()


def whole(handler: Handler, sent: Sent) -> None:
    _end(handler, sent, sent.chunks)


def reset(handler: Handler, sent: Sent) -> None:
    handler.reset()


def silent(handler: Handler, sent: Sent) -> None:
    _wait(handler)


def silent_after_head(handler: Handler, sent: Sent) -> None:
    _write(handler, sent, [])
    _wait(handler)


def half_body(handler: Handler, sent: Sent) -> None:
    _write(handler, sent, sent.half)
    handler.hang_up()


def stalled(handler: Handler, sent: Sent) -> None:
    _write(handler, sent, sent.half)
    _wait(handler)


def drip(handler: Handler, sent: Sent) -> None:
    """Half of it, then blanks."""
    _begin(handler, sent, chunked=True)
    for byte in itertools.chain(b"".join(sent.half), itertools.repeat(ord(" "))):
        handler.chunk(bytes([byte]))
        if handler.server.owner.closing.wait(PAUSE):
            break
    handler.hang_up()


def endless(handler: Handler, sent: Sent) -> None:
    _begin(handler, sent, chunked=True)
    for chunk in sent.half:
        handler.chunk(chunk)
    middle = sent.chunks[len(sent.chunks) // 2]
    gush = middle * -(-GUSH // len(middle))
    while not handler.server.owner.closing.is_set():
        handler.chunk(gush)
    handler.hang_up()


def unfinished(handler: Handler, sent: Sent) -> None:
    _end(handler, sent, sent.half)


def no_last_event(handler: Handler, sent: Sent) -> None:
    _end(handler, sent, sent.chunks[:-1])


def reset_midway(handler: Handler, sent: Sent) -> None:
    _write(handler, sent, sent.half)
    handler.reset()


def error_midway(handler: Handler, sent: Sent) -> None:
    _end(handler, sent, [*sent.half, sent.error or b""])


COURSES: Mapping[Course, Callable[[Handler, Sent], None]] = MappingProxyType(
    {
        "whole": whole,
        "reset": reset,
        "silent": silent,
        "silent_after_head": silent_after_head,
        "half_body": half_body,
        "stalled": stalled,
        "drip": drip,
        "endless": endless,
        "unfinished": unfinished,
        "no_last_event": no_last_event,
        "reset_midway": reset_midway,
        "error_midway": error_midway,
    }
)

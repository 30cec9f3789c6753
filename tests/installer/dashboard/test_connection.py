"""Connections that ask nothing are closed, by a clock of the test's own."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any
from unittest import mock

import h11
import uvicorn
from claude_tier.dashboard import connection
from claude_tier.dashboard.connection import Connection
from serving import Dashboard
from uvicorn.server import ServerState

HEAD = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"


class Transport:
    """Notes what is written, and whether it was closed."""

    closed = False
    written = b""

    def get_extra_info(self, _name: str) -> None:
        return None

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def write(self, data: bytes) -> None:
        self.written += data

    def pause_reading(self) -> None:
        pass

    resume_reading = pause_reading


class Timer:
    def __init__(self, at: float, then: Callable[[], None]) -> None:
        self.at = at
        self.then: Callable[[], None] | None = then

    def cancel(self) -> None:
        self.then = None


class Loop:
    """Time moves only with `after`; requests are answered by `answered`."""

    def __init__(self) -> None:
        self.now = 0.0
        self.timers: list[Timer] = []

    def call_later(self, delay: float, then: Callable[[], None]) -> Timer:
        self.timers.append(Timer(self.now + delay, then))
        return self.timers[-1]

    def create_task(self, coroutine: Any, **_: object) -> Any:
        coroutine.close()
        return mock.Mock()

    def after(self, seconds: float) -> None:
        self.now += seconds
        for one in self.timers:
            if one.then and one.at <= self.now:
                one.then()
                one.cancel()


def opened() -> tuple[Loop, Transport, Connection]:
    loop, transport = Loop(), Transport()
    config = uvicorn.Config(mock.Mock(), interface="asgi3", log_config=None, timeout_keep_alive=60)
    config.load()
    made = Connection(config, ServerState(), {}, loop)  # type: ignore[arg-type]
    made.connection_made(transport)  # type: ignore[arg-type]
    return loop, transport, made


def answered(made: Connection) -> None:
    """As the application would, with an empty answer."""
    made.conn.send(h11.Response(status_code=200, headers=[("content-length", "0")]))
    made.conn.send(h11.EndOfMessage())
    made.cycle.response_complete = True
    made.on_response_complete()


def test_a_connection_that_says_nothing_is_closed() -> None:
    """A hundred of them would be all there may be."""
    loop, transport, _ = opened()
    loop.after(connection.HEAD - 1)
    assert not transport.closed
    loop.after(1)
    assert transport.closed


def test_a_head_that_drips_is_closed() -> None:
    """Each byte would be a sign of life."""
    loop, transport, made = opened()
    for byte in HEAD[:10]:
        made.data_received(bytes([byte]))
        loop.after(connection.HEAD / 10)
    assert transport.closed


def test_an_answer_may_take_its_time() -> None:
    """A page listens for hours."""
    loop, transport, made = opened()
    made.data_received(HEAD)
    loop.after(connection.HEAD * 100)
    assert not transport.closed


def test_after_an_answer_the_next_head_has_as_long() -> None:
    """A request on a connection that was kept."""
    loop, transport, made = opened()
    loop.after(connection.HEAD - 1)
    made.data_received(HEAD)
    loop.after(connection.HEAD)
    answered(made)
    loop.after(connection.HEAD - 1)
    assert not transport.closed
    made.data_received(HEAD[:5])
    loop.after(1)
    assert transport.closed


def test_the_server_closes_idle_connections(
    dashboard: Callable[[], Dashboard], monkeypatch: Any
) -> None:
    """With a real socket, and the time cut short."""
    monkeypatch.setattr(connection, "HEAD", 0.05)
    here = dashboard()
    with socket.create_connection(("127.0.0.1", here.port), timeout=30) as wire:
        assert wire.recv(10) == b""

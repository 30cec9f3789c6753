"""Serves the dashboard on 127.0.0.1 until it is interrupted."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import socket
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass

import uvicorn
from starlette.types import ASGIApp

from claude_tier.dashboard.connection import Connection
from claude_tier.errors import UserError

ADDRESS = "127.0.0.1"
PORT = 7433
TRIED = 20  # ports from the first on, while they are taken
KEEP = 5  # seconds that a connection stays open for another request
FAREWELL = 2  # seconds that open requests have at the end
LAST = 4.0  # seconds after which nothing is waited for at the end


@dataclass(frozen=True)
class Listening:
    """A socket that is bound, and the port asked for."""

    socket: socket.socket
    asked: int

    @property
    def port(self) -> int:
        return int(self.socket.getsockname()[1])


def listen(port: int) -> Listening:
    """Bind that port, or the next free one; 0 is any. Raises UserError when none is free."""
    last = min(port + TRIED, 65536)
    for one in range(port, last) if port else (0,):
        bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((ADDRESS, one))
            bound.listen(128)
        except OSError as fault:
            bound.close()
            if fault.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
        else:
            return Listening(bound, port)
    raise UserError(
        f"no port from {port} to {last - 1} is free on {ADDRESS}", "Take another with --port."
    )


def answers(port: int) -> bool:
    """Whether anybody listens on that port here."""
    with contextlib.suppress(OSError), socket.create_connection((ADDRESS, port), timeout=2):
        return True
    return False


def _nothing() -> None:
    pass


class _Server(uvicorn.Server):
    """Says when it is ready, and lets go of the open pages when it ends."""

    def __init__(
        self, config: uvicorn.Config, ready: Callable[[], None], end: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._ready, self._end = ready, end

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._end()
        await super().shutdown(sockets)


def server(
    app: ASGIApp, *, ready: Callable[[], None] = _nothing, end: Callable[[], None] = _nothing
) -> uvicorn.Server:
    """To be run on a socket; `ready` once it answers, `end` when it is about to stop."""
    # What uvicorn logs holds addresses and, with a fault, parts of requests.
    logging.getLogger("uvicorn").addHandler(logging.NullHandler())
    logging.getLogger("uvicorn").propagate = False
    config = uvicorn.Config(
        app,
        http=Connection,
        ws="none",
        loop="asyncio",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=100,
        timeout_keep_alive=KEEP,
        timeout_graceful_shutdown=FAREWELL,
    )
    return _Server(config, ready, end)


def leave(after: float = LAST) -> None:
    """End the process then, also where a thread still waits for a ledger that is locked.

    What SQLite had begun is undone by whoever opens the ledger next.
    """
    timer = threading.Timer(after, _leave)
    timer.daemon = True
    timer.start()


def _leave() -> None:
    sys.stdout.flush()
    os._exit(0)


def serve(made: uvicorn.Server, where: Listening) -> None:
    """Until SIGINT or SIGTERM."""
    with contextlib.suppress(KeyboardInterrupt):
        made.run(sockets=[where.socket])

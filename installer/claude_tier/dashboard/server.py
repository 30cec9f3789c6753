"""Serves the dashboard on 127.0.0.1 until it is interrupted."""

from __future__ import annotations

import contextlib
import errno
import hmac
import http.client
import json
import logging
import os
import secrets
import socket
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass

import uvicorn
from starlette.types import ASGIApp

from claude_tier.dashboard.connection import Connection
from claude_tier.dashboard.keys import Keys
from claude_tier.errors import UserError

ADDRESS = "127.0.0.1"
PORT = 7433
TRIED = 20  # ports from the first on, while they are taken
ANSWERS = 5  # seconds that another dashboard has to answer
LARGEST = 1000  # bytes that are read of what it answers
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


def answers(own: Keys, port: int) -> bool:
    """Whether what listens on that port here is a dashboard of this user: it holds the token."""
    nonce = secrets.token_hex(16)
    connection = http.client.HTTPConnection(ADDRESS, port, timeout=ANSWERS)
    try:
        connection.request("GET", f"/api/proof?nonce={nonce}")
        given = json.loads(connection.getresponse().read(LARGEST))["proof"]
    except (OSError, http.client.HTTPException, ValueError, LookupError, TypeError):
        return False
    finally:
        connection.close()
    return hmac.compare_digest(str(given).encode(), (own.proof(nonce) or "").encode())


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

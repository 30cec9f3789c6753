"""An HTTP server on loopback, in threads of this process, that keeps what it was asked."""

from __future__ import annotations

import json
import os
import socket
import struct
import threading
from collections.abc import Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import TYPE_CHECKING, Any

from claude_tier.livecheck.isolation import Namespace, listen
from claude_tier.livecheck.request import Request

if TYPE_CHECKING:
    from typing_extensions import Self

PATIENCE = 60  # seconds until a client counts as hanging
AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER: close with a reset, whatever is unsent


class LoopbackServer:
    """Serves while in use (`with …`); `stop` ends it and every connection at once, twice is once.

    With a `namespace` only clients inside it can connect.
    """

    def __init__(self, handler: type[Handler], *, namespace: Namespace | None = None) -> None:
        self.namespace = namespace
        listener = listen() if namespace is None else namespace.listen()
        self.port: int = listener.getsockname()[1]
        self.closing = threading.Event()
        self._seen: list[Request] = []
        self._arrived = threading.Condition()
        self._server = _Server(listener, handler, self)
        # It looks for the end of its service this often; the default is twice a second.
        interval = {"poll_interval": 0.02}
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs=interval)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.break_off()
        self._server.server_close()

    @property
    def seen(self) -> list[Request]:
        """Everything it was asked, in order of arrival."""
        with self._arrived:
            return list(self._seen)

    def wait_for(self, number: int) -> None:
        """Return once it was asked so often; AssertionError when it is not for a long time."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self._seen) >= number, PATIENCE)

    def keep(self, request: Request) -> None:
        with self._arrived:
            self._seen.append(request)
            self._arrived.notify_all()


class Handler(BaseHTTPRequestHandler):
    """One connection; `answer` is what a server does with a request."""

    protocol_version = "HTTP/1.1"
    server: _Server

    def answer(self, request: Request, body: bytes) -> None:
        raise NotImplementedError

    def do_GET(self) -> None:
        self._take()

    def do_HEAD(self) -> None:
        self._take()

    def do_POST(self) -> None:
        self._take()

    def _take(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, self.path, headers, _object(body))
        self.server.owner.keep(request)
        self.answer(request, body)

    def head(self, status: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def chunk(self, data: bytes) -> None:
        """One piece of a chunked body; an empty one ends it."""
        self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))

    def hang_up(self) -> None:
        """Close after what was written, even where more was announced."""
        self.close_connection = True

    def reset(self) -> None:
        """Close with a reset: a client sees that the connection broke."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
        # Past the socket object: by that it would first be shut down in order.
        os.close(self.connection.detach())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Say nothing on the terminal."""


class _Server(ThreadingHTTPServer):
    """A server on a socket that already listens; knows its connections, to break them off."""

    daemon_threads = False  # so that the end waits for them

    def __init__(self, listener: socket.socket, handler: type[Handler], owner: Any) -> None:
        super().__init__(listener.getsockname(), handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.owner = owner
        self.connections: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.connections.discard(request)
        super().shutdown_request(request)

    def break_off(self) -> None:
        for connection in list(self.connections):
            with suppress(OSError):  # it is closed already
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no fault of the server."""


def _object(body: bytes) -> dict[str, object]:
    """The JSON object that a body is; empty where it is none."""
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}

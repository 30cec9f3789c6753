"""A proxy on loopback that keeps the requests that pass, and cuts answers when told to."""

from __future__ import annotations

import http.client
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from claude_tier.livecheck.isolation import Namespace
from claude_tier.livecheck.request import Request
from loopback_server import Handler, LoopbackServer

# What belongs to a connection, not to what is sent over it (RFC 9110, 7.6.1).
OF_THE_CONNECTION = {"connection", "keep-alive", "transfer-encoding", "server", "date"}
BITE = 65536


class Recorder(LoopbackServer):
    """In front of the server at `upstream`: `with Recorder(llama.url) as recorder`.

    `requests` is everything that was asked. While nobody listens at `upstream`, connections are
    reset. In a `namespace` it lets the real client reach a server outside of it.
    """

    def __init__(self, upstream: str, *, namespace: Namespace | None = None) -> None:
        super().__init__(_Pass, namespace=namespace)
        self.upstream = urlsplit(upstream).netloc
        self.cuts: deque[int] = deque()
        self.broken = threading.Event()  # an answer ended early: whoever asked has gone, or it has

    @property
    def requests(self) -> list[Request]:
        return self.seen

    def cut(self, after: int = 0) -> None:
        """Reset the connection of the next answer after so many bytes of its body.

        At 0 not even its head is sent. Told twice, it cuts the next two.
        """
        self.cuts.append(after)


class _Pass(Handler):
    def answer(self, request: Request, body: bytes) -> None:
        recorder: Recorder = self.server.owner
        left = recorder.cuts.popleft() if recorder.cuts else None
        try:
            with self._connected(recorder) as upstream:
                headers = _passed(request.headers.items())
                upstream.request(request.method, request.path, body, headers)
                self._pass_on(upstream.getresponse(), left)
        except (http.client.HTTPException, OSError):
            recorder.broken.set()
            self.reset()

    @contextmanager
    def _connected(self, recorder: Recorder) -> Iterator[http.client.HTTPConnection]:
        """A connection upstream, which the end of this server breaks off as it does its own."""
        upstream = http.client.HTTPConnection(recorder.upstream)
        upstream.connect()
        own = upstream.sock
        self.server.connections.add(own)
        try:
            # After it was added: from here on either side sees the other.
            if recorder.closing.is_set():
                raise ConnectionAbortedError
            yield upstream
        finally:
            self.server.connections.discard(own)
            upstream.close()

    def _pass_on(self, answer: http.client.HTTPResponse, left: int | None) -> None:
        if left == 0:
            return self.reset()
        headers = _passed((name.lower(), value) for name, value in answer.getheaders())
        whole = "content-length" in headers
        self.head(answer.status, headers if whole else {**headers, "transfer-encoding": "chunked"})
        write = self.wfile.write if whole else self.chunk
        for piece in _pieces(answer):
            write(piece[:left])
            if left is not None and len(piece) >= left:
                return self.reset()
            left = None if left is None else left - len(piece)
        return None if whole else self.chunk(b"")


def _passed(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {name: value for name, value in headers if name not in OF_THE_CONNECTION}


def _pieces(answer: http.client.HTTPResponse) -> Iterator[bytes]:
    """The body as it arrives; HTTPException where it breaks off."""
    missing = answer.length
    while piece := answer.read1(BITE):
        yield piece
        missing = None if missing is None else missing - len(piece)
    if missing:
        raise http.client.IncompleteRead(b"", missing)

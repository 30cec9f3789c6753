"""A server that takes a request and stays silent, and knows when the other side has gone."""

from __future__ import annotations

import threading

from claude_tier.livecheck.request import Request
from loopback_server import Handler, LoopbackServer


class Silent(LoopbackServer):
    """Takes a request and never answers: `asked` when one has come, `left` when it was given up."""

    def __init__(self) -> None:
        super().__init__(_Silence)
        self.asked, self.left = threading.Event(), threading.Event()


class _Silence(Handler):
    def answer(self, request: Request, body: bytes) -> None:
        server: Silent = self.server.owner
        if request.method == "POST":
            server.asked.set()
            self.connection.recv(1)  # returns when the other side goes, or the server ends
            server.left.set()
        self.hang_up()

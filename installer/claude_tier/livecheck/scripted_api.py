"""The Messages API on loopback: answers by script, and keeps what it was asked."""

from __future__ import annotations

import itertools
import json
import secrets
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import TYPE_CHECKING

from claude_tier.errors import UserError
from claude_tier.livecheck import wire
from claude_tier.livecheck.answers import Answer, Block, Failure, Usage, fail
from claude_tier.livecheck.isolation import Namespace, listen
from claude_tier.livecheck.request import Request

if TYPE_CHECKING:
    from typing_extensions import Self

Responder = Callable[[Request], Answer | Failure]

MODELS = ("claude-fable-5-2", "claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5")


@dataclass(frozen=True)
class Exchange:
    """One request for a message and what it got; `usage` is None when it failed."""

    request: Request
    answer: Answer | Failure
    request_id: str
    message_id: str
    model: str
    usage: Usage | None


class ScriptedAPI:
    """Serves while in use: `with ScriptedAPI(script) as api`.

    `respond` is a Script, or any function from a Request to an Answer or Failure; it is called
    from several threads. With a `namespace` only clients inside it can connect. A fault in
    `respond` is answered with status 400 and raised when the API closes.
    """

    def __init__(self, respond: Responder, *, namespace: Namespace | None = None) -> None:
        self.namespace = namespace
        self.closing = threading.Event()
        self._respond = respond
        self._exchanges: list[Exchange] = []
        self._probes: list[Request] = []
        self._faults: list[Exception] = []
        self._arrived = threading.Condition()
        self._numbers = itertools.count(1)
        listener = listen() if namespace is None else namespace.listen()
        self.port: int = listener.getsockname()[1]
        self._server = _Server(listener, self)
        # It looks for the end of its service this often; the default is twice a second.
        interval = {"poll_interval": 0.02}
        serve = self._server.serve_forever
        self._thread = threading.Thread(target=serve, kwargs=interval, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        if self._faults and exc is None:
            raise self._faults[0]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def requests(self) -> list[Exchange]:
        """Every request for a message so far, in order of arrival."""
        with self._arrived:
            return list(self._exchanges)

    @property
    def probes(self) -> list[Request]:
        """Everything else the client asked for."""
        with self._arrived:
            return list(self._probes)

    def wait_for(self, wanted: Callable[[Exchange], bool], timeout: float = 30) -> Exchange:
        """The first exchange that is `wanted`; UserError when none comes within `timeout` s."""
        with self._arrived:
            self._arrived.wait_for(lambda: any(map(wanted, self._exchanges)), timeout)
            found = next(filter(wanted, self._exchanges), None)
        if found is None:
            raise UserError(f"the request did not come within {timeout:g} s")
        return found

    def take(self, request: Request) -> Exchange:
        """Decide the answer to a request for a message, and keep both."""
        answer = self._decide(request)
        usage = (answer.usage or self._usage()) if isinstance(answer, Answer) else None
        exchange = Exchange(
            request=request,
            answer=answer,
            request_id=f"req_{secrets.token_hex(12)}",
            message_id=f"msg_{secrets.token_hex(12)}",
            model=(isinstance(answer, Answer) and answer.model) or request.model,
            usage=usage,
        )
        with self._arrived:
            self._exchanges.append(exchange)
            self._arrived.notify_all()
        return exchange

    def note(self, request: Request) -> None:
        with self._arrived:
            self._probes.append(request)

    def _decide(self, request: Request) -> Answer | Failure:
        try:
            answer = self._respond(request)
        except Exception as fault:  # noqa: BLE001 - it is raised again when the API closes
            self._faults.append(fault)
            return fail(400, f"the script failed: {fault!r}")
        if isinstance(answer, Failure):
            return answer
        return replace(answer, blocks=tuple(_with_id(block) for block in answer.blocks))

    def _usage(self) -> Usage:
        """Figures no other response has, so that one counted twice or not at all is seen."""
        number = next(self._numbers)
        return Usage(
            input_tokens=10 + number,
            output_tokens=100 + number,
            cache_read_tokens=1000 + number,
            cache_write_5m_tokens=200 + number,
            cache_write_1h_tokens=300 + number,
        )


def _with_id(block: Block) -> Block:
    if block["type"] != "tool_use" or "id" in block:
        return block
    return {**block, "id": f"toolu_{secrets.token_hex(12)}"}


class _Server(ThreadingHTTPServer):
    """An HTTP server on a socket that already listens, one thread a connection."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, listener: socket.socket, api: ScriptedAPI) -> None:
        super().__init__(listener.getsockname(), _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.api = api

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no fault of the API."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Say nothing on the terminal."""

    def do_HEAD(self) -> None:
        self._probe()

    def do_GET(self) -> None:
        self._probe()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        try:
            parsed = json.loads(body)
        except ValueError as exc:
            return self._json(400, fail(400, f"the body is no JSON: {exc}").body())
        if not isinstance(parsed, dict):
            return self._json(400, fail(400, "the body is no JSON object").body())
        return self._post(self._request(parsed), len(body))

    def _post(self, request: Request, size: int) -> None:
        path = request.path.partition("?")[0]
        if path == "/v1/messages":
            return self._message(self.server.api.take(request))
        self.server.api.note(request)
        if path == "/v1/messages/count_tokens":
            # Four bytes a token is near enough for a client that only plans with it.
            return self._json(200, {"input_tokens": size // 4})
        return self._json(404, fail(404, f"no such path: {path}").body())

    def _message(self, exchange: Exchange) -> None:
        answer, headers = exchange.answer, {"request-id": exchange.request_id}
        if isinstance(answer, Failure):
            return self._json(answer.status, answer.body(), {**headers, **answer.headers})
        assert exchange.usage is not None
        whole = wire.message(
            answer,
            message_id=exchange.message_id,
            model=exchange.model,
            usage=exchange.usage.wire(),
        )
        if exchange.request.stream:
            return self._stream(whole, answer, headers)
        return self._json(200, whole, headers)

    def _stream(self, whole: dict[str, object], answer: Answer, headers: dict[str, str]) -> None:
        self.close_connection = True
        self._head(200, "text/event-stream", {**headers, "connection": "close"})
        for event in wire.events(whole, answer):
            self.wfile.write(event)
        if answer.ending == "stall":
            self.server.api.closing.wait()

    def _probe(self) -> None:
        self.server.api.note(self._request({}))
        path = self.path.partition("?")[0]
        models = [_model(name) for name in MODELS]
        if path == "/v1/models":
            page = {"has_more": False, "first_id": MODELS[0], "last_id": MODELS[-1]}
            return self._json(200, {"data": models, **page})
        if path.startswith("/v1/models/"):
            return self._json(200, _model(path.rpartition("/")[2]))
        return self._json(200, {})

    def _request(self, body: dict[str, object]) -> Request:
        headers = {name.lower(): value for name, value in self.headers.items()}
        return Request(self.command, self.path, headers, body)

    def _json(self, status: int, body: object, headers: dict[str, str] | None = None) -> None:
        content = json.dumps(body).encode()
        length = {"content-length": str(len(content))}
        self._head(status, "application/json", {**(headers or {}), **length})
        if self.command != "HEAD":
            self.wfile.write(content)

    def _head(self, status: int, kind: str, headers: dict[str, str]) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()


def _model(name: str) -> dict[str, str]:
    return {
        "type": "model",
        "id": name,
        "display_name": name,
        "created_at": "2026-01-01T00:00:00Z",
    }

"""A fake of the services that cannot run here, scripted to go wrong.

It speaks as Anthropic, OpenAI (Chat Completions and Responses), OpenRouter, Ollama and a LiteLLM
proxy do by their documentation and by reports: a test with it proves how a client takes that, not
that they do it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING

import wire_formats
from claude_tier.livecheck.isolation import Namespace
from claude_tier.livecheck.request import Request
from faults import FAULTS, Fault
from faults.anybody import ELSEWHERE
from faults.courses import COURSES, Sent
from loopback_server import Handler, LoopbackServer
from wire_formats import Reply, lookups

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["FAULTS", "Behaviour", "Fault", "FaultServer", "Reply"]

Behaviour = Reply | Fault
Chooser = Callable[[Request], Behaviour]

WELL = Reply()
JSON = {"content-type": "application/json"}
KEYS = ("authorization", "x-api-key", "api-key")


class FaultServer(LoopbackServer):
    """Behaves as told while in use: `with FaultServer([FAULTS["anthropic_pace"], Reply()])`.

    Told one behaviour it keeps to it, whatever it is asked. Of several each is for one answer, in
    order; look-ups, such as for models, are answered well meanwhile. A function chooses for every
    request, where a Reply to a look-up is the usual answer. A request that the script has nothing
    for, or that its fault cannot befall, gets status 500 and is raised when the server ends.
    """

    def __init__(
        self,
        behaviour: Behaviour | Iterable[Behaviour] | Chooser = WELL,
        *,
        models: Iterable[str] = ("alpha", "beta"),
        namespace: Namespace | None = None,
    ) -> None:
        super().__init__(_Answering, namespace=namespace)
        self.models = tuple(models)
        self._behaviour = behaviour
        self._choose = _chooser(behaviour)
        self._choosing = threading.Lock()
        self._broken: list[Exception] = []

    def __enter__(self) -> Self:
        super().__enter__()
        if isinstance(self._behaviour, Fault) and self._behaviour.course == "refused":
            self.stop()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        super().__exit__(kind, exc, tb)
        if self._broken and exc is None:
            raise self._broken[0]

    @property
    def requests(self) -> list[Request]:
        """What asked for an answer of a model."""
        return [one for one in self.seen if wire_formats.of(one) and not _strayed(one)]

    @property
    def lookups(self) -> list[Request]:
        """What asked for anything else."""
        return [one for one in self.seen if not wire_formats.of(one) and not _strayed(one)]

    @property
    def strayed(self) -> list[Request]:
        """What followed a redirect, with all that it brought along."""
        return [one for one in self.seen if _strayed(one)]

    def decide(self, request: Request) -> Fault:
        """What to do about a request."""
        if _strayed(request):
            return Fault(None)
        try:
            with self._choosing:
                found = self._choose(request)
            fault = Fault(None, reply=found) if isinstance(found, Reply) else found
            _check(fault, request)
        except Exception as error:  # noqa: BLE001 - it is raised again when the server ends
            self._broken.append(error)
            return Fault("server", 500, f"the script failed: {error!r}")
        return fault


class _Answering(Handler):
    def answer(self, request: Request, body: bytes) -> None:
        server: FaultServer = self.server.owner
        fault = server.decide(request)
        sent = _spelled(fault, request, server)
        if request.method == "HEAD":
            return self.head(sent.status, {**sent.headers, "content-length": "0"})
        # A look-up is not streamed: what befalls streams alone does not befall it.
        course = fault.course if sent.streamed or fault.plain else "whole"
        return COURSES[course](self, sent)


def _chooser(behaviour: Behaviour | Iterable[Behaviour] | Chooser) -> Chooser:
    if isinstance(behaviour, (Reply, Fault)):
        return lambda request: behaviour
    if callable(behaviour):
        return behaviour
    return _in_turn(iter(behaviour))


def _in_turn(behaviours: Iterator[Behaviour]) -> Chooser:
    def choose(request: Request) -> Behaviour:
        if wire_formats.of(request) is None:
            return WELL
        found = next(behaviours, None)
        assert found is not None, "there were more requests than behaviours"
        return found

    return choose


def _check(fault: Fault, request: Request) -> None:
    """AssertionError where it cannot befall that request."""
    assert fault.course != "refused", "a server refuses all connections or none"
    spelling = wire_formats.of(request)
    if spelling is not None:
        fits = fault.streams if spelling.streams(request) else fault.plain
        assert fits, f"{fault} cannot befall {request.body}"


def _spelled(fault: Fault, request: Request, server: FaultServer) -> Sent:
    """What is to be sent, in the format that was asked for."""
    words = {
        "{model}": request.model,
        "{key}": " ".join(request.headers[name] for name in KEYS if name in request.headers),
        "{path}": request.path,
        "{port}": str(server.port),
    }
    headers = {**JSON, **{name: _filled(text, words) for name, text in fault.headers.items()}}
    if fault.body is not None:
        return Sent(fault.status, headers, [_body(fault.body, words)])
    spelling = wire_formats.of(request)
    if spelling is None:
        status, found = lookups.answer(request, server.models)
        return Sent(status, headers, [json.dumps(found).encode()])
    headers |= fault.reply.headers
    if not spelling.streams(request):
        whole = json.dumps(spelling.whole(fault.reply, request))
        return Sent(fault.status, headers, [whole.encode()])
    headers["content-type"] = spelling.STREAM_TYPE
    error = spelling.error("Overloaded")
    return Sent(fault.status, headers, spelling.events(fault.reply, request), error)


def _body(body: object, words: Mapping[str, str]) -> bytes:
    if isinstance(body, bytes):
        return body
    if isinstance(body, str):
        return _filled(body, words).encode()
    escaped = {name: json.dumps(word)[1:-1] for name, word in words.items()}
    return _filled(json.dumps(body), escaped).encode()


def _filled(text: str, words: Mapping[str, str]) -> str:
    for name, word in words.items():
        text = text.replace(name, word)
    return text


def _strayed(request: Request) -> bool:
    return request.path.startswith(ELSEWHERE)

"""What all providers that are asked over HTTP have in common."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, ClassVar, TypeVar

from claude_tier.config.providers import is_loopback
from claude_tier.errors import UserError
from claude_tier.routing import keys
from claude_tier.routing.fault import Fault
from claude_tier.routing.prompt import Delta, Event, Finished, Prompt, Used
from claude_tier.routing.providers import Found, attempts, documents, verdict
from claude_tier.routing.providers.dialect import Call, Reader
from claude_tier.routing.providers.http import Limits, Reply, Wire
from claude_tier.routing.providers.thinking import Thinking

if TYPE_CHECKING:
    from typing_extensions import Self

    from claude_tier.config.providers import Provider

Counted = TypeVar("Counted", bound=Used)

LOOK = 10.0  # seconds for a question about models, never more than the provider's own limit
AGAIN = 60.0  # seconds until one that did not answer that question is asked it again


class Endpoint(ABC):
    """One provider at an address; a kind says how it is asked and what its answers mean."""

    vendor: ClassVar[bool] = False  # whether an account there is one at whoever serves the model
    thinks_aloud: ClassVar[bool] = True  # whether thoughts can stand in the text itself

    def __init__(
        self,
        name: str,
        provider: Provider,
        limits: Limits,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.name = name
        self.provider = provider
        self._now = now
        self._keyless: UserError | None = None
        self._secret = keys.Secret()
        try:
            self._secret = keys.of(provider)
        except UserError as error:
            self._keyless = error
        self.account = self._secret.account
        self._limits = limits
        near = provider.local is True
        self._wire = Wire(self._base(), self._headers(self._secret), limits, near=near)
        self._windows: dict[str, int | None] | None = None
        self._again = 0.0

    async def __aenter__(self) -> Self:
        await self._wire.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self._wire.__aexit__(kind, exc, tb)

    async def answer(
        self, model: str, prompt: Prompt, *, stream: bool
    ) -> AsyncGenerator[Event, None]:
        """The answer as it comes, ended by one Finished; raises Fault and nothing else."""

        def attempt(asked: Prompt) -> AsyncGenerator[Event, None]:
            return self._tried(model, asked, stream=stream)

        def final(fault: Fault, told: bool) -> Fault:
            return self._finished_fault(fault, model, told=told)

        capped = self._capped(model, prompt)
        async with aclosing(attempts.plainly(attempt, capped, final)) as events:
            async for event in events:
                yield event

    async def look(self) -> Found:
        """Whether it is there and what it has; raises nothing."""
        try:
            self._need_key()
            self._windows = await self._models()
        except Fault as fault:
            known = self._finished_fault(fault, None, told=False)
            return Found(False, message=known.message, remedy=known.remedy)
        found = self._windows.items()
        return Found(True, {self._clean(name): self._given(name) or size for name, size in found})

    async def window(self, model: str) -> int | None:
        """The configuration's word, else the provider's own, asked for once, else the catalog's."""
        return self._given(model) or await self._own_window(model) or self._shipped(model)

    @abstractmethod
    async def _call(self, model: str, prompt: Prompt, *, stream: bool) -> Call:
        """The request for an answer."""

    @abstractmethod
    async def _models(self) -> dict[str, int | None]:
        """What models it has, with their windows; raises Fault."""

    def _base(self) -> str:
        return self.provider.url or ""

    def _headers(self, secret: keys.Secret) -> dict[str, str]:
        return {"authorization": f"Bearer {secret.reveal()}"} if secret else {}

    def _finish(self, event: Counted, headers: Mapping[str, str]) -> Counted:  # noqa: ARG002
        """What was used, or the end, with what the head of the reply knows better."""
        return event

    def _remedy(self, fault: Fault, model: str | None) -> str | None:  # noqa: ARG002
        """What the user can do about it."""
        if fault.cause == "model":
            return f"see what it has: claude-tier providers check {self.name}"
        if fault.cause == "connect" and self.provider.url:
            return _reach(self.provider.url)
        if fault.cause != "key":
            return None
        if self.provider.key_file:
            return f"put a valid key into {self.provider.key_file}"
        variable = self.provider.key_variable
        return f"set {variable} to a valid key" if variable else "name its key: key_env or key_file"

    def _capped(self, model: str, prompt: Prompt) -> Prompt:
        """The prompt with an answer no longer than the model can give, as the file says."""
        known = self.provider.models.get(model)
        if known is None or known.max_output is None or known.max_output >= prompt.max_tokens:
            return prompt
        return replace(prompt, max_tokens=known.max_output)

    def _given(self, model: str) -> int | None:
        known = self.provider.models.get(model)
        return known.window if known else None

    def _shipped(self, model: str) -> int | None:  # noqa: ARG002 - only for Claude models
        return None

    async def _own_window(self, model: str) -> int | None:
        if self._windows is None and self._now() >= self._again:
            await self.look()
            self._again = self._now() + AGAIN
        return (self._windows or {}).get(model)

    async def _json(self, path: str, body: Mapping[str, object] | None = None) -> documents.Json:
        """The document behind a path that answers at once; Fault where there is none."""
        limits = Limits(min(LOOK, self._limits.timeout), min(LOOK, self._limits.silence))
        method = "GET" if body is None else "POST"
        async with self._wire.open(method, path, body, limits=limits) as reply:
            await self._check(reply)
            return documents.parsed(await reply.read())

    async def _tried(
        self, model: str, prompt: Prompt, *, stream: bool
    ) -> AsyncGenerator[Event, None]:
        self._need_key()
        call = await self._call(model, prompt, stream=stream)
        async with aclosing(self._events(call, stream=stream)) as events:
            async for event in events:
                yield event

    async def _events(self, call: Call, *, stream: bool) -> AsyncGenerator[Event, None]:
        thinking = Thinking() if self.thinks_aloud else None
        async with self._wire.open("POST", call.path, call.body, stream=stream) as reply:
            await self._check(reply)
            async with aclosing(self._read(call, reply, stream=stream)) as events:
                async for event in events:
                    for clean in _without_thoughts(event, thinking):
                        yield clean
                    if isinstance(event, Finished):
                        return
        raise Fault("server", "the answer ended before its end")

    async def _read(self, call: Call, reply: Reply, *, stream: bool) -> AsyncGenerator[Event, None]:
        """The reader's events; a server that knows no streams answers in one piece."""
        whole = reply.headers.get("content-type", "").lower().startswith("application/json")
        if not stream or whole:
            document = documents.parsed(await reply.read())
            for event in self._events_in(document, reply, call.reader, whole=True):
                yield event
            return
        async with aclosing(call.documents(reply)) as parts:
            async for part in parts:
                for event in self._events_in(part, reply, call.reader, whole=False):
                    yield event

    def _events_in(
        self, document: documents.Json | None, reply: Reply, reader: Reader, *, whole: bool
    ) -> Iterator[Event]:
        """The events of one document, None for the mark at the end; an error may count as well."""
        if document is None:
            yield from (self._told(event, reply) for event in reader.end())
            return
        yield from (self._told(event, reply) for event in reader.counted(document))
        read = reader.whole if whole else reader.part
        yield from (self._told(event, reply) for event in read(self._checked(document, reply)))

    def _told(self, event: Event, reply: Reply) -> Event:
        """Names that a server gives go into the ledger: they hold no key either."""
        if isinstance(event, Delta):
            return event
        used = self._finish(event, reply.headers)
        known = used.id and self._clean(used.id)
        return replace(used, model=self._clean(used.model), id=known)

    def _clean(self, name: str) -> str:
        return keys.name(name, self._secret)

    def _checked(self, document: documents.Json, reply: Reply) -> documents.Json:
        """The document, unless it is an error in the place of an answer."""
        error = documents.error_in(document)
        if error is not None:
            raise self._judged(verdict.Failure(reply.status, reply.headers, error))
        return document

    async def _check(self, reply: Reply) -> None:
        if 200 <= reply.status < 300:
            return
        document = documents.complaint(await reply.read_error())
        error = documents.error_in(document) or document
        raise self._judged(verdict.Failure(reply.status, reply.headers, error))

    def _judged(self, failure: verdict.Failure) -> Fault:
        return verdict.judge(failure, vendor=self.vendor, now=self._now())

    def _need_key(self) -> None:
        if self._keyless:
            fault = Fault("key", self._keyless.message, everywhere=True)
            fault.remedy = self._keyless.hint
            raise fault

    def _finished_fault(self, fault: Fault, model: str | None, *, told: bool) -> Fault:
        remedy = fault.remedy or self._remedy(fault, model)
        return verdict.final(fault, self._secret, remedy=remedy, told=told)


def _reach(url: str) -> str:
    if is_loopback(url):
        return f"start it, or correct its base_url in config.yaml: {url}"
    return f"see that its base_url is right and can be reached from here: {url}"


def _without_thoughts(event: Event, thinking: Thinking | None) -> Iterator[Event]:
    if thinking is None or not isinstance(event, (Delta, Finished)):
        yield event
    elif isinstance(event, Delta):
        if told := thinking.feed(event.text):
            yield Delta(told)
    else:
        if rest := thinking.rest():
            yield Delta(rest)
        yield event

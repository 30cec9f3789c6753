"""The router: one request, the first of several targets that answers it, and what it cost."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Literal, final

import anyio
from claude_tier_hooks.shapes import Json

from claude_tier.routing import providers
from claude_tier.routing.answer import Answer, Attempt, NobodyError
from claude_tier.routing.fault import Fault
from claude_tier.routing.prompt import Delta, Finished, Prompt
from claude_tier.routing.target import Target

if TYPE_CHECKING:
    from claude_tier.config import Config
    from claude_tier.routing.providers import Client

__all__ = ["Answer", "Attempt", "NobodyError", "Origin", "Router"]

Origin = Literal["ask", "mcp", "pipeline", "heartbeat"]
Clients = Callable[["Config", str], AbstractAsyncContextManager["Client"]]


def _mute(_line: str) -> None:
    """Nobody listens."""


@final
class Router:
    """Asks targets in order until one answers; use it in an `async with`.

    `say` gets one line for each retry worth telling, fallback, skip and emergency.
    """

    def __init__(
        self,
        config: Config,
        rules: Json,
        *,
        origin: Origin = "ask",
        say: Callable[[str], None] = _mute,
        clients: Clients | None = None,
    ) -> None:
        self.config = config
        self.rules = rules
        self.origin = origin
        self.say = say
        self._make = clients or providers.client
        self._open: dict[str, Client] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Router:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.__aexit__(kind, error, trace)

    async def ask(
        self,
        prompt: Prompt,
        targets: Sequence[Target],
        *,
        route: str | None = None,  # noqa: ARG002 - for the ledger
        on_text: Callable[[str], None] | None = None,
        timeout: float | None = None,
    ) -> Answer:
        """The first whole answer; NobodyError where there is none within `timeout` seconds.

        Once something was given to `on_text`, a failure ends the request.
        """
        began, attempts = time.monotonic(), list[Attempt]()
        with anyio.move_on_after(timeout):
            for target in targets:
                at = time.monotonic()
                try:
                    text, end = await self._one(target, prompt, on_text)
                except Fault as fault:
                    spent = time.monotonic() - at
                    attempts.append(Attempt(target, fault.cause, fault.message, spent))
                    self.say(f"{target} did not answer: {fault.message}")
                    if fault.broke_off and on_text:
                        break
                    continue
                return Answer(
                    text=text,
                    asked=targets[0],
                    target=target,
                    model=end.model,
                    usage=end.usage,
                    usd=end.usage.usd,
                    seconds=time.monotonic() - began,
                    reason=end.reason,
                    attempts=tuple(attempts),
                )
        raise NobodyError("nobody answered", attempts=attempts)

    async def _one(
        self, target: Target, prompt: Prompt, on_text: Callable[[str], None] | None
    ) -> tuple[str, Finished]:
        client = await self._client(target.provider)
        parts: list[str] = []
        async for event in client.answer(target.model, prompt, stream=on_text is not None):
            if isinstance(event, Delta):
                parts.append(event.text)
                if on_text:
                    on_text(event.text)
            else:
                return "".join(parts), event
        raise Fault("server", "the answer ended without its end", broke_off=bool(parts))

    async def _client(self, name: str) -> Client:
        if name not in self._open:
            made = self._make(self.config, name)
            self._open[name] = await self._stack.enter_async_context(made)
        return self._open[name]

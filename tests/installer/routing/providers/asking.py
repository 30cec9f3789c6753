"""Asks a provider of each kind, as the router does, and gives all that came of it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass

import anyio
from claude_tier.config import Config
from claude_tier.config.providers import Kind, Provider
from claude_tier.routing import providers
from claude_tier.routing.fault import Fault
from claude_tier.routing.prompt import Delta, Finished, Prompt, Used
from claude_tier.routing.providers import Client, Found
from claude_tier.routing.providers.http import Limits

KEY = "sk-test-0123456789abcdef0123456789"
VARIABLE = "A_KEY"
MODEL = "alpha"
PATIENT = Limits(60, 60)
HASTY = Limits(0.3, 0.1)


@dataclass(frozen=True)
class Way:
    """A kind of provider, and where on a server it is asked."""

    kind: Kind
    path: str = ""
    api: str | None = None

    def __str__(self) -> str:
        return self.kind + (f"-{self.api}" if self.api else "")


# By the API that the catalogue of faults has them under.
WAYS: dict[str, tuple[Way, ...]] = {
    "anthropic": (Way("anthropic"), Way("anthropic-compatible")),
    "openai": (
        Way("openai", "/v1"),
        Way("openai", "/v1", api="responses"),
        Way("openai-compatible", "/v1"),
    ),
    "openrouter": (Way("openrouter", "/api/v1"),),
    "ollama": (Way("ollama"),),
    "llama_server": (Way("llama-server"), Way("llama-server", api="chat")),
    "litellm": (Way("litellm"),),
}
EVERY_WAY = tuple(way for each in WAYS.values() for way in each)


@dataclass(frozen=True)
class Outcome:
    """What came of a request: text in pieces, and its end or why there is none."""

    pieces: tuple[str, ...]
    end: Finished | None = None
    fault: Fault | None = None
    used: Used | None = None  # so far, as told before the end

    @property
    def text(self) -> str:
        return "".join(self.pieces)


def config(url: str, way: Way, **more: object) -> Config:
    """One provider "there", with a key from the environment."""
    given = {"kind": way.kind, "base_url": f"{url}{way.path}", "api": way.api, "key_env": VARIABLE}
    return Config(providers={"there": Provider.model_validate({**given, **more})})


def client(url: str, way: Way, limits: Limits = PATIENT, **more: object) -> Client:
    return providers.client(config(url, way, **more), "there", limits=limits)


def ask(
    there: Client, prompt: Prompt | None = None, *, stream: bool = False, model: str = MODEL
) -> Outcome:
    """One request, to its end."""
    return anyio.run(_ask, there, prompt or Prompt.of("hello"), stream, model)


def ask_each(asked: Sequence[tuple[Client, bool]], *, at_once: int = 1) -> list[Outcome]:
    """What comes of a request to each of these clients, given with whether it streams."""
    return anyio.run(_ask_each, asked, at_once)


def look(there: Client) -> Found:
    return anyio.run(_look, there)


def window(there: Client, model: str) -> int | None:
    return anyio.run(_window, there, model)


async def _ask(there: Client, prompt: Prompt, stream: bool, model: str) -> Outcome:
    pieces, end, used = list[str](), None, None
    try:
        async with there, aclosing(there.answer(model, prompt, stream=stream)) as events:
            async for event in events:
                assert end is None, "something came after the end"
                if isinstance(event, Delta):
                    pieces.append(event.text)
                elif isinstance(event, Finished):
                    end = event
                else:
                    used = event
    except Fault as fault:
        return Outcome(tuple(pieces), end, fault, used)
    return Outcome(tuple(pieces), end, used=used)


async def _ask_each(asked: Sequence[tuple[Client, bool]], at_once: int) -> list[Outcome]:
    found: dict[int, Outcome] = {}
    few = anyio.CapacityLimiter(at_once)

    async def one(number: int, there: Client, stream: bool) -> None:
        async with few:
            found[number] = await _ask(there, Prompt.of("hello"), stream, MODEL)

    async with anyio.create_task_group() as group:
        for number, (there, stream) in enumerate(asked):
            group.start_soon(one, number, there, stream)
    return [found[number] for number in sorted(found)]


async def _look(there: Client) -> Found:
    async with there:
        return await there.look()


async def _window(there: Client, model: str) -> int | None:
    async with there:
        return await there.window(model)

"""What is on this machine to be used: servers at their usual addresses, and keys by name alone."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

import anyio

from claude_tier.config.providers import USUAL, Kind, Provider, host_of, is_loopback
from claude_tier.errors import UserError
from claude_tier.routing.fault import Fault
from claude_tier.routing.providers import Client, Found

if TYPE_CHECKING:
    from claude_tier.config import Config

SERVERS: tuple[Kind, ...] = ("ollama", "llama-server", "litellm")
PATIENCE = 15.0  # seconds for one provider to say what it has
OLLAMA_PORT = 11434
GET_OLLAMA = "install Ollama from https://ollama.com/download"

Clients = Callable[["Config", str], AbstractAsyncContextManager[Client]]


class Owner(NamedTuple):
    """The provider that a server here is, or would be, and the keys the file lacks for that."""

    name: str
    provider: Provider
    lacking: dict[str, object]


@dataclass(frozen=True)
class Server:
    """One kind of server that may run here, and what a look at it found."""

    kind: Kind
    owner: Owner
    found: Found

    @property
    def remedy(self) -> str | None:
        """What would make it answer."""
        if self.kind == "ollama" and shutil.which("ollama") is None:
            return GET_OLLAMA
        return self.found.remedy


@dataclass(frozen=True)
class Seen:
    """Servers by kind, and the kinds whose usual key is in the environment, with its name."""

    servers: Mapping[Kind, Server]
    keys: Mapping[Kind, str]


async def around(config: Config, environ: Mapping[str, str], clients: Clients) -> Seen:
    """Look for every server at once; one that is configured is looked for where it is."""
    found: dict[Kind, Server] = {}

    async def visit(kind: Kind) -> None:
        whose = owner(config, kind, address(kind, environ))
        found[kind] = Server(kind, whose, await look(_with(config, whose), whose.name, clients))

    async with anyio.create_task_group() as tasks:
        for kind in SERVERS:
            tasks.start_soon(visit, kind)
    return Seen({kind: found[kind] for kind in SERVERS}, _keys(environ))


async def look(config: Config, name: str, clients: Clients, patience: float = PATIENCE) -> Found:
    """What that provider has; raises nothing, and never waits longer than that."""
    with anyio.move_on_after(patience):
        try:
            async with clients(config, name) as client:
                return await client.look()
        except UserError as error:
            return Found(reachable=False, message=error.message, remedy=error.hint)
        except Fault as fault:
            return Found(reachable=False, message=fault.message, remedy=fault.remedy)
    return Found(reachable=False, message=f"it said nothing for {patience:g} s")


def has(found: Found, model: str) -> bool:
    """Whether that model is among them; Ollama takes phi3 for phi3:latest."""
    return model in found.models or f"{model}:latest" in found.models


def owner(config: Config, kind: Kind, where: str | None = None) -> Owner:
    """The provider of that kind, else the one that has its address or name, else a new one."""
    for name, provider in config.providers.items():
        if provider.kind == kind:
            return Owner(name, provider, {})
    made = Provider.model_validate({"kind": kind, **({"base_url": where} if where else {})})
    for name, provider in config.providers.items():
        if provider.kind is None and _same(provider.url or "", made.url or ""):
            return Owner(name, provider.model_copy(update={"kind": kind}), {"kind": kind})
    lacking: dict[str, object] = made.model_dump(exclude_none=True, exclude_unset=True)
    if USUAL[kind].local:
        made, lacking = made.model_copy(update={"free": True}), {**lacking, "free": True}
    taken = kind in config.providers
    return Owner(f"{kind}-here" if taken else kind, made, lacking)


def _same(url: str, other: str) -> bool:
    """Whether both are one port of this machine."""
    ports = [urlsplit(one).port for one in (url, other)]
    return is_loopback(url) and is_loopback(other) and ports[0] == ports[1]


def _with(config: Config, owner: Owner) -> Config:
    return config.model_copy(update={"providers": {**config.providers, owner.name: owner.provider}})


def address(kind: Kind, environ: Mapping[str, str]) -> str | None:
    """Where Ollama's own variable puts it on this machine; None for the usual address."""
    given = environ.get("OLLAMA_HOST", "").strip()
    if kind != "ollama" or not given:
        return None
    parts = urlsplit(given if "://" in given else f"http://{given}")
    host = parts.hostname or "127.0.0.1"
    host = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104 - what it listens on
    try:
        url = f"http://{f'[{host}]' if ':' in host else host}:{parts.port or OLLAMA_PORT}"
    except ValueError:
        return None
    return url if host_of(url) and is_loopback(url) and url != USUAL[kind].base_url else None


def _keys(environ: Mapping[str, str]) -> dict[Kind, str]:
    return {
        kind: usual.key_env
        for kind, usual in USUAL.items()
        if usual.key_env and environ.get(usual.key_env, "").strip()
    }

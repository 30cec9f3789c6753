"""From what is there to what config.yaml lacks: providers, and local models for the roles.

A role that is filled stays as it is. Only models of this machine are proposed for roles: what a
key opens becomes a provider, to which nothing goes until the user names it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from claude_tier.config.providers import Kind
from claude_tier.routing.setup import catalogue
from claude_tier.routing.setup.catalogue import Choice
from claude_tier.routing.setup.looking import Seen, Server, has
from claude_tier.routing.setup.memory import GIB, Memory
from claude_tier.routing.target import Target, resolve

if TYPE_CHECKING:
    from claude_tier.config import Config


@dataclass(frozen=True)
class Proposal:
    """Keys to add to config.yaml, the reason of each, and models that are not there yet."""

    additions: Mapping[str, object]
    reasons: tuple[str, ...]
    pulls: tuple[Target, ...]


@dataclass(frozen=True)
class _Filled:
    """A role with the model that would fill it; `choice` is None where it runs already."""

    role: str
    target: Target
    choice: Choice | None


def proposal(config: Config, seen: Seen, memories: Sequence[Memory]) -> Proposal:
    """What to add; nothing where everything is configured or nothing is there."""
    filled = list(_filled(config, seen, memories))
    reasons, providers = [], dict[str, dict[str, object]]()
    for name, keys, reason in _providers(config, seen):
        providers[name] = dict(keys)
        reasons.append(reason)
    windows = _windows(filled)
    for target, window in windows.items():
        own = providers.setdefault(target.provider, {})
        known = cast("dict[str, object]", own.setdefault("models", {}))
        known[target.model] = {"window": window}
    sections: dict[str, object] = {
        "providers": providers,
        "router": {one.role: str(one.target) for one in filled},
    }
    return Proposal(
        additions={name: section for name, section in sections.items() if section},
        reasons=(
            *reasons,
            *(_reason(one, windows) for one in filled),
            *_without(config, seen, {one.role for one in filled}),
        ),
        pulls=tuple(_missing(seen, [*filled_roles(config), *(one.target for one in filled)])),
    )


def _providers(config: Config, seen: Seen) -> Iterator[tuple[str, Mapping[str, object], str]]:
    for server in seen.servers.values():
        if server.found.reachable and server.owner.lacking:
            where = f"{server.owner.name}: answers at {server.owner.provider.url}"
            yield server.owner.name, server.owner.lacking, where
    kinds = {provider.kind for provider in config.providers.values()}
    for kind, variable in seen.keys.items():
        if kind not in kinds and kind not in config.providers:
            reason = f"{kind}: {variable} is set; nothing goes there until you name it as a target"
            yield kind, {"kind": kind}, reason


def _filled(config: Config, seen: Seen, memories: Sequence[Memory]) -> Iterator[_Filled]:
    for role, wanted in catalogue.roles().items():
        if getattr(config.router, role) is not None:
            continue
        made = _of_ollama(role, wanted, seen, memories) or _of_llama_server(role, wanted, seen)
        if made:
            yield made


def _of_ollama(
    role: str, wanted: catalogue.Role, seen: Seen, memories: Sequence[Memory]
) -> _Filled | None:
    server = _reachable(seen, "ollama")
    if server is None:
        return None
    chosen = catalogue.choose(wanted, memories, server.found.models)
    if chosen is None:
        return None
    return _Filled(role, Target(server.owner.name, chosen.model.name), chosen)


def _of_llama_server(role: str, wanted: catalogue.Role, seen: Seen) -> _Filled | None:
    """The one model that runs there, where its window is known to do."""
    server = _reachable(seen, "llama-server")
    if server is None:
        return None
    for model, window in server.found.models.items():
        if window and window >= wanted.window and model.isprintable():
            return _Filled(role, Target(server.owner.name, model), None)
    return None


def _without(config: Config, seen: Seen, filled: Collection[str]) -> Iterator[str]:
    """The roles that nothing on this machine can fill, where there is a server at all."""
    if not any(_reachable(seen, kind) for kind in ("ollama", "llama-server")):
        return
    for role, wanted in catalogue.roles().items():
        if getattr(config.router, role) is None and role not in filled:
            yield f"{role} stays empty: no model here takes its {wanted.window:,} tokens of context"


def _reachable(seen: Seen, kind: Kind) -> Server | None:
    server = seen.servers.get(kind)
    return server if server and server.found.reachable else None


def _windows(filled: Sequence[_Filled]) -> dict[Target, int]:
    """The context of each model that is loaded for it: the largest that one of its roles wants."""
    found: dict[Target, int] = {}
    for one in filled:
        if one.choice is not None:
            found[one.target] = max(found.get(one.target, 0), one.choice.window)
    return found


def _reason(one: _Filled, windows: Mapping[Target, int]) -> str:
    if one.choice is None:
        return f"router.{one.role}: {one.target} runs already"
    window = windows[one.target]
    size = f"{one.choice.model.need(window) / GIB:.1f} GiB with {window:,} tokens of context"
    return f"router.{one.role}: {one.target} takes about {size}"


def filled_roles(config: Config) -> tuple[Target, ...]:
    """The targets of the roles that the file fills and a local model could."""
    filled = [role for role in catalogue.roles() if getattr(config.router, role) is not None]
    return tuple(dict.fromkeys(target for role in filled for target in resolve(config, role)))


def _missing(seen: Seen, targets: Sequence[Target]) -> Iterator[Target]:
    """Those that the Ollama here would have to fetch first."""
    server = _reachable(seen, "ollama")
    for target in dict.fromkeys(targets):
        if server and target.provider == server.owner.name and not has(server.found, target.model):
            yield target

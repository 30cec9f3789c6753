"""Which targets the configuration names, and where: what should be there when it is checked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from claude_tier.config.routing import ROLES
from claude_tier.routing.target import Target

if TYPE_CHECKING:
    from claude_tier.config import Config


def named(config: Config) -> dict[Target, tuple[str, ...]]:
    """Every target with the places that name it: ollama/qwen3:8b -> chains.cheap, router.small."""
    found: dict[Target, list[str]] = {}
    for place, name in _places(config):
        provider, slash, model = name.partition("/")
        if slash:  # a chain or a role has its targets at its own place
            found.setdefault(Target(provider, model), []).append(place)
    return {target: tuple(dict.fromkeys(places)) for target, places in found.items()}


def _places(config: Config) -> Iterator[tuple[str, str]]:
    for chain, names in config.chains.items():
        yield from ((f"chains.{chain}", name) for name in names)
    for key in ("default", *ROLES):
        if (name := getattr(config.router, key)) is not None:
            yield f"router.{key}", name
    yield from ((f"routes.{route.name}", route.target) for route in config.routes)
    yield "local_models.general", config.local_models.general
    yield "local_models.coding", config.local_models.coding
    yield from ((f"local_models.{tool.name}", tool.target) for tool in config.local_models.tools)
    for name, group in config.groups.items():
        if group.provider is not None:
            yield f"groups.{name}", f"{group.provider}/{group.model}"

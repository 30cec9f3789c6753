"""A target is a model of a provider; chains and roles stand for several, in order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from claude_tier.config.providers import CLAUDE, Provider
from claude_tier.config.routing import ROLES

if TYPE_CHECKING:
    from claude_tier.config import Config


class Target(NamedTuple):
    """One model of one provider, by the names that the configuration gives them."""

    provider: str
    model: str

    def __str__(self) -> str:
        return f"{self.provider}/{self.model}"


def providers(config: Config) -> dict[str, Provider]:
    """Every provider there is: those of the file, and the user's own `claude`."""
    return {CLAUDE: Provider(kind="claude-cli"), **config.providers}


def resolve(config: Config, name: str) -> tuple[Target, ...]:
    """The targets that a name stands for, in order and each once: ollama/qwen3:8b, a chain, a role.

    The name is one that the configuration was checked to know.
    """
    return tuple(dict.fromkeys(_resolved(config, name, frozenset())))


def _resolved(config: Config, name: str, above: frozenset[str]) -> Iterator[Target]:
    if name in above:  # a chain that holds a role which stands for that chain
        return
    if name in config.chains:
        for each in config.chains[name]:
            yield from _resolved(config, each, above | {name})
    elif name in ROLES:
        yield from _resolved(config, config.router.filled(name), above | {name})
    else:
        provider, _, model = name.partition("/")
        yield Target(provider, model)


def paid(config: Config) -> tuple[Target, ...]:
    """Every target that a role, a chain or a route leads to and that does not run here."""
    routes = (route.target for route in config.routes)
    names = (config.router.default, *ROLES, *config.chains, *routes)
    found = dict.fromkeys(one for name in names for one in resolve(config, name))
    return tuple(one for one in found if not is_local(config, one))


def is_local(config: Config, target: Target) -> bool:
    """Whether what is sent to that target stays on this machine."""
    return providers(config)[target.provider].runs_here(target.model)

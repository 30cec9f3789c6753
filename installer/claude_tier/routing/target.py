"""A target is a model of a provider; chains and roles stand for several, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from claude_tier.config.routing import leads_to

if TYPE_CHECKING:
    from claude_tier.config import Config
    from claude_tier.config.providers import Provider


class Target(NamedTuple):
    """One model of one provider, by the names that the configuration gives them."""

    provider: str
    model: str

    def __str__(self) -> str:
        return f"{self.provider}/{self.model}"


def providers(config: Config) -> dict[str, Provider]:
    """Every provider there is."""
    return config.all_providers


def resolve(config: Config, name: str) -> tuple[Target, ...]:
    """The targets that a name stands for, in order and each once: ollama/qwen3:8b, a chain, a role.

    The name is one that the configuration was checked to know.
    """
    found = dict.fromkeys(leads_to(name, config.router, config.chains))
    parts = (one.partition("/") for one in found)
    return tuple(Target(provider, model) for provider, _, model in parts)


def is_local(config: Config, target: Target) -> bool:
    """Whether what is sent to that target stays on this machine."""
    return providers(config)[target.provider].runs_here(target.model)

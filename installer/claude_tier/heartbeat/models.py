"""The models of a beat: names of the router, or a tier of Claude for the user's own `claude`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from claude_tier_hooks import policy

from claude_tier.config.heartbeat import fault_in_model
from claude_tier.config.providers import CLAUDE
from claude_tier.config.routing import ROLES
from claude_tier.routing import target
from claude_tier.routing.target import Target

if TYPE_CHECKING:
    from claude_tier.config import Config


def targets(config: Config, name: str) -> tuple[Target, ...]:
    """What a name that was checked stands for, in order."""
    if name in config.tiers:
        return (Target(CLAUDE, name),)
    return target.resolve(config, name)


def fault_in(config: Config, name: str) -> str | None:
    """What is wrong with a name; None where it can be asked."""
    return fault_in_model(
        name,
        tiers=[str(tier) for tier in config.tiers],
        providers=config.providers,
        chains=config.chains,
    )


def unfilled(config: Config, name: str) -> str | None:
    """Why a role is nobody's name: it is not set, and who stands in for it was not named."""
    if name in config.chains or name not in ROLES or name in config.router.model_fields_set:
        return None
    return f"router.{name} is not set in config.yaml: set it, or name another model than {name}"


def uses_tools(config: Config, name: str) -> bool:
    """Whether everybody it stands for is the user's own `claude`, the only one with tools."""
    providers = target.providers(config)
    return all(providers[one.provider].kind == "claude-cli" for one in targets(config, name))


def is_served_by(asked: Target, served: str) -> bool:
    """Whether the model that answered is the one that was asked for, by any of its names."""
    wanted, found = asked.model.lower(), served.lower()
    if asked.provider == CLAUDE and wanted in policy.TIERS:
        return policy.family(found) == wanted
    bare = wanted.partition("[")[0]
    # openrouter's x/y:free is served as x/y, ollama's qwen3 as qwen3:latest, others with a date.
    if found in (bare, bare.partition(":")[0], f"{bare}:latest") or bare.endswith(f"/{found}"):
        return True
    rest = found.removeprefix(bare)
    date = rest[1:].replace("-", "")  # claude-opus-4-8 is no claude-opus-4 of another day
    return rest != found and rest[:1] in "-@" and date.isdigit() and len(date) >= 4

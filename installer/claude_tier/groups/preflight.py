"""Whether another endpoint is there and has the group's model, before a client is started on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from claude_tier.groups.profile import Profile

if TYPE_CHECKING:
    from claude_tier.config import Config
    from claude_tier.routing.providers import Client

SECONDS = 15


class Fault(NamedTuple):
    """Why a client would get no answer there, and what to do about it."""

    message: str
    remedy: str | None = None


def look(config: Config, profile: Profile) -> Fault | None:
    """What is wrong with the endpoint; None where it stands ready or is Claude itself."""
    if profile.group.provider is None:
        return None
    import anyio

    return anyio.run(_look, config, profile)


async def _look(config: Config, profile: Profile) -> Fault | None:
    import anyio

    from claude_tier.routing import providers

    name, model = profile.group.provider or "", profile.model or ""
    with anyio.move_on_after(SECONDS):
        async with providers.client(config, name) as client:
            found = await client.look()
            if not found.reachable:
                return Fault(found.message or "it cannot be reached", found.remedy)
            if not found.models and _may_not_list(profile):
                return await _asked(client, model)
            return _without(profile, model, list(found.models))
    return Fault(f"it said nothing for {SECONDS} seconds")


def _may_not_list(profile: Profile) -> bool:
    """Not every server that speaks Anthropic's API lists its models."""
    assert profile.provider is not None
    return profile.provider.kind == "anthropic-compatible"


async def _asked(client: Client, model: str) -> Fault | None:
    """What one token tells of a model that is in no list; None where it answers."""
    from claude_tier.routing.fault import Fault as ProviderFault
    from claude_tier.routing.prompt import Message, Prompt

    prompt = Prompt((Message("user", "."),), max_tokens=1)
    try:
        async for _ in client.answer(model, prompt, stream=False):
            pass
    except ProviderFault as fault:
        return Fault(fault.message, fault.remedy)
    return None


def _without(profile: Profile, model: str, models: list[str]) -> Fault | None:
    """A model that a server does not list; only Ollama's list is sure to be the whole of it."""
    assert profile.provider is not None
    if profile.provider.kind != "ollama" or {model, f"{model}:latest"} & set(models):
        return None
    return Fault(f"it has no model {model}", f"`ollama pull {model}`")

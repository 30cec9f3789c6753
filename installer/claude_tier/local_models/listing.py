"""What really runs on this machine: every local provider is asked at the same time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from claude_tier.config.providers import Provider
from claude_tier.errors import UserError
from claude_tier.local_models.offers import Offer, offers
from claude_tier.local_models.shapes import FoundModel, FoundProvider, Listing
from claude_tier.routing import providers
from claude_tier.routing.providers import Found
from claude_tier.routing.target import Target

if TYPE_CHECKING:
    from claude_tier.config import Config

PATIENCE = 10  # seconds for a look
MOST_MODELS = 100  # of one provider
SET_UP = "Tell the user to run `claude-tier providers setup`, which finds local models."


async def listing(config: Config) -> Listing:
    """Every provider on this machine with its models; raises nothing."""
    made = offers(config)
    names = [name for name, provider in config.providers.items() if _is_local(provider)]
    found: dict[str, FoundProvider] = {}

    async def look(name: str) -> None:
        found[name] = await _look(config, name, made)

    async with anyio.create_task_group() as tasks:
        for name in names:
            tasks.start_soon(look, name)
    return Listing(
        providers=[found[name] for name in names],
        tools={each.name: [str(target) for target in each.targets] for each in made},
        hint=None if any(each.targets for each in made) else SET_UP,
    )


def _is_local(provider: Provider) -> bool:
    return provider.kind is not None and provider.runs_here("")


async def _look(config: Config, name: str, made: tuple[Offer, ...]) -> FoundProvider:
    with anyio.move_on_after(PATIENCE):
        try:
            async with providers.client(config, name) as client:
                found = await client.look()
        except UserError as error:  # its key cannot be had
            found = Found(reachable=False, message=error.message, remedy=error.hint)
        models = [
            FoundModel(name=model, window=window, used_by=_used_by(Target(name, model), made))
            for model, window in found.models.items()
            if config.providers[name].runs_here(model)
        ]
        return FoundProvider(
            provider=name,
            reachable=found.reachable,
            models=models[:MOST_MODELS],
            more=len(models[MOST_MODELS:]),
            problem=found.message,
            remedy=found.remedy,
        )
    return FoundProvider(
        provider=name, reachable=False, problem=f"it did not answer within {PATIENCE} s"
    )


def _used_by(target: Target, made: tuple[Offer, ...]) -> list[str]:
    return [each.name for each in made if target in each.targets]

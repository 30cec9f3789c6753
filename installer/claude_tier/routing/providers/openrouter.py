"""OpenRouter: Chat Completions of many vendors on one account."""

from __future__ import annotations

from typing import ClassVar

from claude_tier.routing.fault import Fault
from claude_tier.routing.providers import documents
from claude_tier.routing.providers.openai import OpenAICompatible


class OpenRouter(OpenAICompatible):
    """OpenRouter by its own account, so that an empty one stands for all of its models."""

    vendor: ClassVar[bool] = True

    async def _models(self) -> dict[str, int | None]:
        """Its list is open to everybody, so the key is asked about apart."""
        try:
            await self._json("/key")
        except Fault as fault:
            if fault.cause == "key":
                raise
        found = await self._json("/models")
        return {
            documents.text(each.get("id")): _window(each)
            for each in documents.mappings(found.get("data"))
        }

    async def _own_window(self, model: str) -> int | None:
        """A suffix such as :nitro picks among those who serve a model, and is not in the list."""
        found = await super()._own_window(model)
        return found or await super()._own_window(model.partition(":")[0])


def _window(model: documents.Json) -> int | None:
    """The window at the provider it goes to first, which may be less than the model's own."""
    top = documents.mapping(model.get("top_provider"))
    first = documents.window(top.get("context_length"))
    return first or documents.window(model.get("context_length"))

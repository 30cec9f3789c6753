"""A LiteLLM proxy: who really answered, and for how much, stands in its headers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from claude_tier.routing.fault import Fault
from claude_tier.routing.prompt import Prompt
from claude_tier.routing.providers import chat, documents
from claude_tier.routing.providers.dialect import Call
from claude_tier.routing.providers.documents import mapping, text
from claude_tier.routing.providers.endpoint import Counted, Endpoint
from claude_tier.routing.providers.openai import window_of


class LiteLLM(Endpoint):
    """A LiteLLM proxy. Behind it are accounts of others, so no fault there is the proxy's own."""

    def _base(self) -> str:
        return (self.provider.url or "").removesuffix("/v1")

    async def _call(self, model: str, prompt: Prompt, *, stream: bool) -> Call:
        call = chat.call(model, prompt, stream=stream)
        return call._replace(path=f"/v1{call.path}")

    def _finish(self, event: Counted, headers: Mapping[str, str]) -> Counted:
        """With the model that served: the body of a stream keeps the name that was asked for.

        A cost of 0 is what the proxy says of a price that it does not know.
        """
        cost = documents.dollars(headers.get("x-litellm-response-cost"))
        usage = replace(event.usage, usd=cost) if cost else event.usage
        return replace(event, usage=usage, model=_served(event.model, headers))

    async def _models(self) -> dict[str, int | None]:
        try:
            found = await self._json("/model/info")
        except Fault as fault:
            if fault.cause in ("connect", "timeout"):
                raise
            return await self._listed()
        windows: dict[str, int | None] = {}
        for each in documents.mappings(found.get("data")):
            name = text(each.get("model_name"))
            size = documents.window(mapping(each.get("model_info")).get("max_input_tokens"))
            windows[name] = _narrower(size, windows.get(name))
        return windows or await self._listed()

    async def _listed(self) -> dict[str, int | None]:
        """What a key without the right to details may see."""
        found = await self._json("/v1/models")
        return {
            text(each.get("id")): window_of(each) for each in documents.mappings(found.get("data"))
        }


def _served(model: str, headers: Mapping[str, str]) -> str:
    if named := headers.get("x-litellm-model-name"):
        return named
    if headers.get("x-litellm-attempted-fallbacks", "0") in ("0", ""):
        return model
    told = headers.get("x-litellm-model-group") or headers.get("x-litellm-model-id")
    return told or model


def _narrower(one: int | None, other: int | None) -> int | None:
    """Several deployments share a name; a prompt has to fit the smallest."""
    return min((size for size in (one, other) if size), default=None)

"""OpenAI's own API, and servers that speak its Chat Completions."""

from __future__ import annotations

import re
from typing import ClassVar
from urllib.parse import urlsplit

from claude_tier.routing.prompt import Prompt
from claude_tier.routing.providers import chat, documents
from claude_tier.routing.providers.dialect import Call
from claude_tier.routing.providers.endpoint import Endpoint

_REASONS = re.compile(r"(?:o\d|gpt-[5-9])")  # models that refuse a temperature


class OpenAICompatible(Endpoint):
    """A server that speaks Chat Completions; an address without a path is meant with /v1."""

    def _base(self) -> str:
        url = self.provider.url or ""
        return url if urlsplit(url).path else f"{url}/v1"

    async def _call(self, model: str, prompt: Prompt, *, stream: bool) -> Call:
        return chat.call(model, prompt, stream=stream)

    async def _models(self) -> dict[str, int | None]:
        found = await self._json("/models")
        return {
            documents.text(each.get("id")): self._window_of(each)
            for each in documents.mappings(found.get("data"))
        }

    def _window_of(self, model: documents.Json) -> int | None:
        """Where vLLM, LM Studio, llama.cpp and others put it."""
        meta = documents.mapping(model.get("meta"))
        for value in (
            model.get("max_model_len"),
            model.get("context_length"),
            model.get("context_window"),
            model.get("max_context_length"),
            meta.get("n_ctx"),
        ):
            if found := documents.window(value):
                return found
        return None


class OpenAI(OpenAICompatible):
    """OpenAI itself."""

    vendor: ClassVar[bool] = True
    thinks_aloud: ClassVar[bool] = False

    async def _call(self, model: str, prompt: Prompt, *, stream: bool) -> Call:
        call = chat.call(model, prompt, stream=stream, limit="max_completion_tokens")
        if not _REASONS.match(model):
            return call
        return call._replace(body={k: v for k, v in call.body.items() if k != "temperature"})

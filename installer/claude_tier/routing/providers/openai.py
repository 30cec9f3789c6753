"""OpenAI's own API, and servers that speak it."""

from __future__ import annotations

import re
from typing import ClassVar
from urllib.parse import urlsplit

from claude_tier.routing.prompt import Prompt
from claude_tier.routing.providers import chat, documents, responses
from claude_tier.routing.providers.dialect import Call
from claude_tier.routing.providers.endpoint import Endpoint

_REASONING = re.compile(r"(?:o\d|gpt-[5-9])")  # models that refuse a temperature
_WINDOWS = ("max_model_len", "context_length", "context_window", "max_context_length")


class OpenAICompatible(Endpoint):
    """A server that speaks Chat Completions, or Responses where the configuration says so.

    An address without a path is meant with /v1.
    """

    def _base(self) -> str:
        url = self.provider.url or ""
        return url if urlsplit(url).path else f"{url}/v1"

    async def _call(self, model: str, prompt: Prompt, *, stream: bool) -> Call:
        if self.provider.api == "responses":
            return responses.call(model, prompt, stream=stream)
        return chat.call(model, prompt, stream=stream)

    async def _models(self) -> dict[str, int | None]:
        found = await self._json("/models")
        return {
            documents.text(each.get("id")): window_of(each)
            for each in documents.mappings(found.get("data"))
        }


def window_of(model: documents.Json) -> int | None:
    """The window in a list of models, where vLLM, LM Studio, llama.cpp and others put it."""
    meta = documents.mapping(model.get("meta"))
    values = [*(model.get(name) for name in _WINDOWS), meta.get("n_ctx")]
    return next(filter(None, map(documents.window, values)), None)


class OpenAI(OpenAICompatible):
    """OpenAI itself; models of the codex family are served by Responses alone."""

    vendor: ClassVar[bool] = True
    thinks_aloud: ClassVar[bool] = False

    async def _call(self, model: str, prompt: Prompt, *, stream: bool) -> Call:
        if self.provider.api == "responses" or (self.provider.api is None and "codex" in model):
            call = responses.call(model, prompt, stream=stream)
        else:
            call = chat.call(model, prompt, stream=stream, limit="max_completion_tokens")
        if not _REASONING.match(model):
            return call
        return call._replace(body={k: v for k, v in call.body.items() if k != "temperature"})

"""Anthropic's own API, and servers that speak it."""

from __future__ import annotations

import re
from typing import ClassVar

from claude_tier.routing import keys
from claude_tier.routing.fault import Fault
from claude_tier.routing.prompt import Prompt
from claude_tier.routing.providers import chat, documents, messages, windows
from claude_tier.routing.providers.dialect import Call
from claude_tier.routing.providers.endpoint import Endpoint

# Older models take a temperature and no schema; from 4.7 on a temperature is refused.
_OLDER = re.compile(r"claude-(?:\w+-4-[0-6]\b|\w+-4-2\d{7}|3|2|instant)")
UNLISTED = frozenset({404, 405, 501})  # of one that is there, and has no list of its models


class AnthropicCompatible(Endpoint):
    """A server that speaks the Messages API."""

    def _base(self) -> str:
        return (self.provider.url or "").removesuffix("/v1")

    def _headers(self, secret: keys.Secret) -> dict[str, str]:
        """Both ways to show the key: such servers differ in which one they read."""
        known = {"x-api-key": secret.reveal()} if secret else {}
        return {"anthropic-version": messages.VERSION, **known, **super()._headers(secret)}

    async def _call(self, model: str, prompt: Prompt, *, stream: bool) -> Call:
        call = messages.call(model, prompt, stream=stream)
        return call._replace(body={**call.body, **self._extras(model, prompt)})

    def _extras(self, model: str, prompt: Prompt) -> documents.Json:  # noqa: ARG002
        return {} if prompt.temperature is None else {"temperature": prompt.temperature}

    async def _models(self) -> dict[str, int | None]:
        try:
            found = await self._json("/v1/models?limit=1000")
        except Fault as fault:
            if self.vendor or fault.status not in UNLISTED:
                raise
            return {}
        return {
            documents.text(each.get("id")): documents.window(each.get("max_input_tokens"))
            for each in documents.mappings(found.get("data"))
        }


class Anthropic(AnthropicCompatible):
    """Anthropic itself."""

    vendor: ClassVar[bool] = True
    thinks_aloud: ClassVar[bool] = False

    def _headers(self, secret: keys.Secret) -> dict[str, str]:
        known = {"x-api-key": secret.reveal()} if secret else {}
        return {"anthropic-version": messages.VERSION, **known}

    def _extras(self, model: str, prompt: Prompt) -> documents.Json:
        if _OLDER.match(model):
            return super()._extras(model, prompt)
        if prompt.schema is None or not all(map(chat.is_closed, chat.objects(prompt.schema))):
            return {}  # an open object is refused
        return {"output_config": {"format": {"type": "json_schema", "schema": prompt.schema}}}

    def _shipped(self, model: str) -> int | None:
        return windows.shipped(model)

"""llama.cpp's own server: the Messages API, and Chat Completions where a schema is to hold."""

from __future__ import annotations

from claude_tier.routing.fault import Fault
from claude_tier.routing.prompt import Prompt
from claude_tier.routing.providers import chat, messages
from claude_tier.routing.providers.dialect import Call
from claude_tier.routing.providers.documents import mapping, mappings, text, window
from claude_tier.routing.providers.endpoint import Endpoint


class LlamaServer(Endpoint):
    """A llama-server. It answers with the one model it has, whatever name it is asked for."""

    def _base(self) -> str:
        return (self.provider.url or "").removesuffix("/v1")

    async def _call(self, model: str, prompt: Prompt, *, stream: bool) -> Call:
        if prompt.schema is not None or self.provider.api == "chat":
            call = chat.call(model, prompt, stream=stream)
            return call._replace(path=f"/v1{call.path}")
        call = messages.call(model, prompt, stream=stream)
        if prompt.temperature is None:
            return call
        return call._replace(body={**call.body, "temperature": prompt.temperature})

    async def _models(self) -> dict[str, int | None]:
        found = await self._json("/v1/models")
        size = await self._context()
        names = [text(each.get("id")) for each in mappings(found.get("data"))]
        return {name: size for name in names if name}

    async def _own_window(self, model: str) -> int | None:
        """That of the one model, whatever it is called here."""
        found = await super()._own_window(model)
        return found or next(iter((self._windows or {}).values()), None)

    async def _context(self) -> int | None:
        """What one request may hold: the server splits its context among its slots."""
        try:
            props = await self._json("/props")
        except Fault:
            return None
        return window(mapping(props.get("default_generation_settings")).get("n_ctx"))

    def _remedy(self, fault: Fault, model: str | None) -> str | None:
        return "start llama-server" if fault.cause == "connect" else super()._remedy(fault, model)

"""Who can be asked: one class for each shape of the wire, one entry for each kind of provider."""

from __future__ import annotations

import importlib
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, cast

from claude_tier.config.providers import Kind
from claude_tier.errors import UserError
from claude_tier.routing import target
from claude_tier.routing.prompt import Event, Prompt

if TYPE_CHECKING:
    from typing_extensions import Self

    from claude_tier.config import Config
    from claude_tier.routing.providers.http import Limits


@dataclass(frozen=True)
class Found:
    """What a look at a provider found: reachable or why not, and its models with their windows.

    A window is in tokens, None where the provider does not say.
    """

    reachable: bool
    models: Mapping[str, int | None] = field(default_factory=dict)
    message: str | None = None
    remedy: str | None = None


class Client(Protocol):
    """One provider of the configuration, ready to be asked; use it in an `async with`."""

    name: str
    account: str  # a fingerprint of the key, never the key; "-" without one

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None: ...

    def answer(self, model: str, prompt: Prompt, *, stream: bool) -> AsyncGenerator[Event, None]:
        """The answer as it comes, ended by one Finished; raises Fault and nothing else."""
        ...

    async def look(self) -> Found:
        """Whether it is there and what it has; raises nothing."""
        ...

    async def window(self, model: str) -> int | None:
        """The context window of a model in tokens: the configuration's, else the provider's own
        word, else what is shipped; None where nobody says."""
        ...


# One module and one class for each kind; they are imported when the first client is made.
KINDS: dict[Kind, str] = {
    "anthropic": "anthropic:Anthropic",
    "anthropic-compatible": "anthropic:AnthropicCompatible",
    "openai": "openai:OpenAI",
    "openai-compatible": "openai:OpenAICompatible",
    "openrouter": "openrouter:OpenRouter",
    "litellm": "litellm:LiteLLM",
    "llama-server": "llama_server:LlamaServer",
    "ollama": "ollama:Ollama",
    "claude-cli": "claude_cli:ClaudeCli",
}


def client(config: Config, name: str, *, limits: Limits | None = None) -> Client:
    """The client of that provider, with the limits of the configuration unless told others.

    UserError where it cannot be asked at all.
    """
    from claude_tier.routing.providers.http import Limits

    provider = target.providers(config)[name]
    if provider.kind is None:
        raise UserError(f"the provider {name} has no kind, so it cannot be asked")
    module, _, named = KINDS[provider.kind].partition(":")
    made = getattr(importlib.import_module(f"{__name__}.{module}"), named)
    usual = Limits(
        provider.timeout or config.router.timeout, provider.silence or config.router.silence
    )
    return cast("Client", made(name, provider, limits or usual))

"""Who can be asked: one class for each shape of the wire, one entry for each kind of provider."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from claude_tier.routing.prompt import Event, Prompt


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

    def answer(self, model: str, prompt: Prompt, *, stream: bool) -> AsyncIterator[Event]:
        """The answer as it comes, ended by one Finished; raises Fault and nothing else."""
        ...

    async def look(self) -> Found:
        """Whether it is there and what it has; raises nothing."""
        ...

    async def window(self, model: str) -> int | None:
        """The context window of a model in tokens: the configuration's, else the provider's own
        word, else what is shipped; None where nobody says."""
        ...

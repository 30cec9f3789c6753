"""An answer before any API spelled it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Finish = Literal["stop", "length", "refusal"]
PIECES = 4  # deltas of a streamed text


@dataclass(frozen=True)
class Reply:
    """What a model said and what it is billed for; every figure is different by default.

    `input_tokens` are those that no cache had a part in, as Anthropic counts them: the formats of
    OpenAI add the cached ones. `reasoning_tokens` are among `output_tokens`. A reply that is not
    `counted` comes without usage, as from some proxies. `model` is what served it; None is the one
    that was asked for. `cost` is in USD, where an API names it.
    """

    text: str = "All is well."
    model: str | None = None
    input_tokens: int = 11
    output_tokens: int = 7
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    finish: Finish = "stop"
    counted: bool = True
    cost: float | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def prompt_tokens(self) -> int:
        """The whole prompt, cached or not."""
        return self.input_tokens + self.cache_read_tokens + self.cache_write_tokens

    @property
    def pieces(self) -> list[str]:
        """The text as it comes in a stream."""
        size = max(1, -(-len(self.text) // PIECES))
        return [self.text[at : at + size] for at in range(0, len(self.text), size)]

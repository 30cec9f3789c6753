"""One API response as the API bills it, before any of it is written down."""

from __future__ import annotations

from dataclasses import astuple, dataclass


@dataclass(frozen=True)
class Tokens:
    """What one request used. Adding two adds kind by kind."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_5m_tokens: int = 0
    cache_write_1h_tokens: int = 0
    web_searches: int = 0

    def __add__(self, other: Tokens) -> Tokens:
        return Tokens(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))

    @property
    def cache_write(self) -> int:
        return self.cache_write_5m_tokens + self.cache_write_1h_tokens

    @property
    def prompt(self) -> int:
        return self.input_tokens + self.cache_read_tokens + self.cache_write


@dataclass(frozen=True)
class Iteration:
    """One entry of `usage.iterations`; only `advisor_message` is billed beside the whole."""

    kind: str
    tokens: Tokens
    model: str | None = None


@dataclass(frozen=True)
class Answer:
    """The final figures of one response.

    An empty `id` asks the transcript that writes it for a fresh `msg_` id; `ref` is the id of its
    `api-request` row, where the client of that time wrote one.
    """

    model: str
    tokens: Tokens
    id: str = ""
    request_id: str | None = ""
    ref: str | None = None
    stop_reason: str | None = "end_turn"
    speed: str = "standard"
    geo: str = ""
    web_fetches: int = 0
    iterations: tuple[Iteration, ...] = ()

    @property
    def passes(self) -> tuple[Tokens, ...]:
        return tuple(part.tokens for part in self.iterations if part.kind == "message")

    @property
    def advice(self) -> tuple[Iteration, ...]:
        return tuple(part for part in self.iterations if part.kind == "advisor_message")

"""What an answer of the scripted API is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Block = dict[str, object]
Ending = Literal["whole", "stall", "cut"]

ERROR_KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}


@dataclass(frozen=True)
class Usage:
    """The tokens one response is billed for; `split=False` leaves out the 5m/1h detail."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_5m_tokens: int = 0
    cache_write_1h_tokens: int = 0
    web_searches: int = 0
    speed: str | None = None
    inference_geo: str | None = None
    iterations: tuple[Mapping[str, object], ...] = ()
    split: bool = True

    def wire(self) -> dict[str, object]:
        """The `usage` object of the Messages API."""
        written = self.cache_write_5m_tokens + self.cache_write_1h_tokens
        return {
            "input_tokens": self.input_tokens,
            "cache_creation_input_tokens": written,
            "cache_read_input_tokens": self.cache_read_tokens,
            "output_tokens": self.output_tokens,
            **self._details(),
        }

    def _details(self) -> dict[str, object]:
        details: dict[str, object] = {}
        if self.split:
            details["cache_creation"] = {
                "ephemeral_5m_input_tokens": self.cache_write_5m_tokens,
                "ephemeral_1h_input_tokens": self.cache_write_1h_tokens,
            }
        if self.web_searches:
            details["server_tool_use"] = {"web_search_requests": self.web_searches}
        if self.speed is not None:
            details["speed"] = self.speed
        if self.inference_geo is not None:
            details["inference_geo"] = self.inference_geo
        if self.iterations:
            details["iterations"] = [dict(one) for one in self.iterations]
        return details


@dataclass(frozen=True)
class Answer:
    """One response. Without `usage` the API gives figures that no other response has.

    `stall` leaves the last block open and says nothing more until the API closes;
    `cut` closes the connection there.
    """

    blocks: tuple[Block, ...]
    usage: Usage | None = None
    ending: Ending = "whole"
    model: str | None = None
    stop_reason: str | None = None

    def reason(self) -> str:
        """Why the model stopped, as the client expects it."""
        if self.stop_reason is not None:
            return self.stop_reason
        asks = any(block["type"] == "tool_use" for block in self.blocks)
        return "tool_use" if asks else "end_turn"


@dataclass(frozen=True)
class Failure:
    """An error instead of a response."""

    status: int
    message: str
    kind: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self) -> dict[str, object]:
        """The error object of the Messages API."""
        return {"type": "error", "error": {"type": self.kind, "message": self.message}}


def text(words: str) -> Block:
    return {"type": "text", "text": words}


def thinking(words: str) -> Block:
    return {"type": "thinking", "thinking": words, "signature": "c2NyaXB0ZWQ="}


def tool_use(name: str, /, **tool_input: object) -> Block:
    """A call of a tool; its id is made when it is answered."""
    return {"type": "tool_use", "name": name, "input": tool_input}


def spawn(prompt: str, /, description: str = "a task", **tool_input: object) -> Block:
    """A call of the Agent tool, with only the keys that are named."""
    return tool_use("Agent", description=description, prompt=prompt, **tool_input)


def fail(
    status: int, message: str = "scripted failure", *, headers: Mapping[str, str] | None = None
) -> Failure:
    return Failure(status, message, ERROR_KINDS.get(status, "api_error"), headers or {})

"""What is asked of a model, and what comes back while it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

BYTES_PER_TOKEN = 3  # on the safe side for English, German and code; only routing relies on it


@dataclass(frozen=True)
class Message:
    """One turn of the conversation."""

    role: Literal["user", "assistant"]
    text: str


@dataclass(frozen=True)
class Prompt:
    """One request, in no provider's shape.

    `schema` is a JSON Schema that the answer must fit; a provider that can enforce it does, and
    the caller checks in any case. `local_only` never leaves this machine.
    """

    messages: tuple[Message, ...]
    system: str | None = None
    max_tokens: int = 4096
    temperature: float | None = None
    schema: Mapping[str, object] | None = None
    local_only: bool = False

    @classmethod
    def of(cls, text: str, *, system: str | None = None) -> Prompt:
        """A single question."""
        return cls((Message("user", text),), system)

    @property
    def estimated_tokens(self) -> int:
        """About how long the prompt is: an estimate that is used for routing and never counted."""
        texts = [self.system or "", *(message.text for message in self.messages)]
        return sum(len(text.encode("utf-8", "replace")) for text in texts) // BYTES_PER_TOKEN + 1


@dataclass(frozen=True)
class Usage:
    """Tokens of one response, as the provider counted them; `measured` is False where it did not.

    `input` is without what was read from or written to a cache. `usd` is what the provider itself
    says it charged, None where it says nothing.
    """

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    web_searches: int = 0
    measured: bool = True
    usd: float | None = None

    def __add__(self, other: Usage) -> Usage:
        """The tokens of both; what was charged for them is not known."""
        return Usage(
            input=self.input + other.input,
            output=self.output + other.output,
            cache_read=self.cache_read + other.cache_read,
            cache_write_5m=self.cache_write_5m + other.cache_write_5m,
            cache_write_1h=self.cache_write_1h + other.cache_write_1h,
            web_searches=self.web_searches + other.web_searches,
            measured=self.measured and other.measured,
        )

    @property
    def tokens(self) -> int:
        """All of them, whatever their price."""
        cached = self.cache_read + self.cache_write_5m + self.cache_write_1h
        return self.input + self.output + cached

    @property
    def is_empty(self) -> bool:
        """Whether it says that nothing was used, or says nothing."""
        return not (self.tokens or self.web_searches or self.usd)


@dataclass(frozen=True)
class Delta:
    """More text of the answer; what a model only thinks is not part of it."""

    text: str


@dataclass(frozen=True)
class Used:
    """What an answer has used so far: running totals, and the least that is paid without its end.

    `model` is the one that really answers, by the provider's own word. `id` is the provider's own
    for this response.
    """

    usage: Usage
    model: str
    id: str | None = None


@dataclass(frozen=True)
class Finished(Used):
    """The end of an answer: nothing comes after it, and without it the answer is not whole.

    `reason` "length" is an answer that was cut at `max_tokens`, "budget" one that was ended at what
    it may cost.
    """

    reason: Literal["end", "length", "refusal", "budget", "other"] = "end"


Event = Delta | Used  # the last is a Finished

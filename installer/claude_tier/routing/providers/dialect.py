"""What one API's requests and answers look like, apart from how they travel."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol

from claude_tier.routing.prompt import Event, Finished, Usage, Used
from claude_tier.routing.providers.documents import Json
from claude_tier.routing.providers.http import Reply

Reason = Literal["end", "length", "refusal", "budget", "other"]
Documents = Callable[[Reply], AsyncGenerator[Json | None, None]]


class Reader(Protocol):
    """Turns the documents of one answer into events; the last of them is a Finished."""

    def counted(self, document: Json) -> Iterator[Used]:
        """What was used so far; asked of each document before anything else, also of an error."""
        ...

    def whole(self, document: Json) -> Iterator[Event]:
        """The events of an answer that came in one piece."""
        ...

    def part(self, document: Json) -> Iterator[Event]:
        """The events of one document of a stream."""
        ...

    def end(self) -> Iterator[Event]:
        """The events of the mark that ends a stream, where the API has one."""
        ...


class Call(NamedTuple):
    """A request in the API's own words, and who reads what comes back."""

    path: str
    body: Mapping[str, object]
    reader: Reader
    documents: Documents


@dataclass
class Gathered:
    """What a reader knows of an answer before it is finished."""

    model: str
    id: str | None = None
    reason: Reason | None = None
    usage: Usage = field(default_factory=lambda: Usage(measured=False))

    def used(self) -> Iterator[Used]:
        """What is counted so far, where that is anything."""
        if not self.usage.is_empty:
            yield Used(self.usage, self.model, self.id)

    def finished(self) -> Finished:
        return Finished(self.usage, self.model, self.id, self.reason or "other")

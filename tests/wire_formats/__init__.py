"""How each API spells an answer, by the path that it is asked for at."""

from __future__ import annotations

from types import MappingProxyType
from typing import Protocol

from claude_tier.livecheck.request import Request

from . import chat_completions, messages, ollama, responses
from .reply import Reply

__all__ = ["FORMATS", "Format", "Reply", "of"]


class Format(Protocol):
    """One API."""

    STREAM_TYPE: str

    def streams(self, request: Request) -> bool:
        """Whether a stream is asked for."""

    def whole(self, reply: Reply, request: Request) -> dict[str, object]: ...

    def events(self, reply: Reply, request: Request) -> list[bytes]: ...

    def error(self, message: str) -> bytes:
        """The event that breaks a stream off."""


# By the end of the path: gateways and proxies put something before it.
FORMATS = MappingProxyType(
    {
        "/v1/messages": messages,
        "/v1/chat/completions": chat_completions,
        "/v1/responses": responses,
        "/api/chat": ollama,
    }
)


def of(request: Request) -> Format | None:
    """The format of the answer that is asked for; None where something else is."""
    path = request.path.partition("?")[0]
    if request.method != "POST":
        return None
    return next((found for end, found in FORMATS.items() if path.endswith(end)), None)

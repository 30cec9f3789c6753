"""What the client sends, also where half of a surrogate pair is in it.

JavaScript cuts strings in the middle of a character and writes what is left as \\ud83d. The SDK
reads no such message, and whoever sent it would wait for an answer for ever.
"""

from __future__ import annotations

import json
from contextlib import suppress

import mcp_types as types
from anyio.streams.memory import MemoryObjectSendStream
from claude_tier_hooks import state
from mcp.shared._stream_protocols import ReadStream
from mcp.shared.message import SessionMessage
from pydantic import ValidationError

Item = SessionMessage | Exception


async def mended(source: ReadStream[Item], into: MemoryObjectSendStream[Item]) -> None:
    """Pass everything on, and what could not be read for a surrogate with U+FFFD in its place."""
    async with into:
        async for item in source:
            await into.send(_read(item) if isinstance(item, ValidationError) else item)


def _read(error: ValidationError) -> Item:
    (fault, *_) = error.errors(include_url=False)
    with suppress(ValueError, RecursionError):
        line = json.dumps(json.loads(str(fault["input"])), ensure_ascii=False)
        return SessionMessage(types.jsonrpc_message_adapter.validate_json(state.storable(line)))
    return error

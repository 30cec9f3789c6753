"""Anthropic's Messages API, after its documentation of streaming and of errors."""

from __future__ import annotations

from claude_tier.livecheck.request import Request

from . import sse
from .reply import Reply

STREAM_TYPE = sse.TYPE
STOP_REASONS = {"stop": "end_turn", "length": "max_tokens", "refusal": "refusal"}


def streams(request: Request) -> bool:
    return request.stream


def whole(reply: Reply, request: Request) -> dict[str, object]:
    return {
        "id": "msg_01Fake",
        "type": "message",
        "role": "assistant",
        "model": reply.model or request.model,
        "content": [{"type": "text", "text": reply.text}] if reply.text else [],
        "stop_reason": STOP_REASONS[reply.finish],
        "stop_sequence": None,
        **({"usage": _usage(reply)} if reply.counted else {}),
    }


def events(reply: Reply, request: Request) -> list[bytes]:
    start = {**whole(reply, request), "content": [], "stop_reason": None}
    final: dict[str, object] = {}
    if reply.counted:
        # The stream opens before anything is written.
        start["usage"] = {**_usage(reply), "output_tokens": 1}
        final["usage"] = _usage(reply)
    delta = {"stop_reason": STOP_REASONS[reply.finish], "stop_sequence": None}
    return [
        sse.event("message_start", message=start),
        *(_block(reply) if reply.text else []),
        sse.event("message_delta", delta=delta, **final),
        sse.event("message_stop"),
    ]


def error(message: str) -> bytes:
    """As it comes in the middle of a stream."""
    return sse.event("error", error={"type": "overloaded_error", "message": message})


def _block(reply: Reply) -> list[bytes]:
    opened = {"type": "text", "text": ""}
    deltas = [{"type": "text_delta", "text": piece} for piece in reply.pieces]
    return [
        sse.event("content_block_start", index=0, content_block=opened),
        sse.event("ping"),
        *(sse.event("content_block_delta", index=0, delta=delta) for delta in deltas),
        sse.event("content_block_stop", index=0),
    ]


def _usage(reply: Reply) -> dict[str, object]:
    return {
        "input_tokens": reply.input_tokens,
        "cache_creation_input_tokens": reply.cache_write_tokens,
        "cache_read_input_tokens": reply.cache_read_tokens,
        "output_tokens": reply.output_tokens,
    }

"""OpenAI's Responses API."""

from __future__ import annotations

from collections.abc import Iterator

from claude_tier.livecheck.request import Request

from . import sse
from .reply import Reply

STREAM_TYPE = sse.TYPE
CREATED = 1764547200
ITEM = "msg_fake"
INCOMPLETE = {"length": "max_output_tokens", "refusal": "content_filter"}


def streams(request: Request) -> bool:
    return request.stream


def whole(reply: Reply, request: Request) -> dict[str, object]:
    why = INCOMPLETE.get(reply.finish)
    return {
        **_opened(reply, request),
        "status": "completed" if why is None else "incomplete",
        "incomplete_details": None if why is None else {"reason": why},
        "output": [_item(reply)],
        "usage": _usage(reply) if reply.counted else None,
    }


def events(reply: Reply, request: Request) -> list[bytes]:
    kinds = enumerate(_events(reply, request))
    return [sse.event(kind, sequence_number=at, **data) for at, (kind, data) in kinds]


def error(message: str) -> bytes:
    """As it comes in the middle of a stream: once as itself, once as the response's state."""
    cause = {"code": "server_error", "message": message}
    failed = {"id": "resp_fake", "object": "response", "status": "failed", "error": cause}
    return sse.event("error", **cause, param=None) + sse.event("response.failed", response=failed)


def _events(reply: Reply, request: Request) -> Iterator[tuple[str, dict[str, object]]]:
    opened, final = _opened(reply, request), whole(reply, request)
    place = {"item_id": ITEM, "output_index": 0, "content_index": 0}
    item, text = _item(reply), {"type": "output_text", "text": "", "annotations": []}
    empty = {**item, "status": "in_progress", "content": []}
    yield "response.created", {"response": opened}
    yield "response.in_progress", {"response": opened}
    yield "response.output_item.added", {"output_index": 0, "item": empty}
    yield "response.content_part.added", {**place, "part": text}
    for piece in reply.pieces:
        yield "response.output_text.delta", {**place, "delta": piece}
    yield "response.output_text.done", {**place, "text": reply.text}
    yield "response.content_part.done", {**place, "part": {**text, "text": reply.text}}
    yield "response.output_item.done", {"output_index": 0, "item": item}
    yield f"response.{final['status']}", {"response": final}


def _opened(reply: Reply, request: Request) -> dict[str, object]:
    return {
        "id": "resp_fake",
        "object": "response",
        "created_at": CREATED,
        "status": "in_progress",
        "error": None,
        "incomplete_details": None,
        "model": reply.model or request.model,
        "output": [],
        "usage": None,
    }


def _item(reply: Reply) -> dict[str, object]:
    text = {"type": "output_text", "text": reply.text, "annotations": []}
    whole = {"status": "completed", "role": "assistant", "content": [text]}
    return {"id": ITEM, "type": "message", **whole}


def _usage(reply: Reply) -> dict[str, object]:
    return {
        "input_tokens": reply.prompt_tokens,
        "input_tokens_details": {"cached_tokens": reply.cache_read_tokens},
        "output_tokens": reply.output_tokens,
        "output_tokens_details": {"reasoning_tokens": reply.reasoning_tokens},
        "total_tokens": reply.prompt_tokens + reply.output_tokens,
    }

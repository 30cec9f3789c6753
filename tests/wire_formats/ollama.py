"""Ollama's own chat, after its documented API: it streams unless told not to, a line an object."""

from __future__ import annotations

import json

from claude_tier.livecheck.request import Request

from .reply import Reply

STREAM_TYPE = "application/x-ndjson"
CREATED = "2026-11-27T12:00:00.000000Z"
DONE_REASONS = {"stop": "stop", "length": "length", "refusal": "stop"}


def streams(request: Request) -> bool:
    return request.body.get("stream") is not False


def whole(reply: Reply, request: Request) -> dict[str, object]:
    return {**_part(reply, request, reply.text), **_end(reply)}


def events(reply: Reply, request: Request) -> list[bytes]:
    parts = [_line({**_part(reply, request, piece), "done": False}) for piece in reply.pieces]
    return [*parts, _line({**_part(reply, request, ""), **_end(reply)})]


def error(message: str) -> bytes:
    """As it comes in the middle of a stream."""
    return _line({"error": message})


def _part(reply: Reply, request: Request, text: str) -> dict[str, object]:
    message = {"role": "assistant", "content": text}
    return {"model": reply.model or request.model, "created_at": CREATED, "message": message}


def _end(reply: Reply) -> dict[str, object]:
    counts = {"prompt_eval_count": reply.prompt_tokens, "eval_count": reply.output_tokens}
    return {
        "done": True,
        "done_reason": DONE_REASONS[reply.finish],
        "total_duration": 5_043_500_667,  # nanoseconds, as are the others
        "load_duration": 5_025_959,
        "prompt_eval_duration": 325_953_000,
        "eval_duration": 4_709_213_000,
        **(counts if reply.counted else {}),
    }


def _line(data: object) -> bytes:
    return f"{json.dumps(data)}\n".encode()

"""OpenAI's Chat Completions, with what OpenRouter adds on its own path."""

from __future__ import annotations

from claude_tier.livecheck.request import Request

from . import sse
from .reply import Reply

STREAM_TYPE = sse.TYPE
FINISH_REASONS = {"stop": "stop", "length": "length", "refusal": "content_filter"}
DONE = b"data: [DONE]\n\n"
WAITING = b": OPENROUTER PROCESSING\n\n"  # a comment, while the model is awaited
OPENROUTER = "/api/v1/"
CREATED = 1764547200


def streams(request: Request) -> bool:
    return request.stream


def whole(reply: Reply, request: Request) -> dict[str, object]:
    message = {"role": "assistant", "content": reply.text, "refusal": None}
    choice = {"index": 0, "message": message, "finish_reason": FINISH_REASONS[reply.finish]}
    usage = {"usage": _usage(reply)} if reply.counted else {}
    return {**_frame(reply, request, "chat.completion"), "choices": [choice], **usage}


def events(reply: Reply, request: Request) -> list[bytes]:
    frame = _frame(reply, request, "chat.completion.chunk")
    opened = _chunk(frame, {"role": "assistant", "content": ""})
    deltas = [_chunk(frame, {"content": piece}) for piece in reply.pieces]
    closed = _chunk(frame, {}, FINISH_REASONS[reply.finish])
    usage = [sse.data_only({**frame, "choices": [], "usage": _usage(reply)})]
    counted = usage if reply.counted and _wants_usage(request) else []
    waiting = [WAITING] if _is_openrouter(request) else []
    return [*waiting, opened, *deltas, closed, *counted, DONE]


def error(message: str) -> bytes:
    """As it comes in the middle of a stream."""
    return sse.data_only({"error": {"message": message, "type": "server_error", "code": 502}})


def _frame(reply: Reply, request: Request, kind: str) -> dict[str, object]:
    provider = {"provider": "Fake"} if _is_openrouter(request) else {}
    name = {"model": reply.model or request.model}
    return {"id": "chatcmpl-fake", "object": kind, "created": CREATED, **name, **provider}


def _chunk(frame: dict[str, object], delta: dict[str, str], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return sse.data_only({**frame, "choices": [choice]})


def _usage(reply: Reply) -> dict[str, object]:
    return {
        "prompt_tokens": reply.prompt_tokens,
        "completion_tokens": reply.output_tokens,
        "total_tokens": reply.prompt_tokens + reply.output_tokens,
        "prompt_tokens_details": {"cached_tokens": reply.cache_read_tokens},
        "completion_tokens_details": {"reasoning_tokens": reply.reasoning_tokens},
        **({} if reply.cost is None else {"cost": reply.cost}),
    }


def _wants_usage(request: Request) -> bool:
    """OpenAI counts a stream only when told to; OpenRouter always does."""
    options = request.body.get("stream_options")
    asked = isinstance(options, dict) and options.get("include_usage") is True
    return asked or _is_openrouter(request)


def _is_openrouter(request: Request) -> bool:
    return request.path.startswith(OPENROUTER)

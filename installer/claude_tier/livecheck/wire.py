"""The Messages API's own spelling of an answer: one JSON object, or server-sent events."""

from __future__ import annotations

import json
from collections.abc import Iterator

from claude_tier.livecheck.answers import Answer, Block

# A stream opens before anything was written: the count there is a placeholder.
PLACEHOLDER_OUTPUT = 1


def message(
    answer: Answer, *, message_id: str, model: str, usage: dict[str, object]
) -> dict[str, object]:
    """The whole message, as a request without `stream` gets it."""
    return {
        "id": message_id,
        "type": "message",
        "role": "assistant",
        "model": answer.model or model,
        "content": list(answer.blocks),
        "stop_reason": answer.reason(),
        "stop_sequence": None,
        "usage": usage,
    }


def events(whole: dict[str, object], answer: Answer) -> Iterator[bytes]:
    """The same message as a stream; it breaks off inside the last block unless `whole`."""
    usage = whole["usage"]
    start = {**whole, "content": [], "stop_reason": None, "usage": _opening(usage)}
    yield _event("message_start", message=start)
    last = len(answer.blocks) - 1
    for index, block in enumerate(answer.blocks):
        yield from _block(index, block)
        if index < last or answer.ending == "whole":
            yield _event("content_block_stop", index=index)
    if answer.ending == "whole":
        delta = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
        yield _event("message_delta", delta=delta, usage=usage)
        yield _event("message_stop")


def _opening(usage: object) -> dict[str, object]:
    figures = dict(usage) if isinstance(usage, dict) else {}
    return {**figures, "output_tokens": PLACEHOLDER_OUTPUT}


def _block(index: int, block: Block) -> Iterator[bytes]:
    opened, deltas = _parts(block)
    yield _event("content_block_start", index=index, content_block=opened)
    for delta in deltas:
        yield _event("content_block_delta", index=index, delta=delta)


def _parts(block: Block) -> tuple[Block, list[Block]]:
    """A block as it opens, and what is added to it."""
    if block["type"] == "text":
        return {**block, "text": ""}, [{"type": "text_delta", "text": block["text"]}]
    if block["type"] == "thinking":
        return {**block, "thinking": "", "signature": ""}, [
            {"type": "thinking_delta", "thinking": block["thinking"]},
            {"type": "signature_delta", "signature": block["signature"]},
        ]
    arguments = json.dumps(block["input"])
    return {**block, "input": {}}, [{"type": "input_json_delta", "partial_json": arguments}]


def _event(kind: str, **data: object) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **data})}\n\n".encode()

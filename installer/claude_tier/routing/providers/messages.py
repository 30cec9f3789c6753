"""The Messages API of Anthropic, which llama-server, Ollama and others speak too."""

from __future__ import annotations

from collections.abc import Iterator

from claude_tier.routing.prompt import Delta, Event, Prompt, Usage, Used
from claude_tier.routing.providers.dialect import Call, Gathered, Reason
from claude_tier.routing.providers.documents import (
    Json,
    count,
    mapping,
    mappings,
    of_events,
    text,
)

VERSION = "2023-06-01"
REASONS: dict[str, Reason] = {
    "end_turn": "end",
    "stop_sequence": "end",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "refusal",
}


def call(model: str, prompt: Prompt, *, stream: bool, path: str = "/v1/messages") -> Call:
    """The request without what only some models take: temperature and schema."""
    messages = [{"role": each.role, "content": each.text} for each in prompt.messages]
    body: Json = {"model": model, "max_tokens": prompt.max_tokens, "messages": messages}
    if prompt.system:
        body["system"] = prompt.system
    if stream:
        body["stream"] = True
    return Call(path, body, MessagesReader(model), of_events)


class MessagesReader:
    """Reads text blocks; what the model thinks is in blocks of its own and left out."""

    def __init__(self, model: str) -> None:
        self._so_far = Gathered(model)
        self._usage: Json = {}

    def counted(self, document: Json) -> Iterator[Used]:
        kind = document.get("type")
        if kind == "message":
            self._begin(document)
        elif kind == "message_start":
            self._begin(mapping(document.get("message")))
        elif kind == "message_delta":
            self._count(mapping(document.get("usage")))
        else:
            return
        yield from self._so_far.used()

    def whole(self, document: Json) -> Iterator[Event]:
        for block in mappings(document.get("content")):
            if block.get("type") == "text" and text(block.get("text")):
                yield Delta(text(block["text"]))
        self._note(document)
        if document.get("type") == "message" and self._so_far.reason:
            yield self._so_far.finished()

    def part(self, document: Json) -> Iterator[Event]:
        kind = document.get("type")
        if kind == "content_block_start":
            yield from _told(mapping(document.get("content_block")), "text")
        elif kind == "content_block_delta":
            yield from _told(mapping(document.get("delta")), "text_delta")
        elif kind == "message_delta":
            self._note(mapping(document.get("delta")))
        elif kind == "message_stop" and self._so_far.reason:
            yield self._so_far.finished()

    def end(self) -> Iterator[Event]:
        return iter(())

    def _begin(self, message: Json) -> None:
        self._so_far.model = text(message.get("model")) or self._so_far.model
        self._so_far.id = text(message.get("id")) or None
        self._count(mapping(message.get("usage")))

    def _note(self, delta: Json) -> None:
        if reason := text(delta.get("stop_reason")):
            self._so_far.reason = REASONS.get(reason, "other")

    def _count(self, usage: Json) -> None:
        """They are running totals, which some servers repeat as 0: the larger one holds."""
        for name, value in usage.items():
            if value is not None and count(value) >= count(self._usage.get(name)):
                self._usage[name] = value
        if self._usage:
            self._so_far.usage = usage_of(self._usage)


def usage_of(usage: Json) -> Usage:
    """Tokens as this API counts them; cache writes without a split are those of five minutes."""
    split = mapping(usage.get("cache_creation"))
    hour = count(split.get("ephemeral_1h_input_tokens"))
    written = count(usage.get("cache_creation_input_tokens"))
    return Usage(
        input=count(usage.get("input_tokens")),
        output=count(usage.get("output_tokens")),
        cache_read=count(usage.get("cache_read_input_tokens")),
        cache_write_5m=max(written - hour, count(split.get("ephemeral_5m_input_tokens"))),
        cache_write_1h=hour,
        web_searches=count(mapping(usage.get("server_tool_use")).get("web_search_requests")),
    )


def _told(block: Json, kind: str) -> Iterator[Event]:
    if block.get("type") == kind and text(block.get("text")):
        yield Delta(text(block["text"]))

"""The Responses API of OpenAI, which some of its models are only served by."""

from __future__ import annotations

from collections.abc import Iterator

from claude_tier.routing.prompt import Delta, Event, Prompt, Usage, Used
from claude_tier.routing.providers.chat import named
from claude_tier.routing.providers.dialect import Call, Gathered, Reason
from claude_tier.routing.providers.documents import (
    Json,
    count,
    mapping,
    mappings,
    of_events,
    text,
)

SHORTEST = 16  # tokens: fewer are refused
CUT: dict[str, Reason] = {"max_output_tokens": "length", "content_filter": "refusal"}
ENDS = frozenset({"response.completed", "response.incomplete"})


def call(model: str, prompt: Prompt, *, stream: bool) -> Call:
    """The request; nothing of it is kept there."""
    turns: list[Json] = [{"role": each.role, "content": each.text} for each in prompt.messages]
    longest = max(SHORTEST, prompt.max_tokens)
    body: Json = {"model": model, "input": turns, "max_output_tokens": longest, "store": False}
    if prompt.system:
        body["instructions"] = prompt.system
    if prompt.temperature is not None:
        body["temperature"] = prompt.temperature
    if prompt.schema is not None:
        body["text"] = {"format": {"type": "json_schema", **named(prompt)}}
    if stream:
        body["stream"] = True
    return Call("/responses", body, ResponsesReader(model), of_events)


class ResponsesReader:
    """Reads the text of messages; reasoning is an item of its own and left out."""

    def __init__(self, model: str) -> None:
        self._so_far = Gathered(model)
        self._refused = False

    def counted(self, document: Json) -> Iterator[Used]:
        response = mapping(document.get("response")) or document
        if usage := mapping(response.get("usage")):
            self._note(response)
            self._so_far.usage = _usage(usage)
            yield from self._so_far.used()

    def whole(self, document: Json) -> Iterator[Event]:
        for item in mappings(document.get("output")):
            for part in mappings(item.get("content")):
                refused = text(part.get("refusal"))
                self._refused = self._refused or bool(refused)
                if told := text(part.get("text")) or refused:
                    yield Delta(told)
        yield from self._finish(document)

    def part(self, document: Json) -> Iterator[Event]:
        kind = text(document.get("type"))
        if kind in ("response.output_text.delta", "response.refusal.delta"):
            self._refused = self._refused or "refusal" in kind
            if told := text(document.get("delta")):
                yield Delta(told)
        elif kind in ENDS:
            yield from self._finish(mapping(document.get("response")))

    def end(self) -> Iterator[Event]:
        return iter(())

    def _finish(self, response: Json) -> Iterator[Event]:
        reason = _reason(response)
        if reason is None:
            return
        self._so_far.reason = "refusal" if self._refused else reason
        self._note(response)
        yield self._so_far.finished()

    def _note(self, response: Json) -> None:
        self._so_far.model = text(response.get("model")) or self._so_far.model
        self._so_far.id = text(response.get("id")) or None


def _reason(response: Json) -> Reason | None:
    """Why it ended; None for a response that has not."""
    if response.get("status") == "completed":
        return "end"
    if response.get("status") != "incomplete":
        return None
    cut = text(mapping(response.get("incomplete_details")).get("reason"))
    return CUT.get(cut, "other")


def _usage(usage: Json) -> Usage:
    """Tokens as this API counts them: those of a cache are part of the input's."""
    read = count(mapping(usage.get("input_tokens_details")).get("cached_tokens"))
    fresh = max(0, count(usage.get("input_tokens")) - read)
    return Usage(input=fresh, output=count(usage.get("output_tokens")), cache_read=read)

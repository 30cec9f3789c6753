"""The Chat Completions API of OpenAI, which most other servers speak too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from claude_tier.routing.fault import Fault
from claude_tier.routing.prompt import Delta, Event, Prompt, Usage, Used
from claude_tier.routing.providers.dialect import Call, Gathered, Reason
from claude_tier.routing.providers.documents import (
    Json,
    count,
    dollars,
    mapping,
    mappings,
    of_events,
    text,
)

REASONS: dict[str, Reason] = {"stop": "end", "length": "length", "content_filter": "refusal"}
# OpenRouter, DeepSeek, vLLM: the end of the work, and not of the answer.
BROKEN = frozenset({"error", "insufficient_system_resource", "abort"})


def call(model: str, prompt: Prompt, *, stream: bool, limit: str = "max_tokens") -> Call:
    """The request; `limit` is the name that the server has for the longest answer."""
    body: Json = {"model": model, "messages": conversation(prompt), limit: prompt.max_tokens}
    if prompt.temperature is not None:
        body["temperature"] = prompt.temperature
    if prompt.schema is not None:
        body["response_format"] = {"type": "json_schema", "json_schema": named(prompt)}
    if stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    return Call("/chat/completions", body, ChatReader(model), of_events)


def conversation(prompt: Prompt) -> list[Json]:
    """The messages with the system prompt as their first."""
    turns: list[Json] = [{"role": each.role, "content": each.text} for each in prompt.messages]
    if prompt.system:
        turns.insert(0, {"role": "system", "content": prompt.system})
    return turns


def named(prompt: Prompt) -> Json:
    """The schema with the name that this API wants, enforced to the letter where it can be."""
    return {"name": "answer", "schema": prompt.schema, "strict": is_strict(prompt.schema)}


def is_strict(schema: object) -> bool:
    """Whether each object of it is closed and requires all it has: strict mode refuses others."""
    return all(is_closed(each) and _requires_all(each) for each in objects(schema))


def is_closed(schema: Json) -> bool:
    """Whether that object may have nothing but the properties that are named."""
    return schema.get("additionalProperties") is False


def objects(schema: object) -> Iterator[Json]:
    """Every object that a schema describes, itself and within."""
    if isinstance(schema, Mapping):
        if schema.get("type") == "object":
            yield dict(schema)
        schema = [*schema.values()]
    if isinstance(schema, list):
        for each in schema:
            yield from objects(each)


def _requires_all(schema: Json) -> bool:
    required = schema.get("required")
    names = mapping(schema.get("properties"))
    return (
        isinstance(required, list)
        and len(required) == len(names)
        and {*names} == {*map(text, required)}
    )


class ChatReader:
    """Reads the first choice; a stream is over at its mark, when a reason to stop had come."""

    def __init__(self, model: str) -> None:
        self._so_far = Gathered(model)

    def counted(self, document: Json) -> Iterator[Used]:
        self._so_far.model = text(document.get("model")) or self._so_far.model
        self._so_far.id = text(document.get("id")) or self._so_far.id
        if usage := mapping(document.get("usage")):
            self._so_far.usage = usage_of(usage)
            yield from self._so_far.used()

    def whole(self, document: Json) -> Iterator[Event]:
        yield from self._read(document, "message")
        yield from self.end()

    def part(self, document: Json) -> Iterator[Event]:
        yield from self._read(document, "delta")

    def end(self) -> Iterator[Event]:
        if self._so_far.reason:
            yield self._so_far.finished()

    def _read(self, document: Json, holder: str) -> Iterator[Event]:
        choice = next(mappings(document.get("choices")), {})
        said = mapping(choice.get(holder))
        refused = text(said.get("refusal"))
        if told := _content(said.get("content")) or refused:
            yield Delta(told)
        if reason := text(choice.get("finish_reason")):
            if reason in BROKEN:
                raise Fault("server", f"gave up within the answer: {reason}")
            self._so_far.reason = REASONS.get(reason, "other")
        if refused:
            self._so_far.reason = "refusal"


def _content(value: object) -> str:
    """The text of a message, which some servers send in parts."""
    if isinstance(value, list):
        return "".join(text(each.get("text")) for each in mappings(value))
    return text(value)


def usage_of(usage: Json) -> Usage:
    """Tokens as this API counts them: those of a cache are part of the prompt's."""
    details = mapping(usage.get("prompt_tokens_details"))
    read = count(details.get("cached_tokens"))
    written = count(details.get("cache_write_tokens")) or count(
        usage.get("cache_creation_input_tokens")
    )
    counted = Usage(
        input=max(0, count(usage.get("prompt_tokens")) - read - written),
        output=count(usage.get("completion_tokens")) + _thought_apart(usage),
        cache_read=read,
        cache_write_5m=written,
    )
    return replace(counted, usd=_charged(usage))


def _thought_apart(usage: Json) -> int:
    """Tokens of thoughts that xAI counts beside those of the answer; its total has both."""
    thought = count(mapping(usage.get("completion_tokens_details")).get("reasoning_tokens"))
    told = count(usage.get("prompt_tokens")) + count(usage.get("completion_tokens"))
    return thought if count(usage.get("total_tokens")) >= told + thought else 0


def _charged(usage: Json) -> float | None:
    """What the provider says it took, with what its own provider took from the user's account."""
    cost = dollars(usage.get("cost"))
    if cost is None or not usage.get("is_byok"):
        return cost
    return cost + (dollars(mapping(usage.get("cost_details")).get("upstream_inference_cost")) or 0)

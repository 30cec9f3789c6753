"""Ollama by its own API: only that takes the size of the context with a request.

Without it Ollama cuts a longer prompt to its default, and answers as if nothing were missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from claude_tier.routing.fault import Fault
from claude_tier.routing.prompt import Delta, Event, Prompt, Usage, Used
from claude_tier.routing.providers import documents
from claude_tier.routing.providers.chat import conversation
from claude_tier.routing.providers.dialect import Call, Gathered, Reason
from claude_tier.routing.providers.documents import Json, count, mapping, text
from claude_tier.routing.providers.endpoint import Endpoint

SMALLEST = 4096  # tokens; a context grows by doubling, because each size loads the model anew
REASONS: dict[str, Reason] = {"stop": "end", "length": "length"}
_NUM_CTX = re.compile(r"^num_ctx\s+(\d+)", re.MULTILINE)


class Shown(NamedTuple):
    """Contexts of a model in tokens: what it was trained for, and what its own file sets."""

    trained: int | None
    set: int | None


class Ollama(Endpoint):
    """An Ollama on this machine or in this network."""

    async def _call(self, model: str, prompt: Prompt, *, stream: bool) -> Call:
        options: Json = {
            "num_ctx": await self._context(model, prompt),
            "num_predict": prompt.max_tokens,
        }
        if prompt.temperature is not None:
            options["temperature"] = prompt.temperature
        body: Json = {
            "model": model,
            "messages": conversation(prompt),
            "stream": stream,
            "options": options,
            # What does not fit is refused, and an answer that grows too long ends, instead of
            # losing its beginning; versions that know neither ignore both.
            "truncate": False,
            "shift": False,
        }
        if prompt.schema is not None:
            body["format"] = prompt.schema
        return Call("/api/chat", body, OllamaReader(model), documents.of_lines)

    async def _context(self, model: str, prompt: Prompt) -> int:
        """The configured window, else as much as this prompt needs and the model has."""
        if given := self._given(model):
            return given
        shown = await self._show(model)
        if shown.set:
            return shown.set
        needed, size = prompt.estimated_tokens + prompt.max_tokens, SMALLEST
        while size < needed:
            size *= 2
        return min(size, shown.trained or size)

    async def window(self, model: str) -> int | None:
        """The configuration's word, else Ollama's own; None where it does not answer."""
        try:
            return self._given(model) or await self._own_window(model)
        except Fault:
            return None

    async def _models(self) -> dict[str, int | None]:
        found = await self._json("/api/tags")
        names = [text(each.get("name")) for each in documents.mappings(found.get("models"))]
        return {name: await self._own_window(name) for name in names if name}

    async def _own_window(self, model: str) -> int | None:
        """Asked for one model at a time: a look at all of them is a request for each."""
        shown = await self._show(model)
        return shown.set or shown.trained

    async def _show(self, model: str) -> Shown:
        """What it says of a model; nothing, where the request itself will be the judge."""
        if model not in self._shown:
            try:
                document = await self._json("/api/show", {"model": model})
            except Fault as fault:
                if fault.cause in ("connect", "timeout", "key"):
                    raise
                document = {}
            self._shown[model] = _read(document)
        return self._shown[model]

    @cached_property
    def _shown(self) -> dict[str, Shown]:
        """What was asked for so far."""
        return {}

    def _remedy(self, fault: Fault, model: str | None) -> str | None:
        if fault.cause == "model" and model:
            return f"ollama pull {model}"
        if fault.cause == "connect":
            return "ollama serve"
        return super()._remedy(fault, model)


def _read(document: Json) -> Shown:
    info = mapping(document.get("model_info"))
    lengths = [count(size) for name, size in info.items() if name.endswith(".context_length")]
    named = _NUM_CTX.search(text(document.get("parameters")))
    return Shown(max(lengths, default=0) or None, int(named[1]) if named else None)


class OllamaReader:
    """Reads what the model says; what it thinks comes in a field of its own."""

    def __init__(self, model: str) -> None:
        self._so_far = Gathered(model)

    def counted(self, document: Json) -> Iterator[Used]:  # noqa: ARG002
        return iter(())  # figures come with the end alone

    def whole(self, document: Json) -> Iterator[Event]:
        yield from self.part(document)

    def part(self, document: Json) -> Iterator[Event]:
        self._so_far.model = text(document.get("model")) or self._so_far.model
        if told := text(mapping(document.get("message")).get("content")):
            yield Delta(told)
        if document.get("done") is True:
            self._so_far.reason = REASONS.get(text(document.get("done_reason")), "other")
            self._so_far.usage = _usage(document)
            yield self._so_far.finished()

    def end(self) -> Iterator[Event]:
        return iter(())


def _usage(document: Json) -> Usage:
    """The figures of the last document; a count that is left out leaves the request unmeasured."""
    return Usage(
        input=count(document.get("prompt_eval_count")),
        output=count(document.get("eval_count")),
        measured={"prompt_eval_count", "eval_count"} <= document.keys(),
    )

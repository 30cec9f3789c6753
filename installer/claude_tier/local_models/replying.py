"""The answer of a model in the tool's shape: in pages, or as JSON that was checked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from claude_tier_hooks import state

from claude_tier.errors import UserError
from claude_tier.local_models.offers import Offer
from claude_tier.local_models.shapes import Reply, Tokens
from claude_tier.routing.prompt import Usage

if TYPE_CHECKING:
    from claude_tier.local_models.pages import Pages
    from claude_tier.routing.router import Answer

_AGAIN = "Ask again with a plainer task, or do it yourself."


def reply(offer: Offer, answer: Answer, pages: Pages, size: int) -> Reply:
    """The answer as the tool gives it; UserError where it is not in the shape that was asked for.

    JSON that fits into a page is given as `data` alone, a longer one as text to be put together.
    """
    answer = replace(answer, text=state.storable(answer.text), model=state.storable(answer.model))
    data = None if offer.schema is None else _data(answer, offer.schema)
    if data is not None and len(answer.text) <= size:
        shown: dict[str, Any] = {"text": "", "next_page": None, "data": data}
    else:
        page = pages.first(answer.text, size)
        shown = {"text": page.text, **page.place()}
    return Reply(
        **shown,
        provider=answer.target.provider,
        model=answer.model,
        tokens=_tokens(answer.usage),
        usd=answer.usd,
        seconds=round(answer.seconds, 2),
        truncated=answer.reason == "length",
        notices=list(answer.notices),
    )


def _tokens(usage: Usage) -> Tokens | None:
    if not usage.measured:
        return None
    cached = usage.cache_read + usage.cache_write_5m + usage.cache_write_1h
    return Tokens(input=usage.input + cached, output=usage.output)


def _data(answer: Answer, schema: Mapping[str, object]) -> dict[str, object]:
    try:
        return checked(answer.text, schema)
    except UserError as error:
        if answer.reason != "length":
            raise
        raise UserError("the JSON was cut off at max_tokens", "Ask again with more.") from error


def checked(text: str, schema: Mapping[str, object]) -> dict[str, object]:
    """The JSON object in an answer; UserError where it is none or does not fit the schema."""
    from jsonschema import Draft202012Validator  # only where a tool has a schema

    start, end = text.find("{"), text.rfind("}") + 1  # models like to put it into a fence
    try:
        value = json.loads(text[start:end])
    except ValueError:
        raise UserError("the model did not answer in JSON", _AGAIN) from None
    error = next(iter(Draft202012Validator(schema).iter_errors(value)), None)
    if error is not None:
        where = ".".join(map(str, error.absolute_path)) or "the whole"
        raise UserError(f"the answer does not fit the schema: {where}: {error.message}", _AGAIN)
    assert isinstance(value, dict)
    return value

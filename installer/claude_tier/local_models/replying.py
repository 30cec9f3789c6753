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

DEEPEST = 100  # levels; what is much deeper the SDK cannot write, and ends the server
_AGAIN = "Ask again with a plainer task, or do it yourself."


async def reply(offer: Offer, answer: Answer, pages: Pages, size: int) -> Reply:
    """The answer as the tool gives it; UserError where it is not in the shape that was asked for.

    JSON that fits into a page is given as `data` alone, a longer one as text to be put together.
    """
    answer = replace(answer, text=state.storable(answer.text), model=state.storable(answer.model))
    data = None if offer.schema is None else await _data(answer, offer.schema)
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


async def _data(answer: Answer, schema: Mapping[str, object]) -> dict[str, object]:
    try:
        return await checked(answer.text, schema)
    except UserError as error:
        if answer.reason != "length":
            raise
        raise UserError("the JSON was cut off at max_tokens", "Ask again with more.") from error


async def checked(text: str, schema: Mapping[str, object]) -> dict[str, object]:
    """The JSON object in an answer; UserError where it is none or does not fit the schema."""
    from claude_tier.pipelines import schemas  # only where a tool has a schema

    start, end = text.find("{"), text.rfind("}") + 1  # models like to put it into a fence
    try:
        value = schemas.read(text[start:end])
    except ValueError as error:
        raise UserError(f"the model did not answer in JSON: it {error}", _AGAIN) from None
    if _is_deep(value, DEEPEST):
        raise UserError("the answer is nested too deeply", _AGAIN)
    if fault := await schemas.fault_in(value, schema):
        raise UserError(f"the answer does not fit the schema: {fault}", _AGAIN)
    assert isinstance(value, dict)
    # An escape in it may name half of a surrogate pair, which the protocol cannot carry.
    whole: dict[str, object] = json.loads(state.storable(json.dumps(value, ensure_ascii=False)))
    return whole


def _is_deep(value: object, left: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return left == 0 or any(_is_deep(each, left - 1) for each in inner)

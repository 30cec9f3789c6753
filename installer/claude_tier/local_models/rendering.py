"""Tools and results as the protocol has them: structured, and as text beside that."""

from __future__ import annotations

import json
from collections.abc import Sequence

import mcp_types as types
from pydantic import ValidationError

from claude_tier.local_models import shapes
from claude_tier.local_models.offers import WORDS, Offer
from claude_tier.local_models.pages import Page

# All that Claude sees of the server while its tools are deferred behind a search.
INSTRUCTIONS = (
    "Smaller language models, for bulk work that would otherwise fill your context. Prefer them "
    "where much text goes in or comes out and the result is easy to check: ask_local_llama to "
    "extract fields, summarise logs and documents, reformat, classify many items or draft; "
    "ask_coding_model for boilerplate, tests after a pattern, conversions and summaries of source "
    "files. Pass paths in `files` instead of reading the files yourself: their text then never "
    "enters your context, only the answer does. Keep decisions, security and design for yourself, "
    "and check what comes back. list_available_local_models says what runs now."
)
LISTING = (
    "List the language models that run on this machine now, with their context windows, whether "
    "they can be reached or how to mend that, and which tool asks which model."
)
FURTHER = (
    "Read another page of a long answer that one of the other tools gave, by its page_id. Pages "
    "are kept until this session's server ends."
)
SHAPE = "\nAnswers with JSON in `data`, of this schema: "
LONGEST_SHAPE = 1500  # characters
MOST_FAULTS = 8


def tools(offers: Sequence[Offer]) -> list[types.Tool]:
    """All tools of the server."""
    return [
        *(_asking(offer) for offer in offers),
        _tool("list_available_local_models", LISTING, takes=shapes.Nothing, gives=shapes.Listing),
        _tool("read_more", FURTHER, takes=shapes.Further, gives=shapes.Part),
    ]


def _asking(offer: Offer) -> types.Tool:
    takes = shapes.Question if offer.takes_system else shapes.Task
    said = offer.description
    shape = json.dumps(offer.schema) if offer.schema else ""
    if 0 < len(shape) <= LONGEST_SHAPE:
        said = said[: WORDS - len(SHAPE) - len(shape)] + SHAPE + shape
    return _tool(offer.name, said, takes=takes, gives=shapes.Reply, leaves=offer.leaves)


def _tool(
    name: str,
    description: str,
    *,
    takes: type[shapes.Shape],
    gives: type[shapes.Shape],
    leaves: bool = False,
) -> types.Tool:
    return types.Tool(
        name=name,
        description=description,
        input_schema=takes.schema_of(),
        output_schema=gives.schema_of(),
        annotations=types.ToolAnnotations(read_only_hint=True, open_world_hint=leaves),
    )


def reply(answer: shapes.Reply) -> types.CallToolResult:
    """An answer."""
    written = answer.text if answer.data is None else json.dumps(answer.data, ensure_ascii=False)
    return _result(answer, "\n".join([written, "", *_remarks(answer)]))


def _remarks(answer: shapes.Reply) -> list[str]:
    """Who answered, and what is to be known about it."""
    count = f", {answer.tokens.input} + {answer.tokens.output} tokens" if answer.tokens else ""
    remarks = [f"[{answer.provider}/{answer.model}{count}, {answer.seconds:g} s]"]
    if answer.truncated:
        remarks.append("[cut off at max_tokens]")
    return [*remarks, *_onward(answer), *(f"[{each}]" for each in answer.notices)]


def _onward(part: shapes.Part) -> list[str]:
    if part.next_page is None:
        return []
    call = f"read_more(page_id={part.page_id!r}, page={part.next_page})"
    return [f"[page {part.page} of {part.pages}; the next: {call}]"]


def part(page: Page) -> types.CallToolResult:
    """Another page of an answer."""
    shape = shapes.Part(text=page.text, **page.place())
    return _result(shape, "\n".join([page.text, "", *_onward(shape)]))


def listing(found: shapes.Listing) -> types.CallToolResult:
    """What runs here."""
    return _result(found, json.dumps(found.model_dump(mode="json"), indent=1, ensure_ascii=False))


def misused(tool: str, error: ValidationError) -> types.CallToolResult:
    """Arguments that the tool does not take."""
    faults = [
        f"{'.'.join(map(str, each['loc'])) or 'the arguments'}: {each['msg']}"
        for each in error.errors(include_url=False, include_input=False)[:MOST_FAULTS]
    ]
    return failure(f"{tool} was called wrongly: {'; '.join(faults)}", None)


def failure(message: str, hint: str | None) -> types.CallToolResult:
    """A result that says what went wrong."""
    text = f"{message}\n{hint}" if hint else message
    return types.CallToolResult(content=[_text(text)], is_error=True)


def _result(shape: shapes.Shape, text: str) -> types.CallToolResult:
    # Claude Code shows Claude the structured form alone, so that it says nothing needlessly.
    structured = shape.model_dump(mode="json", exclude_unset=True)
    return types.CallToolResult(content=[_text(text)], structured_content=structured)


def _text(text: str) -> types.TextContent:
    return types.TextContent(type="text", text=text)

"""The tools that hand work to other models: what Claude is told of each, and where it leads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import InitErrorDetails

from claude_tier.config.fields import Line, Section, detail, told_apart
from claude_tier.config.providers import Provider
from claude_tier.config.routing import Chains, fault_in

SHIPPED = ("ask_local_llama", "ask_coding_model", "list_available_local_models", "read_more")
LARGEST_PAGE = 20_000  # characters; the client puts a result of twice that into a file
# With `mcp__local-models__` before it a name has to fit into the API's 64 characters.
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}\Z")


def _tool_name(name: str) -> str:
    if not _NAME.match(name):
        raise ValueError("must be at most 40 of a-z, 0-9, _ and -, a letter first")
    if name in SHIPPED:
        raise ValueError("is the name of a tool that is always there")
    return name


def _text(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be empty")
    return text.strip()


def _json_schema(schema: dict[str, object]) -> dict[str, object]:
    """A schema that answers can be checked against, and a provider can enforce."""
    from claude_tier.pipelines import schemas  # only where somebody has one

    if fault := schemas.fault_of(schema):
        raise ValueError(fault)
    if schema.get("type") != "object":
        raise ValueError("must be a JSON Schema with type: object")
    return schema


MaxTokens = Annotated[int, Field(gt=0, le=128_000)]


class DeclaredTool(Section):
    """One tool of the user's own; it may lead off this machine, and then says so."""

    name: Annotated[Line, AfterValidator(_tool_name)]
    target: Line
    description: Annotated[str, Field(max_length=3000), AfterValidator(_text)]
    system: Annotated[str, Field(max_length=8000), AfterValidator(_text)] | None = None
    max_tokens: MaxTokens | None = None
    answer_schema: Annotated[dict[str, object], AfterValidator(_json_schema)] | None = Field(
        default=None, alias="schema"
    )


class LocalModels(Section):
    """What `claude-tier mcp` serves; without a target the roles `small` and `coding` stand."""

    general: Line = "small"
    coding: Line = "coding"
    tools: Annotated[list[DeclaredTool], Field(max_length=32), told_apart("tool")] = Field(
        default_factory=list
    )
    page: Annotated[int, Field(ge=1000, le=LARGEST_PAGE)] = 16_000  # characters
    parallel: Annotated[int, Field(gt=0, le=64)] = 2
    only_local: bool = True


def faults_of_local_models(
    given: LocalModels, providers: dict[str, Provider], chains: Chains
) -> Iterator[InitErrorDetails]:
    """Targets that lead nowhere, each at its own place."""
    named: list[tuple[tuple[str | int, ...], str]] = [
        (("general",), given.general),
        (("coding",), given.coding),
        *((("tools", index, "target"), tool.target) for index, tool in enumerate(given.tools)),
    ]
    for place, target in named:
        if fault := fault_in(target, providers, chains):
            yield detail(place, fault)

"""Groups: environments for the unmodified `claude`, on Claude itself or on another endpoint."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator
from pydantic_core import InitErrorDetails

from claude_tier.config.fields import Line, Section, detail, no_repeats, raise_all
from claude_tier.config.providers import VARIABLE, Kind, Provider

MAIN = "main"  # the group that is always there: Claude, and what others fall back to
# Kinds whose servers answer Claude Code's own requests, by their documentation: LiteLLM
# (/v1/messages), Ollama and llama.cpp (the same), OpenRouter (at https://openrouter.ai/api).
SPEAKING: tuple[Kind, ...] = (
    "anthropic-compatible",
    "ollama",
    "llama-server",
    "litellm",
    "openrouter",
)
# Less leaves no room beside Claude Code's own instructions and tools.
SMALLEST_CONTEXT = 16_384


def _pattern(name: str) -> str:
    if not VARIABLE.match(name.removesuffix("*")):
        raise ValueError("must be the name of an environment variable, or its start and *")
    return name


class Group(Section):
    """One environment; without a provider it is Claude's own."""

    provider: Line | None = None
    model: Annotated[Line | None, Field(validate_default=True)] = None
    context: Annotated[int, Field(ge=SMALLEST_CONTEXT)] | None = None
    max_output: Annotated[int, Field(gt=0)] | None = None
    fallback: Literal["none", "haiku", "sonnet", "opus", "fable"] = "none"
    env: dict[Line, str] = Field(default_factory=dict)
    passed: Annotated[
        list[Annotated[Line, AfterValidator(_pattern)]], AfterValidator(no_repeats)
    ] = Field(default_factory=list, alias="pass")

    @field_validator("model")
    @classmethod
    def _beside_a_provider(cls, model: str | None, info: ValidationInfo) -> str | None:
        provider = info.data.get("provider")
        if provider and model is None:
            raise ValueError("is required with a provider")
        if model is not None and provider is None and "provider" in info.data:
            raise ValueError("needs a provider; Claude's model is chosen with `--model`")
        return model

    @field_validator("context", "max_output", "fallback")
    @classmethod
    def _of_another_endpoint(cls, value: object, info: ValidationInfo) -> object:
        if info.data.get("provider") is None and "provider" in info.data:
            raise ValueError("needs a provider: without one the group is Claude itself")
        return value

    @field_validator("env")
    @classmethod
    def _is_harmless(cls, env: dict[str, str]) -> dict[str, str]:
        raise_all([detail((name,), fault) for name in env if (fault := _fault_in(name, env[name]))])
        return env

    @field_validator("passed")
    @classmethod
    def _keeps_no_login(cls, names: list[str], info: ValidationInfo) -> list[str]:
        """Another endpoint is told neither a login at Anthropic nor an address beside its own."""
        from claude_tier.groups import variables  # it needs this package

        if info.data.get("provider") is not None:
            raise_all(
                [
                    detail((index,), "decides where Claude Code's requests go or who pays for them")
                    for index, name in enumerate(names)
                    if variables.may_cover(name, variables.OF_THE_CLIENT)
                ]
            )
        return names


def _fault_in(name: str, value: str) -> str | None:
    from claude_tier.groups import variables  # it needs this package

    if not VARIABLE.match(name):
        return "must be the name of an environment variable"
    if variables.rule_of(name) or variables.is_key(name):
        return "is the group's own to set or blank, or would hold a key: see docs/groups.md"
    return None if value.isprintable() else "must be one line of text"


def _named(groups: dict[str, Group]) -> dict[str, Group]:
    raise_all(
        [
            detail((name,), "a name has no / and no space, and does not begin with -")
            for name in groups
            if "/" in name or " " in name or name.startswith("-")
        ]
    )
    if groups.get(MAIN, Group()).provider is not None:
        raise_all([detail((MAIN, "provider"), "main is Claude itself; choose another name")])
    return groups


Groups = Annotated[dict[Line, Group], AfterValidator(_named)]


def faults_of_groups(
    groups: Mapping[str, Group], providers: Mapping[str, Provider]
) -> Iterator[InitErrorDetails]:
    """Groups that lead nowhere, or to what Claude Code cannot talk to."""
    for name, group in groups.items():
        if group.provider is None:
            continue
        if group.provider not in providers:
            known = ", ".join(providers) or "none"
            yield detail((name, "provider"), f"is no provider of yours (there are {known})")
        elif providers[group.provider].kind not in SPEAKING:
            kinds = ", ".join(SPEAKING)
            yield detail(
                (name, "provider"), f"does not speak Anthropic's API; kinds that do: {kinds}"
            )

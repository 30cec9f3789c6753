"""What the tools take and give, as the protocol shows it: JSON Schemas without the ornaments."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from claude_tier.config.local_models import MaxTokens

DEFAULT_TOKENS = 4096


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def schema_of(cls) -> dict[str, object]:
        """Its JSON Schema; titles would only repeat the names in every request."""
        plain = _untitled(cls.model_json_schema())
        assert isinstance(plain, dict)
        return plain


def _untitled(value: object) -> object:
    if isinstance(value, list):
        return [_untitled(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key: _untitled(each)
        for key, each in value.items()
        if key != "title" or not isinstance(each, str)
    }


class Task(Shape):
    """What every tool takes that asks a model."""

    prompt: str = Field(description="The whole task; the model knows nothing else.")
    files: list[str] = Field(
        default_factory=list,
        description="Text files of the project to put before the prompt, by path.",
    )
    max_tokens: MaxTokens = Field(default=DEFAULT_TOKENS, description="The longest answer.")


class Question(Task):
    """What the shipped tools take."""

    system: str = Field(default="", description="How the model is to behave.")


class Further(Shape):
    """What read_more takes."""

    page_id: str = Field(description="As the answer named it.")
    page: int = Field(description="From 1; the answer's next_page goes on.")


class Nothing(Shape):
    """What a tool without arguments takes."""


class Tokens(Shape):
    """As the provider counted them."""

    input: int
    output: int


class Part(Shape):
    """One page."""

    text: str
    page: int = 1
    pages: int = 1
    page_id: str | None = Field(default=None, description="For read_more; left out if this is all.")
    next_page: int | None = None


class Reply(Part):
    """An answer, who gave it, and what it cost."""

    provider: str
    model: str
    tokens: Tokens | None = Field(
        default=None, description="null where the provider did not count."
    )
    usd: float | None = Field(default=None, description="null where the price is not known.")
    seconds: float
    truncated: bool = Field(default=False, description="Cut off at max_tokens.")
    notices: list[str] = Field(default_factory=list)
    data: dict[str, object] | None = Field(
        default=None, description="The answer of a tool with a schema."
    )


class FoundModel(Shape):
    """One model of a provider."""

    name: str
    window: int | None = Field(default=None, description="Tokens of prompt and answer together.")
    used_by: list[str] = Field(default_factory=list, description="Tools that ask it.")


class FoundProvider(Shape):
    """One provider on this machine, and how it is."""

    provider: str
    reachable: bool
    models: list[FoundModel] = Field(default_factory=list)
    more: int = Field(default=0, description="Models that are not listed here.")
    problem: str | None = None
    remedy: str | None = None


class Listing(Shape):
    """What runs on this machine, and where each tool leads."""

    providers: list[FoundProvider]
    tools: dict[str, list[str]] = Field(description="Tool to the models it asks, in order.")
    hint: str | None = None

"""The kinds of value a configuration key can hold, and how a validator points at its mistakes."""

from __future__ import annotations

import datetime
import re
from typing import Annotated, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from claude_tier import durations

Item = TypeVar("Item")

Rung = Literal["fable", "opus", "sonnet", "haiku"]  # what the client's Agent tool can be asked for
LADDER: list[Rung] = ["fable", "opus", "sonnet", "haiku"]  # dearest first
EFFORTS = ("low", "medium", "high", "xhigh", "max")  # lowest first
NEVER = 1e9  # a threshold that no spending reaches


class Section(BaseModel):
    """A mapping of known keys; numbers are numbers, never quoted text."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    @classmethod
    def refusal(cls, key: str) -> str | None:  # noqa: ARG003 - for those that refuse some by name
        """Why this section refuses a key that exists elsewhere; None when it exists nowhere."""
        return None


def detail(location: tuple[str | int, ...], message: str) -> InitErrorDetails:
    """A fault at this place below the value that is being validated."""
    error = PydanticCustomError("fault", "{message}", {"message": message})
    return InitErrorDetails(type=error, loc=location, input=None)


def raise_all(faults: list[InitErrorDetails]) -> None:
    """Raise several faults from one validator, each at its own place."""
    if faults:
        raise ValidationError.from_exception_data("config", faults)


def no_repeats(items: list[Item]) -> list[Item]:
    raise_all(
        [
            detail((index,), "is listed twice")
            for index, item in enumerate(items)
            if item in items[:index]
        ]
    )
    return items


def told_apart(entry: str, key: str = "name") -> WrapValidator:
    """A validator of a list in which no two entries have the same key; `entry` is what one is.

    It looks at what is written, so that it is told beside mistakes within the entries.
    """

    def validate(written: object, handler: ValidatorFunctionWrapHandler) -> object:
        items = written if isinstance(written, list) else []
        keys = [item.get(key) if isinstance(item, dict) else None for item in items]
        repeated = [
            detail((index, key), f"another {entry} has this {key}")
            for index, value in enumerate(keys)
            if value is not None and value in keys[:index]
        ]
        try:
            checked: object = handler(written)
        except ValidationError as error:
            raise_all([*map(_again, error.errors(include_url=False)), *repeated])
            raise
        raise_all(repeated)
        return checked

    return WrapValidator(validate)


def _again(found: ErrorDetails) -> InitErrorDetails:
    """A fault that a validator within this one has found, to be raised with others."""
    if found["type"] == "fault":
        return detail(found["loc"], found["msg"])
    again = InitErrorDetails(type=found["type"], loc=found["loc"], input=found["input"])
    return {**again, "ctx": found["ctx"]} if "ctx" in found else again


def several(value: object) -> object:
    """A list of one may be written without brackets."""
    return [value] if isinstance(value, str) else value


def dearest_first(rungs: list[Rung]) -> list[Rung]:
    """The ladder's order is the prices' own; another one would raise where it should lower."""
    order = [rung for rung in LADDER if rung in rungs]
    if rungs != order:
        raise ValueError(f"must be in order, dearest first: [{', '.join(order)}]")
    return rungs


def _one_line(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise ValueError("must be one line of text")
    return text


def _on_ladder(tier: str, info: ValidationInfo) -> str:
    tiers = (info.context or {}).get("tiers", LADDER)
    if tier not in tiers:
        raise ValueError(f"must be one of your tiers: {', '.join(tiers)}")
    return tier


def _threshold(value: object) -> object:
    return NEVER if value == "never" else value


def _in_reach(value: float) -> float:
    if value != NEVER and not 0 < value <= 2:
        raise ValueError("must be a fraction above 0 and at most 2 (0.8 is 80 %), or never")
    return value


def _seconds(value: object) -> object:
    return durations.parse(value if isinstance(value, str) else "")


def _date(value: object) -> object:
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        return value
    try:
        return datetime.date.fromisoformat(value)
    except ValueError:
        return value


Line = Annotated[str, Field(max_length=256), AfterValidator(_one_line)]
Tier = Annotated[str, AfterValidator(_on_ladder)]
Effort = Literal["low", "medium", "high", "xhigh", "max"]
OnStop = Literal["deny", "lowest", "ask"]
Threshold = Annotated[
    float, Field(allow_inf_nan=False), BeforeValidator(_threshold), AfterValidator(_in_reach)
]
Seconds = Annotated[int, BeforeValidator(_seconds)]
Day = Annotated[datetime.date, BeforeValidator(_date)]
Usd = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Dollars = Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False)]
Factor = Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)]

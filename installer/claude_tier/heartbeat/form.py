"""What a HEARTBEAT.md may say in its front matter and of each task; docs/heartbeat.md has it all.

The user's configuration reaches the validators as context, for the names of models.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal, cast

from cronsim import CronSim, CronSimError
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from claude_tier.config.fields import (
    Line,
    Seconds,
    Section,
    Usd,
    detail,
    no_repeats,
    raise_all,
    several,
    told_apart,
)
from claude_tier.config.heartbeat import Fallback, Hours, Interval, Zone
from claude_tier.config.routing import faults_of_fallbacks
from claude_tier.heartbeat import models

if TYPE_CHECKING:
    from claude_tier.config import Config

# Those that read, write or look things up themselves. None that starts agents, skills or servers:
# what these ask for is neither the beat's model nor within its budget.
TOOLS = (
    "Read",
    "Grep",
    "Glob",
    "Bash",
    "Edit",
    "Write",
    "NotebookEdit",
    "WebFetch",
    "WebSearch",
)
LONGEST_RUN = 3600  # seconds
_ANY_TIME = datetime(2026, 1, 1)
_RULE = re.compile(rf"({'|'.join(TOOLS)})(\([^()]+\))?\Z")


def _cron(expression: str) -> str:
    fields = expression.split()
    if len(fields) != 5:
        raise ValueError('must have five fields, such as "30 7 * * MON-FRI"')
    try:
        CronSim(expression, _ANY_TIME)
    except (CronSimError, ValueError) as error:
        if _holds_in_some_month(fields):
            raise ValueError("never comes: no month that it names has such a day") from None
        raise ValueError(f'is no cron expression ("30 7 * * MON-FRI"): {error}') from None
    return " ".join(fields)


def _holds_in_some_month(fields: Sequence[str]) -> bool:
    """Whether the month alone is what keeps it from ever coming, as in 0 8 31 2 *."""
    minute, hour, day, _, weekday = fields
    try:
        CronSim(" ".join((minute, hour, day, "*", weekday)), _ANY_TIME)
        CronSim(" ".join((minute, hour, "1", fields[3], weekday)), _ANY_TIME)
    except (CronSimError, ValueError):
        return False
    return True


def _name(name: str) -> str:
    if len(name) > 64 or "#" in name or name.startswith("-"):
        raise ValueError("must have at most 64 characters and no #, and not begin with -")
    return name


def _tool(rule: str) -> str:
    if not _RULE.match(rule):
        raise ValueError(
            f"is no tool that a beat can have: {', '.join(TOOLS)}, or a part of one as in"
            " Bash(git status:*)"
        )
    return rule


def _text(text: str) -> str:
    if not text.strip() or "\0" in text:
        raise ValueError("must not be empty")
    return text.strip()


def _one_hour(seconds: int) -> int:
    if seconds > LONGEST_RUN:
        raise ValueError("must be at most 1h")
    return seconds


Name = Annotated[Line, AfterValidator(_name)]
CronText = Annotated[Line, AfterValidator(_cron)]
Text = Annotated[str, Field(max_length=20_000), AfterValidator(_text)]
Tools = Annotated[
    list[Annotated[Line, AfterValidator(_tool)]],
    BeforeValidator(several),
    AfterValidator(no_repeats),
]


class Budget(Section):
    """What one run may spend."""

    usd: Usd


class Settings(Section):
    """What may stand for the whole file and for one task."""

    every: Interval | None = None
    cron: CronText | None = None
    tz: Zone | None = None
    model: Line | None = None
    fallback: Fallback | None = None
    timeout: Annotated[Seconds, AfterValidator(_one_hour)] = 300
    active_hours: Hours | None = None
    budget: Budget | None = None
    tools: Tools = Field(default_factory=list)
    check: Text | None = None
    unchanged: Literal["skip", "run"] = "skip"
    missed: Literal["skip", "once"] = "skip"
    max_age: Seconds = 3600
    stagger: Seconds = 0

    @model_validator(mode="before")
    @classmethod
    def _empty_means_not_given(cls, values: object) -> object:
        """A key whose value is commented out is not a mistake."""
        if not isinstance(values, dict):
            return values
        return {key: value for key, value in values.items() if value is not None}

    @field_validator("cron")
    @classmethod
    def _one_schedule(cls, cron: str | None, info: ValidationInfo) -> str | None:
        if info.data.get("every") is not None:
            raise ValueError("cannot be set together with every: leave out one of them")
        return cron

    @field_validator("model")
    @classmethod
    def _can_be_asked(cls, name: str | None, info: ValidationInfo) -> str | None:
        if name is not None and (fault := models.fault_in(_config(info), name)):
            raise ValueError(fault)
        return name

    @field_validator("fallback")
    @classmethod
    def _can_all_be_asked(cls, names: list[str] | None, info: ValidationInfo) -> list[str] | None:
        fault_of = partial(models.fault_in, _config(info))
        raise_all(list(faults_of_fallbacks(names or (), fault_of)))
        return names


class Task(Settings):
    """One check among several of a file; `interval` is the classic word for `every`."""

    name: Name
    prompt: Text
    interval: Interval | None = None

    @field_validator("interval")
    @classmethod
    def _one_interval(cls, interval: int | None, info: ValidationInfo) -> int | None:
        for other in ("every", "cron"):
            if info.data.get(other) is not None:
                raise ValueError(f"cannot be set together with {other}: leave out one of them")
        return interval


class Front(Settings):
    """The whole front matter."""

    name: Name | None = None
    tasks: Annotated[list[Task], Field(min_length=1, max_length=100), told_apart("task")] | None = (
        None
    )

    @field_validator("tasks")
    @classmethod
    def _have_names(cls, tasks: list[Task] | None, info: ValidationInfo) -> list[Task] | None:
        if tasks and info.data.get("name") is not None:
            raise_all([detail((), "have names of their own: leave out `name` above")])
        return tasks


def _config(info: ValidationInfo) -> Config:
    return cast("Config", (info.context or {})["config"])

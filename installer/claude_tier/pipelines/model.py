"""What a pipeline file may say; docs/pipelines.md is the reference.

The names in the rest of the file and the user's configuration reach the validators as context.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Annotated, Literal, cast

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
from claude_tier.config.routing import TaskKind, faults_of_fallbacks
from claude_tier.errors import UserError
from claude_tier.pipelines import condition, confined, schemas, template
from claude_tier.pipelines.condition import When
from claude_tier.pipelines.known import Known, near
from claude_tier.pipelines.template import Reference, Template


def _name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{0,63}", text):
        raise ValueError("must be a word of letters, digits, - and _")
    return text


Name = Annotated[str, AfterValidator(_name)]


Names = Annotated[list[Name], BeforeValidator(several), AfterValidator(no_repeats)]


class Input(Section):
    """What a run is given by name; one with a default need not be given."""

    type: Literal["text", "file", "files"] = "text"
    description: Line | None = None
    required: bool | None = None
    default: Annotated[list[str], BeforeValidator(several)] | None = None

    @field_validator("default")
    @classmethod
    def _one_value(cls, default: list[str] | None, info: ValidationInfo) -> list[str] | None:
        if default is not None and info.data.get("type") != "files" and len(default) != 1:
            raise ValueError("must be one text")
        if default is not None and info.data.get("required"):
            raise ValueError("cannot be given for what is required")
        if info.data.get("type") != "text":  # a pattern would be looked for where it leads
            _refuse(*(confined.fault_in(path.removeprefix("@")) for path in default or ()))
        return default

    @property
    def must_be_given(self) -> bool:
        return self.default is None if self.required is None else self.required


class Budget(Section):
    """What may be spent."""

    usd: Usd


class Write(Section):
    """A file below the folder of the run, and what is put into it."""

    path: Template
    content: Template


Shape = dict[str, object]


class Step(Section):
    """One request to a model, or one file written; with for_each, one for each item of a list."""

    id: Name
    target: Line | None = None
    task: TaskKind | None = None
    files: dict[Name, Line] = Field(default_factory=dict)
    for_each: Line | None = None
    at_most: Annotated[int, Field(gt=0, le=1000)] = 50
    parallel: Annotated[int, Field(gt=0, le=32)] = 4
    prompt: Template | None = None
    system: Template | None = None
    write: Write | None = None
    when: When | None = None
    needs: Names = Field(default_factory=list)
    shape: Shape | None = Field(default=None, alias="schema")
    output: Literal["text", "json"] | None = None
    max_tokens: Annotated[int, Field(gt=0, le=1_000_000)] = 4096
    temperature: Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)] | None = None
    timeout: Seconds | None = None
    budget: Budget | None = None
    fallback: Annotated[list[Line], BeforeValidator(several), AfterValidator(no_repeats)] = Field(
        default_factory=list
    )
    local_only: bool = False

    @field_validator("target")
    @classmethod
    def _leads_somewhere(cls, target: str | None, info: ValidationInfo) -> str | None:
        _refuse(_known(info).fault_in_target(target) if target else None)
        return target

    @field_validator("fallback")
    @classmethod
    def _each_leads_somewhere(cls, fallback: list[str], info: ValidationInfo) -> list[str]:
        raise_all(list(faults_of_fallbacks(fallback, _known(info).fault_in_target)))
        return fallback

    @field_validator("files")
    @classmethod
    def _stay_inside(cls, files: dict[str, str]) -> dict[str, str]:
        faults = [
            detail((name,), fault)
            for name, path in files.items()
            if (fault := confined.fault_in(path))
        ]
        raise_all(faults)
        return files

    @field_validator("for_each")
    @classmethod
    def _is_a_list(cls, text: str | None, info: ValidationInfo) -> str | None:
        if text is not None:
            place = template.reference(text)
            if place.root not in ("inputs", "steps") or place.filters:
                raise ValueError("must be a list: inputs.NAME or steps.ID.json.FIELD")
            _refuse(_known(info).fault_in_reference(place))
        return text

    @field_validator("prompt", "system")
    @classmethod
    def _refers_to_something(cls, text: str | None, info: ValidationInfo) -> str | None:
        _refuse(*(_fault_in(place, info) for place in template.references(text or "")))
        return text

    @field_validator("write")
    @classmethod
    def _writes_something(cls, write: Write | None, info: ValidationInfo) -> Write | None:
        faults = [
            detail((key,), fault)
            for key in ("path", "content")
            for place in template.references(getattr(write, key, ""))
            if (fault := _fault_in(place, info))
        ]
        raise_all(faults)
        return write

    @field_validator("when")
    @classmethod
    def _asks_for_something(cls, when: str | None, info: ValidationInfo) -> str | None:
        if when is not None:
            _refuse(_fault_in(condition.parse(when).place, info))
        return when

    @field_validator("needs")
    @classmethod
    def _needs_are_steps(cls, needs: list[str], info: ValidationInfo) -> list[str]:
        steps = _known(info).steps
        faults = [
            detail((index,), f"there is no step {name}{near(name, steps)}")
            for index, name in enumerate(needs)
            if name not in steps
        ]
        raise_all(faults)
        return needs

    @field_validator("shape", mode="before")
    @classmethod
    def _is_a_schema(cls, given: object, info: ValidationInfo) -> object:
        shape = _schema_file(given, _known(info)) if isinstance(given, str) else given
        if isinstance(shape, dict):
            _refuse(schemas.fault_of(shape))
        return shape

    @field_validator("output")
    @classmethod
    def _fits_the_schema(cls, output: str | None, info: ValidationInfo) -> str | None:
        if output == "text" and info.data.get("shape") is not None:
            raise ValueError("must be json where there is a schema")
        return output

    @model_validator(mode="after")
    def _does_one_thing(self) -> Step:
        named = [key for key in ("target", "task", "write") if getattr(self, key) is not None]
        if len(named) != 1:
            raise ValueError("must have exactly one of target, task and write")
        if self.write is None and self.prompt is None:
            raise ValueError("must have a prompt")
        if self.write is not None:
            others = {"prompt", "system", "files", "shape", "output", "budget", "fallback"}
            extra = sorted(others & self.model_fields_set)
            if extra:
                keys = ", ".join("schema" if key == "shape" else key for key in extra)
                raise ValueError(f"a step that writes has no {keys}")
        return self

    @property
    def is_json(self) -> bool:
        return self.output == "json" or self.shape is not None

    @property
    def places(self) -> tuple[Reference, ...]:
        """Every reference of the step."""
        texts = [self.prompt, self.system]
        texts += [self.write.path, self.write.content] if self.write else []
        found = [place for text in texts if text for place in template.references(text)]
        found += [condition.parse(self.when).place] if self.when else []
        found += [template.reference(self.for_each)] if self.for_each else []
        return tuple(found)

    @property
    def after(self) -> frozenset[str]:
        """The steps that it waits for: those it names, and those whose output it uses."""
        return frozenset([*self.needs, *(place.step for place in self.places if place.step)])


def _known(info: ValidationInfo) -> Known:
    return cast("Known", (info.context or {})["known"])


def _fault_in(place: Reference, info: ValidationInfo) -> str | None:
    """A key that has a mistake of its own is not there to be asked: nothing is held against it."""
    repeats = "for_each" not in info.data or info.data["for_each"] is not None
    return _known(info).fault_in_reference(place, files=info.data.get("files"), item=repeats)


def _refuse(*faults: str | None) -> None:
    """Raise what there is of them, each at the key itself."""
    raise_all([detail((), fault) for fault in faults if fault])


def _schema_file(name: str, known: Known) -> object:
    """A schema beside the pipeline."""
    try:
        text = confined.read(known.folder, name)
        return cast("object", json.loads(text))
    except UserError as error:
        raise ValueError(error.message) from None
    except (ValueError, RecursionError):
        raise ValueError(f"{name} is not JSON") from None


def _acyclic(steps: list[Step]) -> list[Step]:
    try:
        TopologicalSorter(edges(steps)).prepare()
    except CycleError as error:
        circle = " -> ".join(reversed(error.args[1]))
        first = [step.id for step in steps].index(error.args[1][0])
        raise_all([detail((first,), f"waits for itself: {circle}")])
    return steps


def edges(steps: Iterable[Step]) -> Mapping[str, Sequence[str]]:
    """What each step waits for, by id."""
    return {step.id: sorted(step.after) for step in steps}


class Pipeline(Section):
    """The whole of a pipeline file."""

    name: Name
    description: Line
    inputs: dict[Name, Input] = Field(default_factory=dict)
    budget: Budget | None = None
    steps: Annotated[
        list[Step],
        Field(min_length=1, max_length=100),
        told_apart("step", "id"),
        AfterValidator(_acyclic),
    ]
    result: Name | None = None

    @field_validator("result")
    @classmethod
    def _is_a_step(cls, result: str | None, info: ValidationInfo) -> str | None:
        steps = _known(info).steps
        if result is not None and (result not in steps or steps[result].writes):
            raise ValueError(f"names no step with an output{near(result, steps)}")
        return result

    @property
    def in_order(self) -> tuple[Step, ...]:
        """The steps in an order in which each has what it needs; as written, where that may be."""
        left, order = list(self.steps), list[Step]()
        while left:
            done = {step.id for step in order}
            order.append(next(step for step in left if step.after <= done))
            left.remove(order[-1])
        return tuple(order)

    @property
    def answer(self) -> str | None:
        """The step whose output is the result: the one named, else the last with an output."""
        last = next((step.id for step in reversed(self.steps) if step.write is None), None)
        return self.result or last

"""What the rest of a pipeline file has, for the checks of each step: read before anything is sure.

So a reference to nothing is found in the same pass as every other mistake.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

from claude_tier.config.routing import fault_in
from claude_tier.pipelines.template import Reference

if TYPE_CHECKING:
    from claude_tier.config import Config


class KnownStep(NamedTuple):
    """What can be said of a step's output; `shape` is None where it has no schema of its own."""

    is_json: bool
    repeats: bool
    writes: bool
    shape: Mapping[str, object] | None


@dataclass(frozen=True)
class Known:
    """The names in a file, the folder it lies in, and the configuration it is run with."""

    config: Config
    folder: Path
    inputs: Collection[str] = ()
    steps: Mapping[str, KnownStep] = field(default_factory=dict)

    @classmethod
    def of(cls, values: Mapping[str, object], config: Config, folder: Path) -> Known:
        """By the raw values of a document, whatever mistakes are in them."""
        inputs, steps = values.get("inputs"), values.get("steps")
        return cls(
            config,
            folder,
            tuple(inputs) if isinstance(inputs, dict) else (),
            {
                str(step["id"]): _known(step)
                for step in (steps if isinstance(steps, list) else ())
                if isinstance(step, dict) and "id" in step
            },
        )

    def fault_in_target(self, name: str) -> str | None:
        return fault_in(name, self.config.providers, self.config.chains)

    def fault_in_reference(
        self, place: Reference, *, files: Collection[str] | None = None, item: bool = False
    ) -> str | None:
        """Why nothing can be there; None where something can. `item`: within a for_each."""
        if place.root == "item":
            return None if item else "item is only there in a step with for_each"
        if not place.path:
            return f"{place.root} needs a name: {place.root}.NAME"
        if place.root == "steps":
            return self._fault_in_output(place)
        names = self.inputs if place.root == "inputs" else files
        if names is None or place.path[0] in names:
            return None
        return f"there is no {place}{near(place.path[0], names)}"

    def _fault_in_output(self, place: Reference) -> str | None:
        name, *rest = place.path
        step = self.steps.get(name)
        if step is None:
            return f"there is no step {name}{near(name, self.steps)}"
        kind = rest[0] if rest else None
        if step.writes or kind not in ("text", "json"):
            if step.writes:
                return f"{name} writes a file and has no output"
            return f"{place} must be {place.root}.{name}.text or {place.root}.{name}.json"
        if kind == "json" and not step.is_json:
            return f"{name} has no json: give it `output: json` or a schema"
        if kind == "text" and len(rest) > 1 and not step.repeats:
            return f"steps.{name}.text has no {rest[1]}"
        return self._fault_in_field(name, step, rest[1:]) if kind == "json" else None

    @staticmethod
    def _fault_in_field(name: str, step: KnownStep, path: list[str]) -> str | None:
        """By the schema, where that says which fields there are."""
        fields = step.shape.get("properties") if step.shape else None
        if step.repeats:
            path = path[1:]
        if not path or not isinstance(fields, dict) or path[0] in fields:
            return None
        return f"the schema of {name} has no field {path[0]}{near(path[0], fields)}"


def _known(step: Mapping[str, object]) -> KnownStep:
    shape = step.get("schema")
    return KnownStep(
        is_json=shape is not None or step.get("output") == "json",
        repeats="for_each" in step,
        writes="write" in step,
        shape=cast("dict[str, object]", shape) if isinstance(shape, dict) else None,
    )


def near(name: str, names: Collection[str]) -> str:
    """The end of a message that says what may have been meant."""
    found = difflib.get_close_matches(name, list(names), n=1)
    return f"; did you mean {found[0]}?" if found else ""

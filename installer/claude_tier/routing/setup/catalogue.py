"""Which models of Ollama fit into how much memory: shipped data, with its source and date."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from claude_tier.routing.setup.memory import GIB, Memory

FILE = Path(__file__).with_name("models.json")
WORKSPACE = GIB  # what a server needs beside weights and context


@dataclass(frozen=True)
class Model:
    """One model as Ollama names it; sizes in bytes, the window in tokens."""

    name: str
    weights: int
    bytes_per_token: int
    window: int

    def need(self, window: int) -> int:
        """Bytes that it takes with a context of that many tokens."""
        return self.weights + self.bytes_per_token * window + WORKSPACE


class Role(NamedTuple):
    """What a role of the router asks for: a window, and models for it, the ablest first."""

    window: int
    models: tuple[Model, ...]


class Choice(NamedTuple):
    """A model for a role, and the window that it should have."""

    model: Model
    window: int


def roles() -> dict[str, Role]:
    """What is shipped, by the roles that a local model can fill."""
    content = json.loads(FILE.read_text("utf-8"))
    models = {name: _model(name, entry) for name, entry in content["models"].items()}
    return {
        name: Role(entry["window"], tuple(models[model] for model in entry["models"]))
        for name, entry in content["roles"].items()
    }


def checked() -> str:
    """The day on which the data was compared with its sources."""
    return str(json.loads(FILE.read_text("utf-8"))["checked"])


def _model(name: str, entry: Mapping[str, Any]) -> Model:
    return Model(name, entry["bytes"], entry["bytes_per_token"], entry["window"])


def choose(role: Role, memories: Sequence[Memory], there: Collection[str]) -> Choice | None:
    """The ablest model that fits, from the fastest memory on; one that is there needs no pull.

    None where none fits, or where nobody says how much memory there is.
    """
    for memory in memories:
        fitting = [one for one in role.models if one.need(role.window) <= memory.usable]
        for model in [one for one in fitting if one.name in there] or fitting:
            return Choice(model, role.window)
    return None

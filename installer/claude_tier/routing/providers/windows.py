"""The context windows of Claude models, for where nobody can be asked."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import NamedTuple

import orjson

LARGE = "[1m]"  # the client's mark for the window of a million tokens
MILLION = 1_000_000


class Shipped(NamedTuple):
    """What the catalog says: windows by the start of a model's name, and what an alias means."""

    aliases: dict[str, str]
    windows: dict[str, int]


def shipped(model: str) -> int | None:
    """The window of a Claude model in tokens, by its alias or name; None for others."""
    name = model.lower()
    if name.endswith(LARGE):
        return MILLION
    known = catalog()
    name = known.aliases.get(name, name)
    fitting = [start for start in known.windows if f"{name}-".startswith(f"{start}-")]
    return known.windows[max(fitting, key=len)] if fitting else None


@cache
def catalog() -> Shipped:
    text = resources.files(__package__).joinpath("windows.json").read_bytes()
    found = orjson.loads(text)
    return Shipped(found["aliases"], found["windows"])

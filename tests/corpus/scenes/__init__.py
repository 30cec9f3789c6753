"""The odd things found in transcripts, one function each."""

from __future__ import annotations

from collections.abc import Callable

from ..stage import Stage
from . import billing, damage, days, identity, lineage, row_forms, subagents

Scene = Callable[[Stage], None]

SCENES: dict[str, Scene] = {
    scene.__name__: scene
    for module in (row_forms, identity, lineage, subagents, billing, days, damage)
    for scene in module.SCENES
}

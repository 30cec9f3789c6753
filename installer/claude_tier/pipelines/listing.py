"""The pipelines that can be run by name, with what each is for or what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from claude_tier.errors import UserError
from claude_tier.pipelines import load, starting
from claude_tier.pipelines.load import Source

if TYPE_CHECKING:
    from claude_tier.config import Config


class Listed(NamedTuple):
    """One of them; `fault` where its file cannot be used."""

    name: str
    path: Path
    shipped: bool
    description: str = ""
    inputs: tuple[str, ...] = ()
    fault: str | None = None

    def fields(self) -> dict[str, object]:
        """The JSON of it."""
        return {**self._asdict(), "path": str(self.path)}


def pipelines(folder: Path) -> tuple[Listed, ...]:
    """All of them, by name."""
    config = starting.setting(folder).config
    return tuple(_listed(name, source, config) for name, source in sorted(load.named().items()))


def _listed(name: str, source: Source, config: Config) -> Listed:
    listed = Listed(name, source.path, source.shipped)
    try:
        found = load.load(source.path, config)
    except UserError as error:
        return listed._replace(fault=error.message)
    return listed._replace(description=found.description, inputs=tuple(found.inputs))

"""Files as they are now: their faults, or what each of their beats would do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from claude_tier_hooks import policy

from claude_tier import config, paths
from claude_tier.config.faults import Fault
from claude_tier.heartbeat import document, screen
from claude_tier.heartbeat.document import Defaults
from claude_tier.heartbeat.listing import fault_fields
from claude_tier.heartbeat.naming import NAME, meant
from claude_tier.heartbeat.preview import Preview, preview
from claude_tier.pipelines.spending import Rates


class Linted(NamedTuple):
    """One file by its real path, with its faults or its beats."""

    path: Path
    faults: tuple[Fault, ...]
    beats: tuple[Preview, ...]

    def fields(self) -> dict[str, object]:
        """The JSON of it."""
        return {
            "path": str(self.path),
            "faults": [fault_fields(fault) for fault in self.faults],
            "beats": [beat.fields() for beat in self.beats],
        }


def files(named: Sequence[Path], now: float) -> tuple[Linted, ...]:
    """Those files, or that of this folder; ConfigError where config.yaml has a mistake."""
    defaults = usual()
    rates = Rates(defaults.config, policy.load())
    return tuple(_linted(meant(path), defaults, rates, now=now) for path in named or (Path(NAME),))


def usual() -> Defaults:
    """What the user's configuration says of every beat; raises ConfigError."""
    return Defaults.of(config.load(paths.state_dir() / config.CONFIG).config)


def _linted(path: Path, defaults: Defaults, rates: Rates, *, now: float) -> Linted:
    loaded = document.load(path, defaults)
    beats = tuple(preview(beat, rates, now) for beat in loaded.beats)
    return Linted(loaded.source.path, loaded.faults, beats)


def as_text(one: Linted, *, width: int) -> str:
    """The faults, each with its place; else the beats below the file's path."""
    if one.faults:
        return "\n".join(map(str, one.faults))
    return f"{one.path}\n{screen.previews(one.beats, width=width)}"

"""The beats of this machine as they are now: of every file that was added, and what bars them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from claude_tier_hooks import state, tick

from claude_tier import config, paths
from claude_tier.config import Config
from claude_tier.errors import UserError
from claude_tier.heartbeat import document, saving, trust
from claude_tier.heartbeat.beat import Beat, storable
from claude_tier.heartbeat.document import Defaults
from claude_tier.heartbeat.parts import is_empty
from claude_tier.heartbeat.saving import Saved

CHANGED, NEW = "not allowed since it changed", "not allowed yet"
EMPTY = "nothing to do in it"
Versions = dict[str, list[int] | None]


class Known(NamedTuple):
    """A beat, why it is not to run, None where it may, and what is saved each time it does not."""

    beat: Beat
    barred: str | None = None
    saved: Saved | None = None


@dataclass(frozen=True)
class World:
    """What beats are made from. `versions` are those of the files that were read, not later ones.

    `broken` has a file's first fault and its place: nothing of that file is planned.
    """

    config: Config
    beats: tuple[Known, ...]
    versions: Versions
    broken: tuple[tuple[Path, str], ...] = ()

    @property
    def changed(self) -> float:
        """When the newest of those files was written."""
        return max((one[1] for one in self.versions.values() if one), default=0) / 1e9

    def find(self, name: str) -> Known:
        """The beat of that name, or of that file and name; UserError where it is not one."""
        found = [one for one in self.beats if name in (one.beat.name, one.beat.id)]
        if len(found) == 1:
            return found[0]
        if found:
            ids = "\n".join(f"  {one.beat.id}" for one in found)
            raise UserError(f"several beats are called {name}", f"Name one with its file:\n{ids}")
        names = ", ".join(sorted({one.beat.name for one in self.beats})) or "none"
        hint = f"Known beats: {names}. `claude-tier heartbeat add FILE` lets those of a file run."
        raise UserError(f"there is no beat {name}", hint)


def versions() -> Versions:
    """Those of every file that a plan is made from."""
    files = [state.path(trust.FOLDER, trust.FILE), state.path("policy.json"), tick.ZONE]
    files += [str(paths.state_dir() / config.CONFIG), *(str(one.path) for one in trust.files())]
    return {file: tick.version(file) for file in files}


def read(before: Versions | None = None) -> World:
    """Everything as it is now; raises ConfigError. `before` are versions taken before this."""
    before = before or versions()
    loaded = config.load(paths.state_dir() / config.CONFIG).config
    defaults = Defaults.of(loaded)
    beats: list[Known] = []
    broken: list[tuple[Path, str]] = []
    for added in trust.files():
        if (real := trust.real_path(added.path)) != added.path:
            # What is there belongs to another file, which may have been added itself.
            broken.append((added.path, f"it is a link to {real} now, which was not added as this"))
            continue
        found = document.load(added.path, defaults)
        if found.faults:
            broken.append((added.path, str(found.faults[0])))
        beats += [_known(loaded, added, beat) for beat in found.beats]
    return World(loaded, tuple(beats), before, tuple(broken))


def current(world_config: Config, beat_id: str) -> Known | None:
    """One beat as its file has it now; None where it is there no longer."""
    file = beat_id.rpartition("#")[0]
    for added in trust.files():
        if storable(added.path) == file:
            found = _of_file(world_config, added)
            return next((one for one in found if one.beat.id == beat_id), None)
    return None


def _of_file(loaded: Config, added: trust.Added) -> Iterator[Known]:
    for beat in document.load(added.path, Defaults.of(loaded)).beats:
        yield _known(loaded, added, beat)


def _known(loaded: Config, added: trust.Added, beat: Beat) -> Known:
    barred = bar(added, beat)
    saved = saving.of_nothing(loaded, beat, time.time()) if barred == EMPTY else None
    return Known(beat, barred, saved)


def bar(added: trust.Added, beat: Beat) -> str | None:
    """Why that beat is not to run, without a look at anything else."""
    if is_empty(beat.prompt):
        return EMPTY
    return {"allowed": None, "changed": CHANGED, "new": NEW}[added.standing(beat)]

"""The scheduler that starts the heartbeat's tick: put in, taken out, and which one it is."""

from __future__ import annotations

import json
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from claude_tier_hooks import state, tick

from claude_tier.errors import UserError
from claude_tier.heartbeat import schedulers, trust
from claude_tier.heartbeat.schedulers import SCHEDULERS
from claude_tier.heartbeat.schedulers import job as jobs

FILE = "scheduler.json"
VERSION = 1


class Record(NamedTuple):
    """What was installed, since when, what it starts, and what was made for it."""

    scheduler: str
    at: float
    python: str
    script: str
    made: tuple[str, ...] = ()


def install(chosen: str | None) -> list[str]:
    """Have that scheduler start the tick, or the one this machine has; what was done.

    One that did so before is taken out: two of them would only do the work of one.
    """
    name = chosen or schedulers.pick()
    scheduler, job = schedulers.require(name), jobs.job()
    lines = _remove([other for other in SCHEDULERS if other != name], job.name)
    old = record()
    before = old.made if old and old.scheduler == name else ()
    added = scheduler.add(job)
    made = tuple(dict.fromkeys((*before, *added.made)))
    _keep(Record(name, time.time(), job.python, job.script, made))
    return [*lines, *added.lines, *_next()]


def preview(chosen: str | None) -> str:
    """What would be written, and where."""
    return schedulers.require(chosen or schedulers.pick()).preview(jobs.job())


def uninstall() -> list[str]:
    """Take it out, whichever it is; nothing where none is in."""
    lines = _remove(SCHEDULERS, jobs.name())
    for file in (_file(), Path(tick.alive_file())):
        file.unlink(missing_ok=True)
    return lines


def places() -> list[str]:
    """Where entries of ours stand; at most one, unless somebody meddled."""
    found = []
    for scheduler in SCHEDULERS.values():
        with suppress(UserError):
            found.append(scheduler.place(jobs.name()))
    return [place for place in found if place]


def record() -> Record | None:
    """None where none was installed, or nobody knows."""
    found = state.read_json(str(_file())) or {}
    if found.get("scheduler") not in SCHEDULERS:
        return None
    at, made = found.get("at"), found.get("made")
    return Record(
        scheduler=found["scheduler"],
        at=at if isinstance(at, int | float) else 0.0,
        python=str(found.get("python")),
        script=str(found.get("script")),
        made=tuple(map(str, made)) if isinstance(made, list) else (),
    )


def look(name: str) -> str:
    """What to do where that scheduler brings no tick."""
    return SCHEDULERS[name].look(jobs.name())


def _remove(names: Collection[str], entry: str) -> list[str]:
    old, lines = record(), list[str]()
    for name in names:
        if old and old.scheduler == name:
            lines += SCHEDULERS[name].remove(entry, old.made)
        else:
            with suppress(UserError):  # a scheduler that we were never in may refuse us
                lines += SCHEDULERS[name].remove(entry, ())
    return lines


def _next() -> list[str]:
    if not trust.files():
        return ["No file was added yet: `claude-tier heartbeat add` lets one run."]
    return ["`claude-tier heartbeat status` shows the first tick within a minute."]


def warnings() -> list[str]:
    """What beats need and a scheduler does not give them."""
    from claude_tier.config import ConfigError
    from claude_tier.heartbeat import environment, known

    try:
        world = known.read()
    except ConfigError:  # told of before
        return ["no beat runs until config.yaml holds."]
    return list(environment.lacking(world.config, (one.beat for one in world.beats)))


def _file() -> Path:
    return Path(state.path(trust.FOLDER, FILE))


def _keep(new: Record) -> None:
    _file().parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fields = {"version": VERSION, **new._asdict()}
    state.write_private(str(_file()), json.dumps(fields, indent=2) + "\n")

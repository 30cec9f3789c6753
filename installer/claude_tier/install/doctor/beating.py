"""Whether the heartbeat beats: nothing, until somebody lets a HEARTBEAT.md run."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

from claude_tier_hooks import ledger, liveness

from claude_tier.heartbeat import scheduling, trust
from claude_tier.install.doctor.machine import Machine
from claude_tier.install.doctor.report import Finding, fault, ok, warning

if TYPE_CHECKING:
    from claude_tier.heartbeat.scheduling import Record

CHECK = "heartbeat"
INSTALL = "Run `claude-tier heartbeat install`."


def heartbeat(machine: Machine) -> Iterator[Finding]:
    """Ticks come where a file may run, and what starts them is there; no beat is in trouble."""
    record = scheduling.record()
    if record:
        yield from _entry(record)
    if not trust.files():
        return
    yield _ticks(machine, record)
    yield from _files()
    yield from _troubled(machine)


def _entry(record: Record) -> Iterator[Finding]:
    """It stands where it was put, and what it starts is there."""
    for path in (record.python, record.script):
        if not os.access(path, os.R_OK):
            yield fault(CHECK, f"{path} is gone, which {record.scheduler} starts", INSTALL)
    places = scheduling.places()
    if not places:
        yield fault(CHECK, f"its entry for {record.scheduler} is gone", INSTALL)
    if len(places) > 1:
        where = " and ".join(places)
        todo = "Run `claude-tier heartbeat install`: it leaves one."
        yield warning(CHECK, f"two schedulers start it: {where}", todo)


def _ticks(machine: Machine, record: Record | None) -> Finding:
    at = liveness.last_tick()
    state = liveness.scheduler(machine.now)
    if state == liveness.NONE:
        return warning(CHECK, "files may run, but no scheduler is installed", INSTALL)
    if state == liveness.ALIVE:
        return ok(CHECK, f"ticks come from {record.scheduler if record else 'a scheduler'}")
    last = "no tick has come" if at is None else f"no tick for {int(machine.now - at) // 60} min"
    return fault(CHECK, last, scheduling.look(record.scheduler) if record else INSTALL)


def _files() -> Iterator[Finding]:
    """Those with mistakes, and keys that a scheduler does not have."""
    from claude_tier.config import ConfigError
    from claude_tier.heartbeat import environment, known

    try:
        world = known.read()
    except ConfigError:  # another check says so
        return
    for _, why in world.broken:
        yield warning(CHECK, f"{why}, so nothing of that file runs", "`heartbeat lint` says more.")
    for sentence in environment.lacking(world.config, (one.beat for one in world.beats)):
        yield warning(CHECK, sentence)


def _troubled(machine: Machine) -> Iterator[Finding]:
    try:
        with closing(ledger.connect()) as db:
            found = liveness.standing(db, machine.now) or {}
    except (sqlite3.Error, ledger.DamagedError):  # another check says so
        return
    for name in found.get("failing", ()):
        yield warning(CHECK, f"{name} fails", f"See `claude-tier heartbeat history {name}`.")
    for name in found.get("disabled", ()):
        todo = f"`claude-tier heartbeat enable {name}` lets it go on."
        yield warning(CHECK, f"{name} is off", todo)

"""A tick: plans what is due under a lock, starts it, and stays until it is done.

It goes on planning meanwhile, since a scheduler may not start the next tick while this one is
there. Another may start one beside it; then whoever has the lock plans.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from claude_tier_hooks import state
from claude_tier_hooks import tick as hook

from claude_tier.config import ConfigError
from claude_tier.config.policy import START
from claude_tier.errors import UserError
from claude_tier.heartbeat import alerts, known, places, planning, processes
from claude_tier.heartbeat.alerts import Alert
from claude_tier.heartbeat.beat import storable
from claude_tier.heartbeat.known import Versions, World
from claude_tier.heartbeat.planning import Claim, Plan
from claude_tier.heartbeat.processes import Worker
from claude_tier.heartbeat.receipts import End, Open
from claude_tier.heartbeat.running import give_up, opened, settle
from claude_tier.heartbeat.steps import step

LOCK_WAIT = 20.0  # seconds to wait for another tick that plans
LOOK = 0.1  # seconds between two looks at what is running
AGAIN = 5.0  # seconds between two looks at whether something is due meanwhile
GRACE = 10.0  # seconds from the request to end to the end by force
TOO_LONG = "its time was over"
GONE = "gone"  # a start that no process has


class Child(NamedTuple):
    """A beat's process that this tick started; times are of time.monotonic."""

    claim: Claim
    process: subprocess.Popen[bytes]
    until: float


@dataclass
class Ending:
    """A process past its time; `at` is when it is killed."""

    run: str
    worker: Worker
    at: float


@dataclass
class Tick:
    """One process of `heartbeat tick`; `clock` is in epoch seconds."""

    clock: Callable[[], float] = time.time
    parallel: int = 1
    waiting: deque[Claim] = field(default_factory=deque)
    children: list[Child] = field(default_factory=list)
    endings: list[Ending] = field(default_factory=list)
    told: list[Alert] = field(default_factory=list)
    on_alert: str | None = None
    begun: int = 0

    def run(self) -> int:
        """Plan, and carry out; how many beats were started."""
        self.plan(LOCK_WAIT)
        looked = time.monotonic()
        while self._step():
            time.sleep(LOOK)
            if time.monotonic() - looked > AGAIN:
                looked = time.monotonic()
                self._look_again()
        return self.begun

    def _step(self) -> bool:
        """Whether there is more to do."""
        self._start()
        self._settle()
        self._end()
        self._tell()
        return bool(self.waiting or self.children or self.endings)

    def _look_again(self) -> None:
        """Plan what has come meanwhile; what is under way is more than a plan that fails."""
        hook.mark_alive()
        if not hook.is_due(self.clock()):
            return
        try:
            self.plan(0.0)
        except (OSError, UserError, sqlite3.Error) as fault:
            state.log_fault("heartbeat", fault)

    def plan(self, patience: float) -> None:
        """Claim what is due; where another tick plans for longer than that, it does so."""
        with locked(patience) as mine:
            if not mine:
                return
            self.told += settle()
            made = _made(self.clock())
            hook.mark_alive()
        if isinstance(made, list):
            self.told += made
            return
        world, plan, told = made
        self.parallel = world.config.heartbeat.parallel
        self.on_alert = world.config.heartbeat.on_alert
        self.told += told
        self.waiting.extend(plan.claims)
        self._overdue(plan.overdue)

    def _overdue(self, found: Sequence[Open]) -> None:
        """Beats whose own tick is gone."""
        mine = {one.claim.run for one in self.children} | {one.run for one in self.endings}
        for one in found:
            if one.run not in mine:
                self._ask_to_end(one.run, one.worker)

    def _start(self) -> None:
        """As many as there are places for; the others wait."""
        while self.waiting:
            place = places.take(self.parallel)
            if place is None:
                return
            claim = self.waiting.popleft()
            step("claim")
            try:
                process = _spawned(claim, place)
            except OSError as fault:
                end = End("failed", f"it cannot be started: {fault.strerror}")
                self.told += give_up(claim.run, end)
                continue
            finally:
                os.close(place)
            until = time.monotonic() + claim.beat.timeout + planning.MARGIN
            self.children.append(Child(claim, process, until))
            self.begun += 1
            step("watch")

    def _settle(self) -> None:
        """What has ended has its receipt; one that has not gets it here."""
        for child in [one for one in self.children if one.process.poll() is not None]:
            run, code = child.claim.run, child.process.returncode
            late = [one for one in self.endings if one.run == run]
            self.children.remove(child)
            self.endings = [one for one in self.endings if one.run != run]
            processes.kill(Worker(child.process.pid, GONE), run)  # what it left behind
            self.told += give_up(run, End("failed", TOO_LONG) if late else _ended(code))

    def _end(self) -> None:
        """Ask those past their time to end, and end by force those that do not."""
        now = time.monotonic()
        for child in self.children:
            if now > child.until and not any(one.run == child.claim.run for one in self.endings):
                pid = child.process.pid
                self._ask_to_end(child.claim.run, Worker(pid, processes.started(pid) or GONE))
        mine = {child.claim.run for child in self.children}
        for one in list(self.endings):
            if one.worker.is_alive and now < one.at:
                continue
            processes.kill(one.worker, one.run)
            if one.run not in mine:
                self.endings.remove(one)
                self.told += give_up(one.run, End("failed", TOO_LONG))

    def _ask_to_end(self, run: str, worker: Worker) -> None:
        processes.terminate(worker)
        self.endings.append(Ending(run, worker, time.monotonic() + GRACE))

    def _tell(self) -> None:
        """Give what there is to tell to the user's own command."""
        told, self.told = self.told, []
        alerts.tell(told, self.on_alert)


@contextmanager
def locked(patience: float) -> Iterator[bool]:
    """Whether this process is the one that plans, for as long as the block."""
    descriptor = os.open(_lock_file(), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield _is_locked(descriptor, time.monotonic() + patience)
    finally:
        os.close(descriptor)


def _lock_file() -> Path:
    folder = Path(state.path("heartbeat"))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder / "tick.lock"


def _is_locked(descriptor: int, deadline: float) -> bool:
    while not _has_locked(descriptor):
        if time.monotonic() >= deadline:
            return False
        time.sleep(LOOK)
    return True


def _has_locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _made(now: float) -> tuple[World, Plan, list[Alert]] | list[Alert]:
    """The plan, kept for the ticks to come; only what is to be told where there is none."""
    versions, halted = known.versions(), _halted()
    try:
        world = known.read(versions)
    except ConfigError as error:
        _keep(versions, None, now, halted=now if halted is None else halted)
        text = f"{error.faults[0]}. No beat runs until that is mended"
        return _kept([Alert(now, "file", None, str(error.source.path), text)])
    with opened() as db:
        broken = {storable(path) for path, _ in world.broken}
        plan = planning.make(
            db,
            world.beats,
            now,
            processes.me(),
            broken=broken,
            changed=world.changed,
            halted=halted,
        )
    _keep(versions, plan.next, now)
    found = [
        Alert(
            now, "file", None, str(path), f"{fault}. Nothing of that file runs until it is mended"
        )
        for path, fault in world.broken
    ]
    found += [_ahead(beat, now) for beat in plan.ahead]
    return world, plan, _kept(found)


def _kept(found: Sequence[Alert]) -> list[Alert]:
    return list(filter(None, map(alerts.kept, found)))


def _ahead(beat: str, now: float) -> Alert:
    file, _, name = beat.rpartition("#")
    text = (
        "the clock was set back: it ran at times that are yet to come, and waits for them."
        f" `claude-tier heartbeat enable {name}` lets it go on from now"
    )
    return Alert(now, "clock", name, file, text)


def _halted() -> float | None:
    """Since when a mistake in the configuration has kept ticks from planning."""
    found = (state.read_json(hook.due_file()) or {}).get("halted")
    return found if isinstance(found, int | float) else None


def _keep(
    versions: Versions, next_: float | None, now: float, *, halted: float | None = None
) -> None:
    """For `hooks/heartbeat_tick.py`; where it cannot be kept, the next minute plans anew."""
    due = {"version": 1, "at": now, "next": next_, "files": versions, "halted": halted}
    try:
        state.write_private(hook.due_file(), json.dumps(due) + "\n")
    except OSError as fault:  # no reason to drop what was just claimed
        state.log_fault("heartbeat", fault)


def _spawned(claim: Claim, place: int) -> subprocess.Popen[bytes]:
    """The beat's process, which holds the place and leads a group."""
    command = hook.recorded() or [sys.executable, "-c", START]
    return subprocess.Popen(
        [*command, "heartbeat", "run", "--claimed", claim.run],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONSAFEPATH": "1", processes.MARK: claim.run},
        cwd=state.state_dir(),
        pass_fds=(place,),
        start_new_session=True,
    )


def _ended(code: int) -> End:
    """What is said of a process that wrote no receipt."""
    if code < 0:
        return End("interrupted", f"its process was ended by {signal.Signals(-code).name}")
    return End("failed", f"its process ended with exit code {code}")

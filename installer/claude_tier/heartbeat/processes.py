"""Processes of the heartbeat: who works on a run, whether it still does, and its end by force."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

MARK = "CLAUDE_TIER_BEAT"  # in the environment of a beat's process and of all that it starts
PROC = Path("/proc")
ROUNDS = 10  # looks for what a run has left; what was ended is there for a moment more


class Worker(NamedTuple):
    """A process that is not mistaken for a later one with its number."""

    pid: int
    started: str

    @property
    def is_alive(self) -> bool:
        return started(self.pid) == self.started


def me() -> Worker:
    """This process."""
    return Worker(os.getpid(), started(os.getpid()) or "")


def started(pid: int) -> str | None:
    """When a process began, in a form that only compares; None when it is gone or ended."""
    if PROC.joinpath("self/stat").exists():
        return _by_proc(pid)
    said = _ps("-o", "stat=,lstart=", "-p", str(pid))
    state, _, since = said.partition(" ")
    return None if not said or state.startswith("Z") else since.strip()


def _by_proc(pid: int) -> str | None:
    """Ticks since the machine began, and which beginning that was."""
    try:
        text = PROC.joinpath(str(pid), "stat").read_text("utf-8", "replace")
        boot = PROC.joinpath("sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()  # the name before it may hold anything
    return None if fields[0] in "ZX" else f"{fields[19]} {boot}"


def terminate(worker: Worker) -> None:
    """Ask a beat's process, which leads its own group, to end."""
    if worker.is_alive:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(worker.pid, signal.SIGTERM)


def kill(worker: Worker, run: str) -> None:
    """End a beat's process and everything it started, also what has a group of its own."""
    if worker.is_alive:
        below = _below(worker.pid)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(worker.pid, signal.SIGKILL)
        _kill_each(below)
    kill_rest(run)


def kill_rest(run: str) -> None:
    """End everything that a run started, but for this process."""
    for _ in range(ROUNDS):  # what was looked at may have started another before it was ended
        found = {*_marked(run)} - {os.getpid()}
        if not found:
            return
        _kill_each(found)


def _kill_each(found: Iterable[int]) -> None:
    for pid in set(found) - {os.getpid()}:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def _marked(run: str) -> Iterator[int]:
    """What carries the run in its environment; only where /proc shows it."""
    wanted = f"{MARK}={run}".encode()
    # No glob: it raises for a process that ends while it looks.
    for entry in PROC.iterdir() if PROC.exists() else ():
        with suppress(OSError):
            if entry.name.isdecimal() and wanted in (entry / "environ").read_bytes().split(b"\0"):
                yield int(entry.name)


def _below(pid: int) -> Iterable[int]:
    """The processes that a process started, and those that these did."""
    rows = [line.split() for line in _ps("-A", "-o", "pid=,ppid=").splitlines()]
    above = {int(row[0]): int(row[1]) for row in rows if len(row) == 2}
    found, left = set[int](), [pid]
    while left:
        parent = left.pop()
        more = [child for child, of in above.items() if of == parent and child not in found]
        found.update(more)
        left += more
    return found


def _ps(*arguments: str) -> str:
    done = subprocess.run(
        ["ps", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LC_ALL": "C"},
    )
    return done.stdout.strip()

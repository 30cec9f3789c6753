"""A program that installs or uninstalls in a child of its own and kills it with SIGKILL, for real,
at the n-th time it touches the file system.

Run as `python killing.py` with one JSON request a line on stdin: `action`, `scope`, `config`,
`root`, `bundle`, `purge`, `at`, `torn`. It answers with the signal that ended the child (0 if it
came to its end before the n-th time) and what the child was about to do.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from claude_tier.install import installing, scopes, uninstalling

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
EVENTS = frozenset({"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.chown"})


class Countdown:
    """Kills this process when the n-th change of the file system is about to be made."""

    def __init__(self, at: int, report: int, *, torn: bool) -> None:
        self.left = at
        self.report = report
        self.torn = torn

    def hook(self, event: str, args: tuple[Any, ...]) -> None:
        if event in EVENTS or (event == "open" and _is_write(args)):
            self.count(f"{event} {args[0]}")

    def fsync(self, descriptor: int) -> None:
        """In place of fsync: what was not synced before a kill may be there by half."""
        if self.torn and self.left == 1:
            os.ftruncate(descriptor, os.fstat(descriptor).st_size // 2)
        self.count("os.fsync")

    def count(self, doing: str) -> None:
        self.left -= 1
        if self.left == 0:
            os.write(self.report, doing.encode())
            os.kill(os.getpid(), signal.SIGKILL)


def _is_write(args: tuple[Any, ...]) -> bool:
    return isinstance(args[2], int) and bool(args[2] & WRITING)


def act(request: dict[str, Any]) -> None:
    root = Path(request["root"]) if request["root"] else None
    target = scopes.target(request["scope"], Path(request["config"]), root)
    if request["action"] == "install":
        bundle = Path(request["bundle"])
        installing.install(installing.Request(target, bundle, python="/usr/bin/python3", now=1.8e9))
    else:
        uninstalling.uninstall(uninstalling.Request(target, purge=request["purge"], now=1.8e9))


def run(request: dict[str, Any]) -> tuple[int, str]:
    """Do it in a child; the signal that ended the child, and at what."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        countdown = Countdown(request["at"], writing, torn=request["torn"])
        os.fsync = countdown.fsync  # type: ignore[assignment]
        sys.addaudithook(countdown.hook)
        act(request)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as report:
        doing = report.read().decode(errors="replace")
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status > 0:
        raise SystemExit(f"the child failed at {request}")
    return -status, doing


def answers() -> Iterator[str]:
    for line in sys.stdin:
        yield json.dumps(run(json.loads(line)))


if __name__ == "__main__":
    gc.freeze()  # a child that collects garbage would copy every page
    for answer in answers():
        sys.stdout.write(answer + "\n")
        sys.stdout.flush()

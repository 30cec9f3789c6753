"""The real command in a real pseudo-terminal."""

from __future__ import annotations

import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from books import answer, budget, decide, policy

PATIENCE = 60  # seconds; reached only when it fails
ENTER, LEAVE, CURSOR = "\x1b[?1049h", "\x1b[?1049l", "\x1b[?25h"
CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Monitor:
    """`claude-tier status --watch` as the leader of a terminal of its own."""

    def __init__(self, home: Path, width: int, height: int) -> None:
        self.master, self.slave = os.openpty()
        self.resize(width, height)
        self.before = termios.tcgetattr(self.slave)
        path = ":".join(filter(None, sys.path))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "claude_tier", "status", "--watch", "--every", "1s"],
            env={
                "HOME": str(home),
                "PYTHONPATH": path,
                "TERM": "xterm-256color",
                "LANG": "C.UTF-8",
            },
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        self.said = ""

    def resize(self, width: int, height: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def until(self, words: str) -> str:
        """What it wrote from here until these words."""
        start, deadline = len(self.said), time.monotonic() + PATIENCE
        while words not in CODES.sub("", self.said[start:]) and words not in self.said[start:]:
            assert time.monotonic() < deadline, f"no {words!r} in {self.said[-3000:]!r}"
            if select.select([self.master], [], [], 0.5)[0]:
                self.said += os.read(self.master, 65536).decode()
        return self.said[start:]

    def type(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def end(self) -> int:
        """Its exit code, once it has ended."""
        deadline = time.monotonic() + PATIENCE
        while self.process.poll() is None:
            assert time.monotonic() < deadline
            if select.select([self.master], [], [], 0.05)[0]:
                self.said += os.read(self.master, 65536).decode()
        while select.select([self.master], [], [], 0)[0]:
            self.said += os.read(self.master, 65536).decode()
        return self.process.returncode

    def restored(self) -> bool:
        """Screen, cursor and line discipline are as they were."""
        left = self.said.rindex(LEAVE) > self.said.rindex(ENTER) and CURSOR in self.said[-20:]
        return left and termios.tcgetattr(self.slave) == self.before


@pytest.fixture
def monitor(home: Path) -> Iterator[Monitor]:
    policy(home, budgets=[budget()])
    answer(home)
    started = Monitor(home, 80, 24)
    yield started
    if started.process.poll() is None:
        started.process.kill()
    started.process.wait()
    os.close(started.master)
    os.close(started.slave)


def test_it_shows_a_new_decision_and_q_puts_the_terminal_back(monitor: Monitor) -> None:
    """On the next look after the ledger changed."""
    monitor.until("No decision yet")
    assert ENTER in monitor.said
    decide("t1", agent="code-archaeologist")
    monitor.until("code-archaeologist")
    monitor.type("q")
    assert monitor.end() == 0
    assert monitor.restored()


def test_it_follows_the_size_of_the_window(monitor: Monitor) -> None:
    """At once, with two columns where they fit."""
    monitor.until("q ends")
    monitor.resize(140, 30)
    monitor.until(f"Budgets{' ' * 65}Subagents")
    monitor.resize(60, 24)
    monitor.until(f"\nBudgets{' ' * 53}\r\n")
    monitor.type("q")
    assert monitor.end() == 0


def test_ctrl_c_ends_it_as_interrupted(monitor: Monitor) -> None:
    """130, and without a traceback."""
    monitor.until("q ends")
    monitor.type("\x03")
    assert monitor.end() == 130
    assert monitor.restored()
    assert "Traceback" not in monitor.said


def test_a_kill_puts_the_terminal_back(monitor: Monitor) -> None:
    """128 and the signal's number."""
    monitor.until("q ends")
    monitor.process.terminate()
    assert monitor.end() == 128 + signal.SIGTERM
    assert monitor.restored()


def test_suspended_it_leaves_the_screen_and_comes_back(monitor: Monitor) -> None:
    """Ctrl-Z, then fg."""
    monitor.until("q ends")
    monitor.type("\x1a")
    monitor.until(LEAVE)
    _, status = os.waitpid(monitor.process.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    assert termios.tcgetattr(monitor.slave) == monitor.before
    monitor.process.send_signal(signal.SIGCONT)
    monitor.until(ENTER)
    monitor.until("q ends")
    monitor.type("q")
    assert monitor.end() == 0
    assert monitor.restored()

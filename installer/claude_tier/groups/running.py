"""Runs the unmodified `claude` in an environment, as a shell would, and again where it may."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import IO, NamedTuple, NoReturn

from claude_tier.errors import UserError
from claude_tier.groups import replay
from claude_tier.install.conflicts import OLDEST_CLIENT

CLIENT_VARIABLE = "CLAUDE_TIER_CLIENT"
PASSED_ON = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)
VERSION_SECONDS = 15
_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)")
_OURSELVES = re.compile(rb"^[^#\n]*claude[-_]tier['\"]?\s+run\b", re.MULTILINE)
SCRIPT = 4096  # bytes of a script that are looked at
IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)


class Command(NamedTuple):
    """One `claude` with its arguments and its whole environment."""

    program: str
    arguments: Sequence[str]
    environ: Mapping[str, str]

    @property
    def line(self) -> list[str]:
        return [self.program, *self.arguments]


def program(environ: Mapping[str, str]) -> str:
    """The user's own `claude`; UserError where there is none."""
    wanted = environ.get(CLIENT_VARIABLE) or "claude"
    found = shutil.which(wanted, path=environ.get("PATH"))
    if found is None:
        raise _missing(wanted)
    if _starts_us(found):
        hint = f"Set {CLIENT_VARIABLE} to the program of Claude Code itself."
        raise UserError(f"{found} starts `claude-tier run` again, without end", hint)
    return found


def _missing(wanted: str) -> UserError:
    """A name is looked for on PATH; a path can only have come from the variable."""
    if os.sep not in wanted:
        hint = f"Install Claude Code, or set {CLIENT_VARIABLE} to its program."
        return UserError(f"there is no {wanted} on your PATH", hint)
    fault = "is no program that you may run" if os.path.lexists(wanted) else "does not exist"
    hint = f"Set {CLIENT_VARIABLE} to the program of Claude Code, or unset it."
    return UserError(f"{wanted}, which {CLIENT_VARIABLE} names, {fault}", hint)


def _starts_us(program: str) -> bool:
    """Whether that is a script which puts `claude` into a group by way of us."""
    try:
        with Path(program).open("rb") as file:
            start = file.read(SCRIPT)
    except OSError:  # it says itself what is wrong with it
        return False
    return start.startswith(b"#!") and bool(_OURSELVES.search(start))


def refuse_old(client: str, environ: Mapping[str, str]) -> None:
    """Raise UserError for a client that would follow settings files away from the group."""
    try:
        done = subprocess.run(
            [client, "--version"], stdin=subprocess.DEVNULL, capture_output=True,
            timeout=VERSION_SECONDS, check=False, env=dict(environ),
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return  # it says itself what is wrong with it
    found = _VERSION.match(done.stdout.decode("utf-8", "replace"))
    if found and tuple(map(int, found.groups())) < OLDEST_CLIENT:
        oldest = ".".join(map(str, OLDEST_CLIENT))
        raise UserError(f"Claude Code {found[0]} is older than {oldest}", "Run `claude update`.")


def become(command: Command) -> NoReturn:
    """Be that client from now on: its terminal, signals and exit code are its own."""
    sys.stdout.flush()
    for number in IGNORED_BY_PYTHON:
        signal.signal(number, signal.SIG_DFL)
    os.execve(command.program, command.line, dict(command.environ))  # noqa: S606 - that is the point


class Held(NamedTuple):
    """A run that has ended, and what it printed."""

    code: int
    printed: IO[bytes]
    interrupted: bool

    def text(self) -> str:
        self.printed.seek(0)
        return self.printed.read().decode("utf-8", "replace")

    def show(self) -> None:
        """Print it byte for byte."""
        self.printed.seek(0)
        shutil.copyfileobj(self.printed, sys.stdout.buffer)
        sys.stdout.flush()


@contextlib.contextmanager
def held(command: Command, given: Callable[[], replay.Input]) -> Iterator[Held]:
    """Run it to its end and keep back what it prints; its errors are shown as they come."""
    with tempfile.TemporaryFile() as printed:
        source = given()
        try:
            process = subprocess.Popen(
                command.line,
                env=dict(command.environ),
                stdin=source.descriptor,
                stdout=printed,
            )
        finally:
            source.close()
        with _passing_signals_on(process) as caught:
            code = process.wait()
        yield Held(code if code >= 0 else 128 - code, printed, bool(caught))


@contextlib.contextmanager
def _passing_signals_on(process: subprocess.Popen[bytes]) -> Iterator[list[int]]:
    """What is sent to us is for the client; yields what came."""
    caught: list[int] = []

    def pass_on(number: int, _frame: FrameType | None) -> None:
        caught.append(number)
        if not (number in (signal.SIGINT, signal.SIGQUIT) and _has_terminal()):
            process.send_signal(number)

    before = {number: signal.signal(number, pass_on) for number in PASSED_ON}
    try:
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _has_terminal() -> bool:
    """Whether a key pressed there reaches our whole group, and so the client without us."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)

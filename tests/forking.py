"""`claude-tier …` as a process that did its imports before: a fork of one that has them.

It is real in all but how it began: a pid, a session, ends, signals and an exit code of its own, and
it may become another program. `command_process` is for tests of how it begins.

Run as `python forking.py SOCKET MODULE…`: for each byte and four descriptors that come over the
socket (input, output, errors, and a line to whoever asks) it forks. The line is told what to be,
and tells the pid and then how it ended.
"""

from __future__ import annotations

import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO


@dataclass
class Process:
    """One that was forked, much as `subprocess.Popen` has it."""

    pid: int
    stdin: IO[bytes] | None
    stdout: IO[bytes]
    stderr: IO[bytes]
    line: IO[str]
    returncode: int | None = None

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def wait(self) -> int:
        if self.returncode is None:
            self.returncode = int(self.line.readline())
        return self.returncode

    def communicate(self, given: bytes | None = None) -> tuple[bytes, bytes]:
        """Give it that, and read all that it says until it ends."""
        with ThreadPoolExecutor() as pool:
            out, errors = pool.submit(self.stdout.read), pool.submit(self.stderr.read)
            if self.stdin is not None:
                with suppress(BrokenPipeError), self.stdin:
                    self.stdin.write(given or b"")
        self.wait()
        return out.result(), errors.result()


@dataclass(frozen=True)
class Stem:
    """The process that is forked."""

    asking: socket.socket

    @contextmanager
    def started(
        self,
        arguments: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: Path,
        stdin: int | IO[bytes] = subprocess.DEVNULL,
    ) -> Iterator[Process]:
        """`claude-tier` with these arguments, in a session of its own; killed at the end."""
        with ExitStack() as open_ones:
            (out, to_out), (errors, to_errors) = os.pipe(), os.pipe()
            source, to_source = _source(stdin)
            line = self._asked(source, to_out, to_errors)
            ends = [os.fdopen(end, "rb") for end in (out, errors)]
            given = None if to_source is None else os.fdopen(to_source, "wb")
            for end in (line, *ends, given):
                if end is not None:
                    open_ones.callback(end.close)
            line.write(json.dumps([list(arguments), dict(env), str(cwd)]) + "\n")
            line.flush()
            process = Process(int(line.readline()), given, *ends, line)
            yield process
            process.send_signal(signal.SIGKILL)
            process.wait()

    def _asked(self, *ends: int) -> IO[str]:
        """The line to a new fork that has these ends, which are its alone then."""
        mine, its = socket.socketpair()
        with mine, its:
            socket.send_fds(self.asking, [b"x"], [*ends, its.fileno()])
            for end in ends:
                os.close(end)
            return mine.makefile("rw")


def _source(stdin: int | IO[bytes]) -> tuple[int, int | None]:
    """Where its input comes from, and where that is written to."""
    if stdin == subprocess.PIPE:
        return os.pipe()
    if stdin == subprocess.DEVNULL:
        return os.open(os.devnull, os.O_RDONLY), None
    return os.dup(stdin if isinstance(stdin, int) else stdin.fileno()), None


@contextmanager
def stem(*modules: str, path: str) -> Iterator[Stem]:
    """One that has these modules, imported from that PYTHONPATH."""
    mine, its = socket.socketpair()
    with mine:
        with its:
            process = subprocess.Popen(
                [sys.executable, __file__, str(its.fileno()), *modules],
                env={"PATH": os.environ["PATH"], "PYTHONPATH": path},
                stdin=subprocess.DEVNULL,
                pass_fds=[its.fileno()],
                start_new_session=True,
            )
        yield Stem(mine)
    with process:
        pass


def main(descriptor: str, *modules: str) -> int:
    """Fork until nobody asks any more."""
    for name in modules:
        importlib.import_module(name)
    with socket.socket(fileno=int(descriptor)) as asking:
        asking.set_inheritable(False)
        while True:
            told, ends, _, _ = socket.recv_fds(asking, 1, 4)
            if not told:
                return 0
            if os.fork() == 0:
                _keep(ends[:3], socket.socket(fileno=ends[3]))
            for end in ends:
                os.close(end)
            while _reaped():
                pass


def _reaped() -> bool:
    try:
        return os.waitpid(-1, os.WNOHANG)[0] != 0
    except ChildProcessError:
        return False


def _keep(ends: Sequence[int], line: socket.socket) -> None:
    """Start the process and wait for it: between the two of them the pid is its own."""
    line.set_inheritable(False)
    with line, line.makefile("rw") as stream:
        told = json.loads(stream.readline())
        child = os.fork()
        if child == 0:
            _be(ends, *told)
        stream.write(f"{child}\n")
        stream.flush()
        for end in ends:
            os.close(end)
        stream.write(f"{os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}\n")
    os._exit(0)


def _be(ends: Sequence[int], arguments: list[str], environ: dict[str, str], folder: str) -> None:
    """`claude-tier` from here on; SystemExit at its end."""
    os.setsid()
    for number, end in enumerate(ends):
        os.dup2(end, number)
        os.close(end)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    time.tzset()
    sys.stdin, sys.stdout = os.fdopen(0, closefd=False), os.fdopen(1, "w", closefd=False)
    sys.stderr = os.fdopen(2, "w", closefd=False, errors="backslashreplace")
    sys.argv = ["claude-tier", *arguments]
    runpy.run_module("claude_tier", run_name="__main__")


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))

"""A beat's own check: a command of the user's that costs nothing and decides before any model."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Literal, NamedTuple

LONGEST = 16_384  # bytes of output that are evidence
SAID = 300  # bytes of its complaint that are told
NOTHING = 1  # as grep has it
CUT = "\n[cut]"
SOON = 0.1  # seconds until it is looked at whether it has ended


class Checked(NamedTuple):
    """What a check found: something with its output, nothing, or that it failed and why."""

    found: Literal["something", "nothing", "failed"]
    text: str = ""


class StoppedError(Exception):
    """Somebody wants this process to end."""


def run(
    command: str,
    folder: Path,
    *,
    seconds: float,
    told_to_end: Callable[[], bool] = lambda: False,
) -> Checked:
    """Exit 0 with output is something, exit 0 without any or exit 1 is nothing.

    StoppedError once `told_to_end` says so.
    """
    with tempfile.TemporaryFile() as errors:
        try:
            with _started(command, folder, errors) as process:
                output = _heard(process, time.monotonic() + seconds, told_to_end)
                code = process.wait()
        except TimeoutError:
            return Checked("failed", f"the check took longer than {seconds:.0f} s")
        except OSError as fault:
            return Checked("failed", f"the check cannot be started: {fault.strerror}")
        if code not in (0, NOTHING):
            return Checked("failed", f"the check ended with exit code {code}{_complaint(errors)}")
    text = output.decode("utf-8", "replace").strip()
    return Checked("something", text) if code == 0 and text else Checked("nothing")


@contextmanager
def _started(command: str, folder: Path, errors: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """In a group of its own, which ends with this."""
    process = subprocess.Popen(
        ["/bin/sh", "-c", command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=errors,
        cwd=folder,
        start_new_session=True,
    )
    with process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)


def _heard(
    process: subprocess.Popen[bytes], deadline: float, told_to_end: Callable[[], bool]
) -> bytes:
    """What it says until it ends, cut; TimeoutError at the deadline."""
    assert process.stdout is not None
    said, pipes = bytearray(), [process.stdout.fileno()]
    while process.poll() is None or select.select(pipes, [], [], 0)[0]:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        if told_to_end():
            raise StoppedError
        if select.select(pipes, [], [], min(left, SOON))[0]:
            piece = os.read(pipes[0], 1 << 16)
            said += piece[: LONGEST + 1 - len(said)]
            pipes = pipes if piece else []  # it may go on without a word
    return bytes(said[:LONGEST]) + (CUT.encode() if len(said) > LONGEST else b"")


def _complaint(errors: IO[bytes]) -> str:
    errors.seek(max(0, errors.seek(0, os.SEEK_END) - SAID))
    words = errors.read().decode("utf-8", "replace").split()
    return f": {' '.join(words)}" if words else ""

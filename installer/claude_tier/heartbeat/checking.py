"""A beat's own check: a command of the user's that costs nothing and decides before any model."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal, NamedTuple

LONGEST = 16_384  # bytes of output that are evidence
SAID = 300  # bytes of its complaint that are told
NOTHING = 1  # as grep has it
CUT = "\n[cut]"
PIPE = 1 << 16  # bytes that a pipe holds: all that a command said until it ended
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
    try:
        with _started(command, folder) as process:
            output, complaint = _heard(process, time.monotonic() + seconds, told_to_end)
            code = process.wait()
    except TimeoutError:
        return Checked("failed", f"the check took longer than {seconds:.0f} s")
    except OSError as fault:
        return Checked("failed", f"the check cannot be started: {fault.strerror}")
    if code not in (0, NOTHING):
        why = f": {complaint}" if complaint else ""
        return Checked("failed", f"the check ended with exit code {code}{why}")
    return Checked("something", output) if code == 0 and output else Checked("nothing")


@contextmanager
def _started(command: str, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """In a group of its own, which ends with this."""
    process = subprocess.Popen(
        ["/bin/sh", "-c", command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
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
) -> tuple[str, str]:
    """How its output begins and how its complaints end; TimeoutError at the deadline.

    What it leaves running may go on talking, to nobody.
    """
    assert process.stdout is not None
    assert process.stderr is not None
    output, pipes = process.stdout.fileno(), [process.stdout.fileno(), process.stderr.fileno()]
    said, complaint, ended = bytearray(), b"", False
    while not ended:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        if told_to_end():
            raise StoppedError
        ended = process.poll() is not None
        for pipe in select.select(pipes, [], [], 0 if ended else min(left, SOON))[0]:
            piece = os.read(pipe, PIPE)
            if not piece:
                pipes.remove(pipe)  # it may go on without a word
            elif pipe == output:
                said += piece[: LONGEST + 1 - len(said)]
            else:
                complaint = (complaint + piece)[-SAID:]
    text = bytes(said[:LONGEST]).decode("utf-8", "replace").strip()
    words = complaint.decode("utf-8", "replace").split()
    return text + (CUT if len(said) > LONGEST else ""), " ".join(words)

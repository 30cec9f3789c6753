"""The command line as a process of its own, which can be sent a signal."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A real `claude-tier …` in this HOME, with pipes at its ends; killed at the end."""
    imports = os.pathsep.join(entry for entry in sys.path if entry)
    with subprocess.Popen(
        [sys.executable, "-m", "claude_tier", *arguments],
        env={**os.environ, "PYTHONPATH": imports},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.kill()

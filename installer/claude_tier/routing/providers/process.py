"""A program that is asked in place of a server, with the same limits on time and size."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import IO

import anyio
from anyio.abc import Process

from claude_tier.routing.fault import Fault
from claude_tier.routing.providers.http import Deadline, Limits, lines

LINGER = 0.5  # seconds after its end in which its output is read
GRACE = 5.0  # seconds for it to end by itself
SAID = 2000  # bytes of its last words that are kept


class Running:
    """A program at work: what it says, line by line, and how it ended."""

    def __init__(self, process: Process, errors: IO[bytes], deadline: Deadline) -> None:
        self._process = process
        self._errors = errors
        self._deadline = deadline

    def lines(self, *, silence: bool) -> AsyncGenerator[bytes, None]:
        """Its output as it comes, to its end; `silence` bounds the wait for each piece."""
        return lines(self._pieces(silence=silence))

    async def ended(self) -> None:
        """Let it end by itself, as it does after its last word, and save what it keeps."""
        with anyio.move_on_after(GRACE):
            await self._process.wait()

    async def last_words(self) -> str:
        """What it left on stderr, after its end."""
        with anyio.CancelScope(shield=True):
            _kill(self._process)
            await self._process.wait()
        self._errors.seek(max(0, self._errors.seek(0, os.SEEK_END) - SAID))
        return self._errors.read().decode("utf-8", "replace")

    async def _pieces(self, *, silence: bool) -> AsyncGenerator[bytes, None]:
        size = 0
        while piece := await self._deadline.wait(self._piece(), silence=silence):
            size += len(piece)
            self._deadline.check(size)
            yield piece

    async def _piece(self) -> bytes:
        """More of its output; nothing at its end."""
        assert self._process.stdout is not None
        piece = b""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._after_end, tasks.cancel_scope)
            with suppress(anyio.EndOfStream, anyio.BrokenResourceError):
                piece = await self._process.stdout.receive()
            tasks.cancel_scope.cancel()
        return piece

    async def _after_end(self, reading: anyio.CancelScope) -> None:
        """What it has started may keep its output open for ever."""
        await self._process.wait()
        await anyio.sleep(LINGER)
        reading.cancel()


@asynccontextmanager
async def running(
    command: Sequence[str],
    *,
    given: bytes,
    env: Mapping[str, str],
    folder: str,
    limits: Limits,
) -> AsyncIterator[Running]:
    """The program in a session of its own, killed with all it started when this ends."""
    # Files, not pipes, for what it reads and complains: neither side waits for the other.
    with tempfile.TemporaryFile() as stdin, tempfile.TemporaryFile() as errors:
        stdin.write(given)
        stdin.seek(0)
        try:
            process = await anyio.open_process(
                [*command],
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=env,
                cwd=folder,
                start_new_session=True,
            )
        except OSError as error:
            raise Fault("connect", f"cannot be started: {error.strerror}") from None
        try:
            yield Running(process, errors, Deadline(limits))
        finally:
            with anyio.CancelScope(shield=True):
                _kill(process)
                await process.aclose()


def _kill(process: Process) -> None:
    """It and what it started, which may outlive it."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)

"""Transcripts read on every core: each file by one process, as batches in the file's order.

A process that dies (the system may be out of memory) costs nothing but time: what it had not yet
told is read by this one.
"""

from __future__ import annotations

import fcntl
import gc
import marshal
import multiprocessing
import os
import signal
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.context import BaseContext
from typing import TYPE_CHECKING

from claude_tier_hooks import ingest, state, transcripts

from claude_tier.backfill import scanning

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.process import BaseProcess

    from claude_tier_hooks.shapes import Json

    from claude_tier.backfill import Unread

    Scan = Callable[[bytes, Json], None]


TASKS = 400  # parts of the work; each number is four bytes in a pipe that holds 16,000 of them
_NUMBER = 4
ROOM = 1 << 20  # bytes a process may tell while this one writes to the ledger


def read(files: Iterable[Unread]) -> Iterator[list[Json]]:
    """The batches of each file, files in any order; every core is at work until the last."""
    tasks = _tasks([*files])
    # A forked process has everything imported. Elsewhere than on Linux forking is not safe.
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    numbers, numbered = context.Pipe(duplex=False)
    for number in range(len(tasks)):
        os.write(numbered.fileno(), number.to_bytes(_NUMBER, "big"))
    numbered.close()
    workers = [_start(context, numbers, tasks) for _ in range(min(cores(), len(tasks)))]
    told: set[int] = set()
    try:
        for number, found in _told([connection for _, connection in workers]):
            told.add(number)
            yield from found
    finally:
        numbers.close()
        for process, _ in workers:
            process.terminate()
            process.join()
    for number in sorted(set(range(len(tasks))) - told):
        yield from ([*_batches(file, None)] for file in tasks[number])


def cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS
        return os.cpu_count() or 1


def _tasks(files: list[Unread]) -> list[list[Unread]]:
    """Small files together, the largest first, so that no core is left with a large one."""
    enough = sum(file.size for file in files) // TASKS
    tasks: list[list[Unread]] = []
    room = 0
    for file in sorted(files, key=lambda one: -one.size):
        if room <= 0:
            tasks.append([])
            room = enough
        tasks[-1].append(file)
        room -= file.size
    return tasks


def _start(
    context: BaseContext, numbers: Connection, tasks: list[list[Unread]]
) -> tuple[BaseProcess, Connection]:
    ours, theirs = context.Pipe(duplex=False)
    with suppress(AttributeError, OSError):  # only on Linux, and as much as the system grants
        fcntl.fcntl(ours.fileno(), fcntl.F_SETPIPE_SZ, ROOM)
    process = context.Process(target=_work, args=(numbers, theirs, tasks), daemon=True)  # type: ignore[attr-defined]
    process.start()
    theirs.close()  # so that its end is told by the process alone
    return process, ours


def _told(connections: list[Connection]) -> Iterator[tuple[int, list[list[Json]]]]:
    """What the processes say, until the last of them has ended."""
    while connections:
        for connection in wait(connections):
            assert isinstance(connection, Connection)
            try:
                said = connection.recv_bytes()
            except (EOFError, OSError):
                connections.remove(connection)
            else:
                yield marshal.loads(said)  # noqa: S302 - our own process wrote it


def _batches(file: Unread, scan: Scan | None) -> Iterator[Json]:
    known = {file.path: file.known} if file.known else {}
    return ingest.read([file.path], known, None, scan)


def _scan(data: bytes, batch: Json) -> None:
    """The faster way; where it fails, the hooks'."""
    requests = set(batch["refs"])
    try:
        scanning.scan(data, batch)
    except Exception as fault:  # noqa: BLE001 - whatever it is, the file counts
        state.log_fault("backfill", fault)
        batch.update(rows=[], costs=[], models=[], refs=requests)
        transcripts.scan_block(data, batch)


def _work(numbers: Connection, theirs: Connection, tasks: list[list[Unread]]) -> None:
    """A process's life. An interrupt is the parent's to answer; rows make no cycles to look for."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()
    try:
        while taken := os.read(numbers.fileno(), _NUMBER):
            number = int.from_bytes(taken, "big")
            found = [[*_batches(file, _scan)] for file in tasks[number]]
            theirs.send_bytes(marshal.dumps((number, found)))
    except Exception as fault:  # noqa: BLE001 - the parent reads the rest itself
        state.log_fault("backfill", fault)
    theirs.close()

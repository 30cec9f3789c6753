"""Transcripts read on every core: each file by one process, as batches in the file's order."""

from __future__ import annotations

import gc
import marshal
import multiprocessing
import os
import signal
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from claude_tier_hooks import ingest

from claude_tier.backfill import scanning

if TYPE_CHECKING:
    from claude_tier_hooks.shapes import Json

    from claude_tier.backfill import Known


def read(files: Iterable[tuple[str, Known | None]]) -> Iterator[list[Json]]:
    """The batches of each file, files in any order; every core is at work until the last."""
    tasks = [*files]
    # A forked process has everything imported. Elsewhere than on Linux forking is not safe.
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    with context.Pool(cores(), _prepare) as pool:
        for found in pool.imap_unordered(_read_one, tasks):
            yield marshal.loads(found)  # noqa: S302 - our own process wrote it


def cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS
        return os.cpu_count() or 1


def _prepare() -> None:
    """An interrupt is the parent's to answer; what is read makes no cycles to look for."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()


def _read_one(task: tuple[str, Known | None]) -> bytes:
    path, known = task
    found = ingest.read([path], {path: known} if known else {}, None, scanning.scan)
    return marshal.dumps([*found])

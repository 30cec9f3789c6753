"""The standard input of a run that may be started twice."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import NamedTuple

BLOCK = 65536


class Input(NamedTuple):
    """What a child reads from, to be closed here once the child has it; None is our own."""

    descriptor: int | None

    def close(self) -> None:
        if self.descriptor is not None:
            os.close(self.descriptor)


def again(descriptor: int = 0) -> Callable[[], Input]:
    """Give every child that is started the same input from its start."""
    try:
        start = os.lseek(descriptor, 0, os.SEEK_CUR)
    except OSError:
        # A terminal is read by whoever asks; `claude -p` does not.
        return Recorded(descriptor).feed if _is_open_pipe(descriptor) else lambda: Input(None)

    def rewound() -> Input:
        os.lseek(descriptor, start, os.SEEK_SET)
        return Input(None)

    return rewound


def _is_open_pipe(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return not os.isatty(descriptor)


class Recorded:
    """A pipe that is read once and told to several, as it comes."""

    def __init__(self, descriptor: int) -> None:
        self._source = descriptor
        self._blocks: list[bytes] = []  # an empty one is the end
        self._more = threading.Condition()
        self._reader: threading.Thread | None = None

    def feed(self) -> Input:
        """A pipe with everything from the start; it may be read while more still comes."""
        if self._reader is None:
            # Whoever writes to us may never end; then neither does this thread, and we do.
            self._reader = threading.Thread(target=self._read, daemon=True)
            self._reader.start()
        outlet, inlet = os.pipe()
        threading.Thread(target=self._write, args=(inlet,), daemon=True).start()
        return Input(outlet)

    def _read(self) -> None:
        block = b"-"
        while block:
            try:
                block = os.read(self._source, BLOCK)
            except OSError:  # whoever wrote there is gone: nothing more will come
                block = b""
            with self._more:
                self._blocks.append(block)
                self._more.notify_all()

    def _write(self, inlet: int) -> None:
        position = 0
        with os.fdopen(inlet, "wb", buffering=0) as pipe:
            while block := self._block(position):
                try:
                    pipe.write(block)
                except BrokenPipeError:  # that child has read enough
                    return
                position += 1

    def _block(self, position: int) -> bytes:
        with self._more:
            self._more.wait_for(lambda: len(self._blocks) > position)
            return self._blocks[position]

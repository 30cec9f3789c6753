"""Keys and signals of the terminal, waited for at once, and everything put back at the end."""

from __future__ import annotations

import os
import select
import signal
import sys
from types import FrameType, TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self

RESIZED, SUSPEND, HUNG_UP = "resized", "suspend", "hung up"
_WORDS = {signal.SIGWINCH: RESIZED, signal.SIGTSTP: SUSPEND}


class Keyboard:
    """Single keys while in use; no keys at all where stdin is no terminal."""

    def __init__(self) -> None:
        self._stdin = sys.stdin.fileno() if sys.stdin and sys.stdin.isatty() else None
        self._pipe = (-1, -1)
        self._before: list[object] = []
        self._handlers: dict[int, object] = {}
        self._wakeup = -1

    def __enter__(self) -> Self:
        import termios
        import tty

        self._pipe = os.pipe()
        for end in self._pipe:
            os.set_blocking(end, False)
        self._wakeup = signal.set_wakeup_fd(self._pipe[1], warn_on_full_buffer=False)
        for number in _WORDS:
            self._handlers[number] = signal.signal(number, _ignore)
        for number in (signal.SIGTERM, signal.SIGHUP):
            self._handlers[number] = signal.signal(number, _end)
        if self._stdin is not None:
            self._before = termios.tcgetattr(self._stdin)
            tty.setcbreak(self._stdin, termios.TCSADRAIN)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        import termios

        if self._stdin is not None:
            termios.tcsetattr(self._stdin, termios.TCSADRAIN, self._before)  # type: ignore[arg-type]
        signal.set_wakeup_fd(self._wakeup)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        for end in self._pipe:
            os.close(end)

    def wait(self, seconds: float) -> str | None:
        """The key pressed, RESIZED, SUSPEND or HUNG_UP; None when the time has passed."""
        watched = [one for one in (self._stdin, self._pipe[0]) if one is not None]
        ready, _, _ = select.select(watched, [], [], max(0.0, seconds))
        if self._pipe[0] in ready:
            return self._signalled()
        if self._stdin in ready and self._stdin is not None:
            return _key(self._stdin)
        return None

    def _signalled(self) -> str:
        words = [_WORDS.get(signal.Signals(byte)) for byte in os.read(self._pipe[0], 1024)]
        return SUSPEND if SUSPEND in words else RESIZED


def _key(stdin: int) -> str:
    """What was typed by now; an arrow key is more than one byte and none of ours."""
    try:
        typed = os.read(stdin, 64)
    except OSError:  # the terminal has gone
        return HUNG_UP
    return typed.decode("utf-8", "replace") if typed else HUNG_UP


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """The wake-up pipe has it."""


def _end(number: int, _frame: FrameType | None) -> None:
    """Leave by way of every `finally`, so that the terminal is put back."""
    raise SystemExit(128 + number)

"""The monitor at work: look, draw, wait for a key; or one line of JSON for each look."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from typing import Protocol

import click

from claude_tier.errors import UserError
from claude_tier.report.monitor.feed import Feed
from claude_tier.report.monitor.snapshot import Snapshot

ENDED, SUSPENDED = "ended", "suspended"


class Keys(Protocol):
    """What `loop` waits at; see keyboard.Keyboard."""

    def wait(self, seconds: float) -> str | None: ...


def loop(
    read: Callable[[], Snapshot],
    draw: Callable[[Snapshot], None],
    keys: Keys,
    *,
    every: float,
    timer: Callable[[], float] = time.monotonic,
) -> str:
    """Draw until q is pressed (ENDED) or the terminal suspends us; space looks at once."""
    from claude_tier.report.monitor import keyboard

    found, due = read(), timer() + every
    while True:
        draw(found)
        pressed = keys.wait(due - timer())
        if pressed in ("q", "Q", keyboard.HUNG_UP):
            return ENDED
        if pressed == keyboard.SUSPEND:
            return SUSPENDED
        if pressed in (None, " "):
            found, due = read(), timer() + every


def watch(folder: str, every: float) -> int:
    """The monitor in this terminal until q (0) or Ctrl-C (130); UserError without a terminal."""
    from rich.console import Console

    console = Console()
    if not console.is_terminal or console.is_dumb_terminal:
        raise UserError(
            "the monitor needs a terminal that can move its cursor",
            "`claude-tier status` prints the state once,"
            " `claude-tier status --watch --json` one line of JSON for each look.",
        )
    from claude_tier.report.monitor import keyboard
    from claude_tier.report.monitor.screen import Size, render

    read = Feed(folder)
    first = read()  # with its progress bar and faults, before the screen is ours
    waiting = [first]
    while True:
        with keyboard.Keyboard() as keys, console.screen() as screen:

            def draw(found: Snapshot) -> None:
                size = Size(*console.size, plain=console.options.ascii_only)
                screen.update(render(found, now=time.time(), size=size))

            ended = loop(lambda: waiting.pop() if waiting else read(), draw, keys, every=every)
        if ended == ENDED:
            return 0
        os.kill(os.getpid(), signal.SIGSTOP)


def lines(
    read: Callable[[], Snapshot], pause: Callable[[], None], write: Callable[[str], None]
) -> None:
    """One JSON object on a line for each look, until interrupted or nobody reads on."""
    while True:
        write(json.dumps({"version": 1, **read().fields()}, ensure_ascii=False))
        pause()


def watch_json(folder: str, every: float) -> int:
    """Ends by Ctrl-C (130), or when the pipe is closed."""
    lines(Feed(folder), lambda: time.sleep(every), click.echo)
    return 0

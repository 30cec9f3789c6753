"""The loop with a clock, keys and screen of the test's own; and the lines of JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from books import answer, policy
from claude_tier import cli
from claude_tier.report.monitor import keyboard, loop


class Keys:
    """What happens next: a key, a signal's word, or None when the time passes."""

    def __init__(self, *pressed: str | None) -> None:
        self.pressed = list(pressed)
        self.waited: list[float] = []

    def wait(self, seconds: float) -> str | None:
        self.waited.append(seconds)
        return self.pressed.pop(0)


def played(*pressed: str | None) -> tuple[str, int, int, Keys]:
    """How it ended, how often it looked, how often it drew."""
    keys, drawn = Keys(*pressed), []
    looks: Iterator[int] = iter(range(100))
    time = iter(range(1000))
    ended = loop.loop(
        lambda: next(looks),  # type: ignore[arg-type,return-value]
        drawn.append,
        keys,
        every=10,
        timer=lambda: next(time),
    )
    return ended, next(looks), len(drawn), keys


@pytest.mark.parametrize("key", ["q", "Q", keyboard.HUNG_UP])
def test_q_ends_it(key: str) -> None:
    """Also when the terminal has gone."""
    assert played(key)[:3] == (loop.ENDED, 1, 1)


def test_time_and_space_look_again_and_anything_else_only_draws() -> None:
    """A resized window is drawn anew from the same figures."""
    assert played(None, " ", "x", keyboard.RESIZED, "q")[:3] == (loop.ENDED, 3, 5)


def test_a_key_does_not_put_off_the_next_look() -> None:
    """It is due when it was due before the key."""
    waited = played("x", "x", None, "q")[3].waited
    assert waited == [9, 8, 7, 9]


def test_suspending_leaves_the_screen() -> None:
    """The caller puts the terminal back, stops, and comes again."""
    assert played(keyboard.SUSPEND)[0] == loop.SUSPENDED


def test_without_a_terminal_it_names_what_works(capsys: pytest.CaptureFixture[str]) -> None:
    """A pipe gets no screen."""
    assert cli.main(["status", "--watch"]) == 1
    said = capsys.readouterr().err
    assert "needs a terminal" in said
    assert "`claude-tier status --watch --json`" in said


def test_every_without_watch_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    """It would do nothing."""
    assert cli.main(["status", "--every", "5s"]) == 2
    assert "--every goes with --watch" in capsys.readouterr().err
    assert cli.main(["status", "--watch", "--every", "0s"]) == 2


def test_json_is_one_object_on_a_line_and_a_closed_pipe_ends_it_quietly(home: Path) -> None:
    """As in `claude-tier status --watch --json | head -1`."""
    policy(home)
    answer(home)
    command = [sys.executable, "-m", "claude_tier", "status", "--watch", "--json", "--every", "1s"]
    path = ":".join(filter(None, sys.path))
    process = subprocess.Popen(
        command,
        env={"HOME": str(home), "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    found = json.loads(process.stdout.readline())
    process.stdout.close()
    assert (found["version"], found["notice"]) == (1, None)
    assert process.wait(60) == 1
    assert process.stderr.read() == b""
    process.stderr.close()


def test_lines_go_on() -> None:
    """Until the reader or the user ends it."""

    class Look:
        def fields(self) -> dict[str, object]:
            return {"at": 1.0}

    written: list[str] = []

    def pause() -> None:
        if len(written) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        loop.lines(Look, pause, written.append)  # type: ignore[arg-type]
    assert written == ['{"version": 1, "at": 1.0}'] * 3

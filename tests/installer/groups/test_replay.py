"""One input for two runs."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from claude_tier.groups import replay

LARGE = b"0123456789abcdef" * 50_000  # more than a pipe holds


def drained(source: replay.Input) -> bytes:
    assert source.descriptor is not None
    with os.fdopen(source.descriptor, "rb") as pipe:
        return pipe.read()


def test_a_pipe_is_told_to_each_run_from_its_start() -> None:
    """More than a pipe holds at once, and read to the end."""
    outlet, inlet = os.pipe()
    given = replay.again(outlet)
    first = given()
    with os.fdopen(inlet, "wb") as writer:
        writer.write(LARGE)

    assert drained(first) == LARGE
    assert drained(given()) == LARGE
    os.close(outlet)


def test_a_run_that_stopped_reading_leaves_the_rest_to_the_next() -> None:
    """A client that failed at once has read nothing."""
    outlet, inlet = os.pipe()
    given = replay.again(outlet)
    given().close()
    with os.fdopen(inlet, "wb") as writer:
        writer.write(LARGE)

    assert drained(given()) == LARGE
    os.close(outlet)


def test_a_source_that_breaks_off_has_ended() -> None:
    """No child waits for what nobody can send any more."""
    ours, theirs = socket.socketpair()
    with ours:
        theirs.sendall(b"so far")
        ours.sendall(b"never read, so that the end of it is a reset")
        theirs.close()
        assert drained(replay.again(ours.fileno())()) in (b"so far", b"")


def test_a_pipe_that_is_still_open_is_passed_on_as_it_comes() -> None:
    """Nobody waits for its end."""
    outlet, inlet = os.pipe()
    source = replay.again(outlet)()
    assert source.descriptor is not None
    os.write(inlet, b"so far")

    assert os.read(source.descriptor, 100) == b"so far"
    os.close(inlet)
    assert os.read(source.descriptor, 100) == b""
    source.close()
    os.close(outlet)


def test_a_file_is_read_again_from_where_it_stood(tmp_path: Path) -> None:
    """The client reads it itself; the shell may have read a part."""
    file = tmp_path / "input"
    file.write_bytes(b"header\nbody")
    descriptor = os.open(file, os.O_RDONLY)
    os.read(descriptor, 7)
    given = replay.again(descriptor)

    seen = []
    for _ in range(2):
        assert given() == replay.Input(None)
        seen.append(os.read(descriptor, 100))

    assert seen == [b"body", b"body"]
    os.close(descriptor)


def test_a_terminal_and_a_closed_input_are_left_to_the_client() -> None:
    """Neither can be read twice."""
    ours, theirs = os.openpty()
    assert replay.again(theirs)() == replay.Input(None)
    os.close(ours)
    os.close(theirs)

    assert replay.again(theirs)() == replay.Input(None)

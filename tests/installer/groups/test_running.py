"""`claude-tier run` beside a `claude` that tells what it was given: nothing is lost on the way."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys

import pytest

from .conftest import User

RUN = ("run", "--group", "chat", "--")


@pytest.mark.parametrize(
    ("fallback", "code"), [("none", 7), ("haiku", 0), ("haiku", 1), ("haiku", 143), ("haiku", 255)]
)
def test_the_exit_code_is_the_clients(fallback: str, code: int, user: User) -> None:
    """Held back or not."""
    user.configure(fallback=fallback)

    assert user.run(*RUN, "-p", f"exit {code}").code == code
    assert len(user.told) == 1


@pytest.mark.parametrize("fallback", ["none", "haiku"])
def test_arguments_and_bytes_pass_unchanged(fallback: str, user: User) -> None:
    """Also what is no UTF-8, and what looks like an option of ours."""
    user.configure(fallback=fallback)
    arguments = ["-p", "--group", "x", "--dry-run", "a b", "", "ü", "--", "print \\xff\\x00\\n"]

    done = user.run(*RUN, *arguments)

    assert (done.out, user.told[0][0]) == (b"\xff\x00\n", arguments)


@pytest.mark.parametrize("fallback", ["none", "haiku"])
def test_the_input_is_the_clients(fallback: str, user: User) -> None:
    """All of it."""
    user.configure(fallback=fallback)
    content = os.urandom(300_000)

    assert user.run(*RUN, "-p", "echo", stdin=content).out == content


def test_the_process_becomes_the_client(user: User) -> None:
    """Nothing of ours stays between it and who started it."""
    with user.start(*RUN, "exit 0") as process:
        process.communicate()

    assert [pid for _, _, pid in user.told] == [process.pid]


@pytest.mark.parametrize("fallback", ["none", "haiku"])
def test_a_broken_pipe_ends_the_client_as_it_would_alone(fallback: str, user: User) -> None:
    """Python ignores that signal, and would hand that down."""
    user.configure(fallback=fallback)
    (user.home / "bin/claude").write_text("#!/bin/sh\nkill -PIPE $$\necho survived\n")

    done = user.run(*RUN, "-p", "x")

    assert (done.code, done.out) == (-signal.SIGPIPE if fallback == "none" else 141, b"")


@pytest.mark.parametrize("fallback", ["none", "haiku"])
@pytest.mark.parametrize(
    ("number", "code", "said"),
    [(signal.SIGTERM, 143, b"stopped\n"), (signal.SIGINT, 130, b"interrupted\n")],
)
def test_a_signal_reaches_the_client_and_what_it_says_is_kept(
    fallback: str, number: signal.Signals, code: int, said: bytes, user: User
) -> None:
    """Whoever was asked to stop does not start again on Claude."""
    user.configure(fallback=fallback)
    with user.start(*RUN, "-p", "wait") as process:
        assert any(b"waiting" in line for line in process.stderr)
        process.send_signal(number)
        out, _ = process.communicate()

    assert (process.returncode, out, len(user.told)) == (code, said, 1)


def test_what_was_interrupted_is_not_done_again(user: User) -> None:
    """Though the client calls that a failure of the API."""
    user.configure(fallback="haiku")
    with user.start(*RUN, "-p", "abort") as process:
        assert any(b"waiting" in line for line in process.stderr)
        process.terminate()
        out, _ = process.communicate()

    assert (process.returncode, out, len(user.told)) == (1, b"API Error: aborted\n", 1)


def test_a_key_pressed_in_the_terminal_reaches_the_held_client_once(user: User) -> None:
    """The terminal tells the whole group; a second time would end it harder."""
    user.configure(fallback="haiku")
    ours, theirs = pty.openpty()
    line = [sys.executable, "-m", "claude_tier", *RUN, "-p", "count"]
    # Of its own session, it takes the terminal as a login does.
    setup = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0);"
    start = f"{setup} os.execv(sys.argv[1], sys.argv[1:])"
    with subprocess.Popen(
        [sys.executable, "-c", start, *line],
        env=user.env, cwd=user.home, stdin=theirs, stdout=theirs, stderr=theirs,
        start_new_session=True,
    ) as process:  # fmt: skip
        os.close(theirs)
        read_until(ours, b"waiting")
        os.write(ours, b"\x03")
        read_until(ours, b"pressed")
        process.terminate()
        presses = process.wait()
    os.close(ours)

    assert presses == 1


def read_until(terminal: int, words: bytes) -> None:
    """Read what the terminal shows until the words stand there."""
    shown = b""
    while words not in shown:
        shown += os.read(terminal, 1000)


def test_a_missing_client_is_said(user: User) -> None:
    """With what to do."""
    done = user.run(*RUN, "-p", "x", PATH="/nowhere")

    assert done.code == 1
    assert "there is no claude on your PATH" in done.errors
    assert "Install Claude Code, or set CLAUDE_TIER_CLIENT" in done.errors


@pytest.mark.parametrize(("name", "fault"), [("no", "does not exist"), ("bin", "is no program")])
def test_a_client_that_is_named_by_its_path_is_not_looked_for(
    name: str, fault: str, user: User
) -> None:
    """PATH has nothing to do with it."""
    program = user.home / name
    done = user.run(*RUN, "-p", "x", CLAUDE_TIER_CLIENT=str(program))

    assert done.code == 1
    assert f"{program}, which CLAUDE_TIER_CLIENT names, {fault}" in done.errors
    assert "on your PATH" not in done.errors


def test_an_old_client_is_refused_on_another_endpoint(user: User) -> None:
    """It would follow settings files away, and send a saved key along."""
    done = user.run(*RUN, "-p", "x", SAYS_VERSION="2.1.100 (Claude Code)")
    main = user.run("run", "--group", "main", "--", "exit 5", SAYS_VERSION="2.1.100")

    assert (done.code, "2.1.100 is older than 2.1.251" in done.errors) == (1, True)
    assert main.code == 5


def test_a_claude_that_starts_this_command_is_not_started(user: User) -> None:
    """It would do so again without end."""
    shim = user.home / "bin/claude"
    shim.write_text('#!/bin/sh\nexec claude-tier run --group chat -- "$@"\n')
    done = user.run(*RUN, "exit 0")
    assert done.code == 1
    assert "CLAUDE_TIER_CLIENT" in done.errors
    assert user.told == []

"""`claude-tier dashboard` as a process: link, port, and an end without a trace."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from books import OPUS, answer
from claude_tier.dashboard import app, server

ENVIRONMENT = {"PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}

Command = Callable[..., "subprocess.Popen[str]"]


def words(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "claude_tier", "dashboard", *arguments]


def environment() -> dict[str, str]:
    return {**os.environ, **ENVIRONMENT}


@pytest.fixture
def command(home: Path) -> Iterator[Command]:
    """Start one; its first line is read, and it is killed where the test did not end it."""
    running: list[subprocess.Popen[str]] = []
    answer(home, OPUS)

    def start(*arguments: str) -> subprocess.Popen[str]:
        running.append(
            subprocess.Popen(
                words(*arguments),
                text=True,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment(),
            )
        )
        return running[-1]

    yield start
    for one in running:
        one.kill()
        one.communicate()


def said(process: subprocess.Popen[str]) -> dict[str, object]:
    """The JSON it prints once it answers."""
    assert process.stdout is not None
    lines = iter(process.stdout.readline, "}\n")
    found: dict[str, object] = json.loads("".join(lines) + "}")
    return found


def exchange(port: int, code: str) -> int:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request("POST", "/api/session", headers={app.CODE: code})
        return connection.getresponse().status


def code_of(link: object) -> str:
    return str(link).partition("#code=")[2]


@pytest.mark.parametrize("way", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_a_link_that_opens_it_and_ends_when_told(command: Command, way: int) -> None:
    """Ctrl-C is how it ends: exit code 0, nothing on stderr, also with a page that listens."""
    process = command("--port", "0", "--json")
    found = said(process)
    port = int(str(found["port"]))
    assert found["address"] == f"http://127.0.0.1:{port}/"
    assert exchange(port, code_of(found["link"])) == 204
    token = Path(str(found["token_file"])).read_text().strip()
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as listening:
        listening.request("GET", "/api/events", headers={"authorization": f"Bearer {token}"})
        stream = listening.getresponse()
        assert stream.readline() == b"event: change\n"
        process.send_signal(way)
        _, err = process.communicate(timeout=60)
        stream.close()
    assert err == ""
    assert process.returncode == (0 if way == signal.SIGINT else -way)


def test_people_get_one_line_with_the_link(command: Command) -> None:
    process = command("--port", "0")
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("Dashboard: http://127.0.0.1:")
    assert "works once" in process.stdout.readline()


def test_a_port_that_is_taken_is_said(home: Path, command: Command) -> None:
    """The next free one is used."""
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        process = command("--port", str(port), "--json")
        found = said(process)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert int(str(found["port"])) > port
    assert f"Port {port} is taken; this is {found['port']}." in err


def test_another_link_to_a_dashboard_that_runs(command: Command) -> None:
    """`--link`, from another process; each works once."""
    port = str(said(command("--port", "0", "--json"))["port"])
    again = subprocess.run(
        words("--port", port, "--link", "--json"),
        capture_output=True, text=True, check=True, env=environment(),
    )  # fmt: skip
    link = json.loads(again.stdout)["link"]
    assert exchange(int(port), code_of(link)) == 204
    assert exchange(int(port), code_of(link)) == 401


def test_a_link_to_nothing_is_refused(home: Path) -> None:
    """With what to do instead."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = str(free.getsockname()[1])
    run = subprocess.run(
        words("--port", port, "--link"), capture_output=True, text=True, env=environment()
    )
    assert run.returncode == 1
    assert f"no dashboard of yours runs on port {port}" in run.stderr
    assert "`claude-tier dashboard`" in run.stderr


def test_a_link_is_for_nobody_else(home: Path) -> None:
    """A stranger on the port, who answers whatever he is asked, holds no token."""
    from claude_tier.dashboard.keys import Keys

    said = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s"
    body = json.dumps({"proof": Keys("theirs", 1).proof("0" * 32)}).encode()
    for answered in (said % (len(body), body), said % (2, b"[]"), b"nonsense\r\n\r\n", b""):
        with closing(socket.create_server(("127.0.0.1", 0))) as stranger:
            thread = threading.Thread(target=answer_once, args=(stranger, answered))
            thread.start()
            port = stranger.getsockname()[1]
            assert not server.answers(Keys("ours", port), port)
            thread.join(60)


def answer_once(stranger: socket.socket, answered: bytes) -> None:
    wire, _ = stranger.accept()
    with wire:
        wire.recv(4096)
        wire.sendall(answered)


def test_no_free_port_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """After so many tries."""
    from claude_tier.errors import UserError

    monkeypatch.setattr(server, "TRIED", 1)
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=f"no port from {port} to {port} is free"):
            server.listen(port)


def test_the_token_stays_out_of_everything_it_prints_and_logs(home: Path, command: Command) -> None:
    """A link holds a code of its own; nothing is logged, bad requests included."""
    answer(home, OPUS)
    process = command("--port", "0")
    assert process.stdout is not None
    first = process.stdout.readline()
    port = int(first.split("/")[2].split(":")[1])
    token = (home / ".claude/claude-tier/dashboard.token").read_text().strip()
    lesser = (home / ".claude/claude-tier/metrics.token").read_text().strip()
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request("GET", f"/api/stats?token={token}")
        assert connection.getresponse().status == 400
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert token not in first + out + err
    assert err == ""
    written = [path for path in (home / ".claude").rglob("*") if path.is_file()]
    holding = [path.name for path in written if token.encode() in path.read_bytes()]
    assert holding == ["dashboard.token"]
    assert lesser not in first + out + err


def test_the_page_is_in_the_package() -> None:
    """Every part that index.html and the modules name."""
    parts = app.assets()
    named = {
        name
        for body, _ in parts.values()
        for line in body.decode().splitlines()
        for name in parts
        if f'"/page/{name}"' in line or f'"./{name}"' in line
    }
    assert {"index.html"} | named == set(parts)


def test_the_end_waits_for_no_thread_for_ever() -> None:
    """One that stands before a locked ledger would hold Ctrl-C up."""
    stuck = (
        "import threading; from claude_tier.dashboard import server;"
        "threading.Thread(target=threading.Event().wait).start(); server.leave(0.01)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", stuck], env=environment(), timeout=60, check=False
    )
    assert ended.returncode == 0

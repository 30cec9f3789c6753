"""The network namespace that clients and API share."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from claude_tier.errors import UserError
from claude_tier.livecheck import Namespace, ScriptedAPI
from claude_tier.livecheck.script import DONE

needs_namespace = pytest.mark.skipif(not Namespace.available(), reason="no right to unshare")

CONNECT = """
import socket, sys
try:
    socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=5).close()
except OSError as exc:
    sys.exit(str(exc))
"""


def connects(port: int, *, inside: Namespace | None) -> bool:
    command = [sys.executable, "-c", CONNECT, str(port)]
    command = command if inside is None else inside.command(command)
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@needs_namespace
def test_an_api_inside_is_reached_only_from_inside() -> None:
    """The listener stays in the namespace although this process does not."""
    with Namespace() as namespace, ScriptedAPI(lambda request: DONE, namespace=namespace) as api:
        assert connects(api.port, inside=namespace)
        assert not connects(api.port, inside=None)


@needs_namespace
def test_nothing_but_loopback_is_inside() -> None:
    """A client in there can reach no other host."""
    with Namespace() as namespace:
        command = namespace.command(["ip", "-o", "link", "show"])
        links = subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert [line.split(": ")[1] for line in links.splitlines()] == ["lo"]


@needs_namespace
def test_a_closed_namespace_is_gone() -> None:
    """Nothing is left behind, and a second use fails plainly."""
    with Namespace() as namespace:
        path = Path(namespace.path)
        assert path.exists()

    assert not path.exists()
    with pytest.raises(OSError, match="No such file"):
        namespace.listen()


def test_no_tool_means_no_namespace(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where the tools are missing the answer is no, not a traceback."""
    monkeypatch.setenv("PATH", str(tmp_path))

    assert not Namespace.available()


def test_a_refused_namespace_is_a_user_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What unshare said is what the user reads."""
    refuses = tmp_path / "unshare"
    refuses.write_text("#!/bin/sh\necho 'not permitted' >&2\nexit 1\n")
    refuses.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    with pytest.raises(UserError, match="not permitted"):
        Namespace()

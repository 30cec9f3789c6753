"""The user's own line command gets all of its input, and all it says is taken."""

from __future__ import annotations

import subprocess
import sys

import pytest
from claude_tier_hooks import chain

LARGE = 300_000  # bytes; no pipe holds as much


def said_by(command: str, size: int) -> bytes:
    """In a process of its own, which ends when both sides wait for each other."""
    code = "import sys; from claude_tier_hooks import chain;"
    code += " sys.stdout.write(chain.said_by(sys.argv[1], b'x' * int(sys.argv[2])))"
    return subprocess.run(
        [sys.executable, "-c", code, command, str(size)],
        capture_output=True, check=True, timeout=30, env={"PYTHONPATH": ":".join(sys.path)},
    ).stdout  # fmt: skip


@pytest.mark.parametrize("size", [0, 10, LARGE])
@pytest.mark.parametrize(
    ("command", "said"),
    [
        (f"head -c {LARGE} /dev/zero; wc -c | tr -d ' '", b"\0" * LARGE + b"%d\n"),
        ("cat >/dev/null; echo read", b"read\n"),
        ("echo first; exec 1>&-; cat >/dev/null", b"first\n"),
        ("exec 0<&-; echo unread", b"unread\n"),
    ],
    ids=["speaks first", "reads first", "stops speaking", "reads nothing"],
)
def test_neither_side_waits_for_the_other(command: str, said: bytes, size: int) -> None:
    """However much goes either way, and whoever begins."""
    wanted = said % size if b"%" in said else said
    assert said_by(command, size) == wanted


def test_what_it_echoes_comes_back_whole() -> None:
    """300 kB there and back through `cat`."""
    assert chain.said_by("cat", b"y" * LARGE) == "y" * LARGE

"""The pinned client's way into the cache, with an npm that writes what npm would."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import fetch_client
import pytest

NPM = """#!/bin/sh
echo "$@" >> "$CALLS"
prefix=$3
mkdir -p "$prefix/node_modules/@anthropic-ai/claude-code-linux-x64"
echo program > "$prefix/node_modules/@anthropic-ai/claude-code-linux-x64/claude"
"""
PROGRAM = "node_modules/@anthropic-ai/claude-code-linux-x64/claude"


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put the stand-in for npm on PATH; the file its calls are written to."""
    put_npm(tmp_path, NPM)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    return tmp_path / "calls"


def put_npm(folder: Path, script: str) -> None:
    npm = folder / "bin" / "npm"
    npm.parent.mkdir(exist_ok=True)
    npm.write_text(script)
    npm.chmod(0o755)


def fetch(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, fetch_client.__file__, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_client_is_fetched_by_name_and_only_once(calls: Path, tmp_path: Path) -> None:
    """The second call finds what the first one fetched."""
    wanted = tmp_path / f"cache/claude-tier/client-{fetch_client.VERSION}" / PROGRAM
    first, second = fetch(), fetch()

    assert first.stdout == second.stdout == f"{wanted}\n"
    (call,) = calls.read_text().splitlines()
    assert call.endswith(f"@anthropic-ai/claude-code@{fetch_client.VERSION}")
    assert {"--ignore-scripts", "--no-save", "--no-package-lock"} <= set(call.split())


def test_two_at_once_fetch_it_once(calls: Path) -> None:
    """The second waits for the first and finds the client whole."""
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: fetch(), range(2))

    assert first.stdout == second.stdout != ""
    assert len(calls.read_text().splitlines()) == 1


def test_find_only_looks(calls: Path) -> None:
    """What is missing is named, with the command that fetches it."""
    looked = fetch("--find")

    assert (looked.returncode, looked.stdout) == (1, "")
    assert fetch_client.COMMAND in looked.stderr
    assert not calls.exists()
    fetch()
    assert fetch("--find").returncode == 0


@pytest.mark.parametrize("script", ["#!/bin/sh\nexit 7\n", "#!/bin/sh\nexit 0\n"])
def test_a_failed_fetch_leaves_nothing(calls: Path, tmp_path: Path, script: str) -> None:
    """A client is in the cache whole or not at all."""
    put_npm(tmp_path, script)
    failed = fetch()

    assert failed.returncode == 1
    assert fetch_client.VERSION in failed.stderr
    assert [path.name for path in (tmp_path / "cache/claude-tier").iterdir()] == ["lock"]

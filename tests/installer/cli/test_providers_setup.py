"""`claude-tier providers setup`: what is here goes into config.yaml, when the user agrees."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from claude_tier import cli, config
from claude_tier.livecheck.request import Request
from claude_tier.routing.setup import looking, memory
from claude_tier.routing.setup.memory import GIB, Memory
from fault_server import FAULTS, Behaviour, FaultServer, Reply

HAVE = ("llama3.2:3b",)
MINE = "# my own\npreset: budget\n"


@pytest.fixture(autouse=True)
def eight_gib(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is always the same, with no key in its environment, and Ollama alone."""
    monkeypatch.setattr(memory, "found", lambda: (Memory("gpu", 8 * GIB),))
    monkeypatch.setattr(looking, "SERVERS", ("ollama",))
    for name in ("OPENAI_API_KEY", "OPENROUTER_API_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def file(home: Path) -> Path:
    """A config.yaml of the user's."""
    path = home / ".claude/claude-tier/config.yaml"
    path.parent.mkdir(parents=True, mode=0o700)
    path.write_text(MINE)
    return path


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultServer]:
    """An Ollama with one of the models."""
    with FaultServer(Reply("ready"), models=HAVE) as running:
        monkeypatch.setenv("OLLAMA_HOST", f"127.0.0.1:{running.port}")
        yield running


def run(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, Any]:
    code = cli.main(["providers", "setup", "--json", *args])
    return code, json.loads(capsys.readouterr().out)


def test_it_writes_what_is_missing_and_has_it_answer(
    file: Path, server: FaultServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """Providers, models with windows and roles; what has to be pulled is named, not asked."""
    code, found = run(capsys, "--yes")
    assert (code, found["changed"]) == (0, True)
    assert found["pulls"] == ["ollama/qwen2.5-coder:7b"]
    [checked] = found["checked"]
    assert [one["target"] for one in checked["targets"]] == ["ollama/llama3.2:3b"]
    assert checked["targets"][0]["asked"]["answered"] is True
    assert [request.model for request in server.requests] == ["llama3.2:3b"]
    assert file.read_text() == (
        MINE
        + f"""\
providers:
  ollama:
    kind: ollama
    base_url: {server.url}
    free: true
    models: {{"llama3.2:3b": {{window: 16384}}, "qwen2.5-coder:7b": {{window: 32768}}}}
router:
  small: ollama/llama3.2:3b
  coding: ollama/qwen2.5-coder:7b
"""
    )


def test_twice_equals_once(
    file: Path, server: FaultServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """The second time nothing is written; what is still to be pulled is told again."""
    run(capsys, "--yes")
    once = file.read_bytes()
    code, found = run(capsys, "--yes")
    assert (code, found["changed"], found["diff"]) == (0, False, [])
    assert found["pulls"] == ["ollama/qwen2.5-coder:7b"]
    assert file.read_bytes() == once


def test_a_dry_run_shows_the_change_and_makes_none(
    file: Path,
    server: FaultServer,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also inside a session: it only looks, and asks no model anything."""
    monkeypatch.setenv("CLAUDECODE", "1")
    assert cli.main(["providers", "setup", "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert "+router:" in out
    assert "router.small: ollama/llama3.2:3b takes about 4.6 GiB" in out
    assert "  ollama pull qwen2.5-coder:7b" in out
    assert file.read_text() == MINE
    assert server.requests == []


def test_it_is_refused_inside_a_session(
    file: Path,
    server: FaultServer,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What may be reached is for the user to widen, not for Claude."""
    monkeypatch.setenv("CLAUDECODE", "1")
    assert cli.main(["providers", "setup", "--yes"]) == 1
    assert "does not run inside a Claude Code session" in capsys.readouterr().err
    assert file.read_text() == MINE
    assert server.seen == []


def test_a_role_that_does_not_answer_is_told(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is written all the same: the server may have its reasons for now."""

    def choose(request: Request) -> Behaviour:
        return FAULTS["ollama_memory"] if request.path == "/api/chat" else Reply()

    with FaultServer(choose, models=HAVE) as running:
        monkeypatch.setenv("OLLAMA_HOST", f"127.0.0.1:{running.port}")
        assert cli.main(["providers", "setup", "--yes"]) == 1
    assert "does not answer" in capsys.readouterr().out
    assert config.load(file).config.router.small == "ollama/llama3.2:3b"


def test_nothing_here_says_where_to_begin(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No server and no key is nothing to set up."""
    with FaultServer() as gone:
        monkeypatch.setenv("OLLAMA_HOST", f"127.0.0.1:{gone.port}")
    monkeypatch.setenv("PATH", "/nowhere")
    assert cli.main(["providers", "setup", "--yes"]) == 1
    assert "https://ollama.com/download" in capsys.readouterr().err
    assert file.read_text() == MINE


def test_without_a_terminal_nobody_can_agree(
    file: Path, server: FaultServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """What --yes and --dry-run are for is said."""
    why = {(): "there is no terminal to confirm on", ("--json",): "--json asks no question"}
    for args, said in why.items():
        assert cli.main(["providers", "setup", *args]) == 1
        shown = capsys.readouterr().err
        assert f"nothing was written: {said}" in shown
        assert "Use --yes to confirm it" in shown
    assert file.read_text() == MINE


@pytest.mark.parametrize(("answer", "code"), [("n", 1), ("y", 0)])
def test_at_a_terminal_the_user_decides(
    answer: str, code: int, file: Path, server: FaultServer
) -> None:
    """After the change was shown."""
    ours, theirs = pty.openpty()
    path = os.pathsep.join(entry for entry in sys.path if entry)
    with closing(os.fdopen(ours, "wb", buffering=0)) as keyboard:
        keyboard.write(f"{answer}\n".encode())
        done = subprocess.run(
            [sys.executable, "-m", "claude_tier", "providers", "setup"],
            env={**os.environ, "PYTHONPATH": path, "PATH": "/nowhere"},
            stdin=theirs,
            capture_output=True,
            text=True,
            check=False,
        )
        os.close(theirs)
    assert "+providers:" in done.stdout
    assert "Write this?" in done.stderr
    assert done.returncode == code, done.stderr
    assert (file.read_text() == MINE) is (answer == "n")

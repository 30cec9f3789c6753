"""A folder to run pipelines in, a configuration of providers, and the command itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import llama_server
import pytest
from claude_tier import cli
from routers import place


class Done(NamedTuple):
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found


Command = Callable[..., Done]
Configure = Callable[..., None]
Write = Callable[..., Path]


@pytest.fixture(scope="module")
def llama() -> Iterator[llama_server.Start]:
    """Real llama.cpp servers as `llama_server.serving` starts them; those that are alike are one.

    They stay for the tests after, so that no test stops one.
    """
    with llama_server.sharing() as start:
        yield start


@pytest.fixture
def work(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where pipelines are run."""
    folder = home / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def configure() -> Configure:
    """Name the servers of a test: `configure("router: …", here=url)`."""
    return place


@pytest.fixture
def pipeline(work: Path) -> Write:
    """Write a pipeline of these steps."""

    def write(steps: str, head: str = "", *, name: str = "p") -> Path:
        path = work / f"{name}.yaml"
        text = f"name: {name}\ndescription: a test\n{head}\nsteps:\n{steps.strip(chr(10))}\n"
        path.write_text(text, "utf-8")
        return path

    return write


@pytest.fixture
def command(work: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    """`claude-tier pipeline …`, in this process."""

    def run(*arguments: str) -> Done:
        capsys.readouterr()
        code = cli.main(["pipeline", *arguments])
        said = capsys.readouterr()
        return Done(code, said.out, said.err)

    return run

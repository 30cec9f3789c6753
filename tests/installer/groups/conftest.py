"""A user of groups in a scratch home, and a `claude` that tells what it was given."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from unittest import mock

import forking
import pytest
from claude_tier import cli, config
from claude_tier.groups import profile
from claude_tier.livecheck import Script, ScriptedAPI, text
from forking import Process, Stem

ROOT = Path(__file__).parents[3]
IMPORTS = os.pathsep.join([str(ROOT / "installer"), str(ROOT / "hooks")])
IMPORTED = ("claude_tier.groups.starting", "claude_tier.routing.accounting",
            "claude_tier.routing.emergency", "httpx")  # fmt: skip
# It says what it has, and does what its last argument says.
CLAUDE = """#!{python} -S
import json, os, signal, sys, time
if sys.argv[1:] == ["--version"]:
    print(os.environ.get("SAYS_VERSION", "2.1.329 (Claude Code)"))
    raise SystemExit(0)
with open(os.environ["TOLD"], "a") as told:
    print(json.dumps([sys.argv[1:], dict(os.environ), os.getpid()]), file=told, flush=True)
def wait():
    print("waiting", file=sys.stderr, flush=True)
    while True:
        time.sleep(0.05)  # a pause could begin just after the signal
do, _, what = sys.argv[-1].partition(" ")
if do == "exit":
    raise SystemExit(int(what))
if do == "print":
    sys.stdout.buffer.write(what.encode().decode("unicode_escape").encode("latin-1"))
if do == "echo":
    sys.stdout.buffer.write(sys.stdin.buffer.read())
if do == "fail" and os.environ.get("ANTHROPIC_MODEL"):
    sys.stdin.read(int(what or 0)) if what else sys.stdin.read()
    print("API Error: 500 broken")
    raise SystemExit(1)
if do == "fail":
    print("Claude read", sys.stdin.read())
if do == "count":
    seen = []
    told = lambda: print("pressed", file=sys.stderr, flush=True)
    signal.signal(signal.SIGINT, lambda *_: (seen.append(1), told()))
    signal.signal(signal.SIGTERM, lambda *_: os._exit(len(seen)))
    wait()
if do == "abort":
    signal.signal(signal.SIGTERM, lambda *_: (print("API Error: aborted", flush=True), os._exit(1)))
    wait()
if do == "wait":
    signal.signal(signal.SIGTERM, lambda *_: (print("stopped", flush=True), os._exit(143)))
    signal.signal(signal.SIGINT, lambda *_: (print("interrupted", flush=True), os._exit(130)))
    wait()
"""


@dataclass(frozen=True)
class User:
    """Somebody with a shell: their home, their PATH, and no other variable."""

    home: Path
    endpoint: str
    stem: Stem

    @property
    def state(self) -> Path:
        return self.home / ".claude/claude-tier"

    @property
    def env(self) -> dict[str, str]:
        path = f"{self.home / 'bin'}{os.pathsep}{os.environ['PATH']}"
        told = str(self.home / "told")
        return {"HOME": str(self.home), "PATH": path, "PYTHONPATH": IMPORTS, "TOLD": told}

    def configure(
        self, *, kind: str = "anthropic-compatible", url: str | None = None, **keys: object
    ) -> None:
        """`chat` on the endpoint, or on another of that kind, with these keys."""
        made = {"provider": "other", "model": "tiny", **keys}
        text = {
            "providers": {"other": {"kind": kind, "base_url": url or self.endpoint}},
            "groups": {"chat": made, "odd": {"env": {"ODD": "1"}}},
        }
        self.write(json.dumps(text))

    def write(self, text: str) -> None:
        """Put that config.yaml there; JSON is YAML."""
        self.state.mkdir(parents=True, exist_ok=True)
        (self.state / "config.yaml").write_text(text)

    @property
    def config(self) -> config.Config:
        return config.load(self.state / "config.yaml").config

    def profile(self, name: str = "chat", **environ: str) -> profile.Profile:
        return profile.of(self.config, name, environ)

    def start(
        self, *arguments: str, stdin: int | IO[bytes] = subprocess.DEVNULL, **env: str
    ) -> AbstractContextManager[Process]:
        """`claude-tier …` at work."""
        return self.stem.started(arguments, env={**self.env, **env}, cwd=self.home, stdin=stdin)

    def run(self, *arguments: str, stdin: bytes | None = None, **env: str) -> Done:
        """`claude-tier …` to its end; without `stdin` it has none."""
        source = subprocess.DEVNULL if stdin is None else subprocess.PIPE
        with self.start(*arguments, stdin=source, **env) as process:
            out, errors = process.communicate(stdin)
        return Done(process.returncode, out, errors.decode())

    def call(self, *arguments: str, **env: str) -> Done:
        """`claude-tier …` within this process, for what starts nobody."""
        out, errors = io.TextIOWrapper(io.BytesIO()), io.StringIO()
        with (
            mock.patch.dict(os.environ, {**self.env, **env}, clear=True),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(errors),
        ):
            code = cli.main([*arguments])
        out.flush()
        return Done(code, out.buffer.getvalue(), errors.getvalue())

    @property
    def told(self) -> list[tuple[list[str], dict[str, str], int]]:
        """Arguments, environment and process of each `claude` so far."""
        file = self.home / "told"
        lines = file.read_text().splitlines() if file.exists() else []
        return [tuple(json.loads(line)) for line in lines]


@dataclass(frozen=True)
class Done:
    """What a command left."""

    code: int
    out: bytes
    errors: str

    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found


@pytest.fixture
def endpoint() -> Iterator[ScriptedAPI]:
    """A server that speaks Anthropic's API and is not Anthropic."""
    with ScriptedAPI(Script().on("", text("hi"))) as api:
        yield api


@pytest.fixture(scope="package")
def stem() -> Iterator[Stem]:
    """What every run imports."""
    with forking.stem("claude_tier.cli.run", *IMPORTED, path=IMPORTS) as found:
        yield found


@pytest.fixture
def user(home: Path, endpoint: ScriptedAPI, stem: Stem) -> User:
    """Their `claude` tells what it was given."""
    program = home / "bin/claude"
    program.parent.mkdir()
    program.write_text(CLAUDE.format(python=sys.executable))
    program.chmod(0o755)
    found = User(home, endpoint.url, stem)
    found.configure()
    return found

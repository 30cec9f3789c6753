"""Runs the real Claude Code client in a scratch home, told of no address but the scripted API's."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from claude_tier.errors import UserError
from claude_tier.livecheck.scripted_api import ScriptedAPI
from claude_tier.livecheck.terminal import Terminal, accept_dialogs, poll

if TYPE_CHECKING:
    from typing_extensions import Self

CLIENT_VARIABLE = "CLAUDE_TIER_CLIENT"
API_KEY = "sk-ant-scripted-0000000000000000-not-a-key"

# Nothing else of the caller's environment reaches the client: no credential, no provider.
PASSED = ("PATH", "LANG", "LC_ALL", "TZ")
QUIET = {
    "DISABLE_AUTOUPDATER": "1",
    "DISABLE_TELEMETRY": "1",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
}


def find_client(binary: str | os.PathLike[str] | None = None) -> Path:
    """The client to drive: `binary`, else $CLAUDE_TIER_CLIENT, else `claude` on PATH."""
    wanted = binary or os.environ.get(CLIENT_VARIABLE) or "claude"
    found = shutil.which(wanted)
    if found is None:
        hint = f"install Claude Code, or set {CLIENT_VARIABLE} to its program"
        raise UserError(f"no Claude Code client at {wanted}", hint)
    return Path(found).absolute()


@dataclass(frozen=True)
class Run:
    """What one run of the client left."""

    returncode: int
    stdout: str
    stderr: str

    @cached_property
    def events(self) -> list[dict[str, object]]:
        """The JSON objects on stdout: one with `json`, many with `stream-json`."""
        parsed = [json.loads(line) for line in self.stdout.splitlines() if line.startswith("{")]
        return [event for event in parsed if isinstance(event, dict)]

    @property
    def result(self) -> dict[str, object]:
        """The last result; UserError when the client gave none."""
        results = [event for event in self.events if event.get("type") == "result"]
        if not results:
            raise UserError(f"the client gave no result (exit {self.returncode}): {self.stderr}")
        return results[-1]

    @property
    def session_id(self) -> str:
        return str(self.result["session_id"])


class RunningClient:
    """A client at work, in a process group of its own that ends with the `with` block."""

    def __init__(
        self, command: list[str], *, cwd: Path, env: Mapping[str, str], stdin: str | None
    ) -> None:
        # Files, not pipes: what was said so far can be read, and nobody waits for a reader.
        self._folder = tempfile.TemporaryDirectory(prefix="claude-tier-")
        given, self._stdout, self._stderr = map(self._file, ("stdin", "stdout", "stderr"))
        given.write_text(stdin or "", "utf-8")
        with given.open() as read, self._stdout.open("w") as out, self._stderr.open("w") as err:
            self._process = subprocess.Popen(
                command,
                cwd=cwd,
                env=env,
                stdin=read,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._folder.cleanup()

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def wait_for(self, words: str, timeout: float = 30) -> None:
        """Return once `words` stand on stdout; UserError when they do not."""
        if not poll(lambda: words in _read(self._stdout), timeout):
            raise UserError(f"the client did not say {words!r} within {timeout:g} s")

    def finish(self, timeout: float = 60) -> Run:
        """Wait for the end; UserError when it is not reached within `timeout` seconds."""
        try:
            returncode = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            said = (_read(self._stderr) or _read(self._stdout))[-500:]
            raise UserError(f"the client was still at work after {timeout:g} s: {said}") from None
        return Run(returncode, _read(self._stdout), _read(self._stderr))

    def _file(self, name: str) -> Path:
        return Path(self._folder.name, name)


def _read(file: Path) -> str:
    return file.read_text("utf-8", "replace")


class Client:
    """The client with one home. `config_dir` sets CLAUDE_CONFIG_DIR; `env` is added last."""

    def __init__(
        self,
        home: Path,
        *,
        binary: str | os.PathLike[str] | None = None,
        cwd: Path | None = None,
        config_dir: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.binary = find_client(binary)
        self.home = home
        self.cwd = cwd or home
        self.config_dir = config_dir
        self._env = dict(env or {})

    def run(
        self,
        *arguments: str,
        api: ScriptedAPI,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: str | None = None,
        timeout: float = 60,
    ) -> Run:
        """Run to the end. With `-p` the result is asked for as JSON unless told otherwise."""
        with self.start(*arguments, api=api, cwd=cwd, env=env, stdin=stdin) as running:
            return running.finish(timeout)

    def start(
        self,
        *arguments: str,
        api: ScriptedAPI,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: str | None = None,
    ) -> RunningClient:
        """Start a run to be signalled and finished; use it in a `with`."""
        return RunningClient(
            self._inside(api, [str(self.binary), *_as_json(arguments)]),
            cwd=cwd or self.cwd,
            env={**self.environment(api), **(env or {})},
            stdin=stdin,
        )

    def terminal(
        self,
        *arguments: str,
        api: ScriptedAPI,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Terminal:
        """An interactive session, past its first-run dialogs; use it in a `with`."""
        folder = cwd or self.cwd
        accept_dialogs(self._config_file, project=folder, key=API_KEY)
        return Terminal(
            self._inside(api, [str(self.binary), *arguments]),
            cwd=folder,
            env={**self.environment(api), **(env or {})},
        )

    def environment(self, api: ScriptedAPI) -> dict[str, str]:
        """Everything the client is told: an allow-list, a dummy key, and where the API is."""
        temporary = self.home / "tmp"
        temporary.mkdir(parents=True, exist_ok=True)
        config = {"CLAUDE_CONFIG_DIR": str(self.config_dir)} if self.config_dir else {}
        return {
            **{name: os.environ[name] for name in PASSED if name in os.environ},
            **QUIET,
            "HOME": str(self.home),
            "TMPDIR": str(temporary),
            "TERM": "xterm-256color",
            "ANTHROPIC_BASE_URL": api.url,
            "ANTHROPIC_API_KEY": API_KEY,
            **config,
            **self._env,
        }

    def version(self) -> str:
        """Such as "2.1.329"; UserError when the program does not say."""
        command = [str(self.binary), "--version"]
        env = {"HOME": str(self.home), "PATH": os.environ.get("PATH", os.defpath), **QUIET}
        said = subprocess.run(
            command, env=env, capture_output=True, text=True, timeout=60, check=False
        )
        words = said.stdout.split()
        if said.returncode != 0 or not words:
            raise UserError(f"{self.binary} --version failed: {said.stderr.strip()}")
        return words[0]

    @property
    def _config_file(self) -> Path:
        return (self.config_dir or self.home) / ".claude.json"

    @staticmethod
    def _inside(api: ScriptedAPI, command: list[str]) -> list[str]:
        return command if api.namespace is None else api.namespace.command(command)


def _as_json(arguments: tuple[str, ...]) -> tuple[str, ...]:
    printing = "-p" in arguments or "--print" in arguments
    if not printing or "--output-format" in arguments:
        return arguments
    return (*arguments, "--output-format", "json")

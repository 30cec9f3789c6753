"""An interactive session of the client, in a terminal that tmux keeps."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from claude_tier.errors import UserError

if TYPE_CHECKING:
    from typing_extensions import Self

POLL_SECONDS = 0.05
PROMPT = "\N{HEAVY RIGHT-POINTING ANGLE QUOTATION MARK ORNAMENT}"


def poll(reached: Callable[[], bool], timeout: float) -> bool:
    """Look until `reached` or `timeout` seconds have passed; whether it was reached."""
    deadline = time.monotonic() + timeout
    while not reached():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def accept_dialogs(config_file: Path, *, project: Path, key: str) -> None:
    """Answer the client's first-run questions in `.claude.json`: trust, key, theme."""
    config = json.loads(config_file.read_text("utf-8")) if config_file.exists() else {}
    trusted = config.setdefault("projects", {}).setdefault(str(project), {})
    trusted["hasTrustDialogAccepted"] = True
    config["hasCompletedOnboarding"] = True
    config.setdefault("theme", "dark")
    config["customApiKeyResponses"] = {"approved": [key[-20:]], "rejected": []}
    config_file.parent.mkdir(parents=True, exist_ok=True)
    config_file.write_text(json.dumps(config), "utf-8")


class Terminal:
    """Runs while in use: `with client.terminal(api=api) as terminal`."""

    def __init__(self, command: list[str], *, cwd: Path, env: Mapping[str, str]) -> None:
        if shutil.which("tmux") is None:
            raise UserError("no tmux on PATH", "install tmux to drive an interactive session")
        self._command = ["env", "-i", *(f"{name}={value}" for name, value in env.items()), *command]
        self._cwd = cwd
        # Not under the scratch home: the path of a socket may hold 108 bytes only.
        self._folder = tempfile.mkdtemp(prefix="claude-tier-")
        self._pid = 0

    def __enter__(self) -> Self:
        size = ("-x", "160", "-y", "50", "-c", str(self._cwd))
        self._tmux("-f", os.devnull, "new-session", "-d", *size, *self._command)
        self._pid = int(self._tmux("display-message", "-p", "#{pane_pid}"))
        self.wait_for(PROMPT)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        if not self.ended:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._pid, signal.SIGKILL)
        with contextlib.suppress(UserError):
            self._tmux("kill-server")
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def screen(self) -> str:
        """What stands on the screen; empty once the client ended."""
        try:
            return self._tmux("capture-pane", "-p")
        except UserError:  # the terminal went with the client
            return ""

    @property
    def ended(self) -> bool:
        """Whether the client has gone (the terminal goes with it)."""
        try:
            self._tmux("has-session")
        except UserError:
            return True
        return False

    def send(self, words: str) -> None:
        """Type a line, and enter it once it stands on the screen: a pasted Enter is a newline."""
        self._tmux("send-keys", "-l", words)
        self.wait_for(words[-10:])
        self.key("Enter")

    def key(self, name: str) -> None:
        """Press one key by tmux's name for it, such as Enter, Escape, C-c."""
        self._tmux("send-keys", name)

    def wait_for(self, words: str, timeout: float = 30) -> str:
        """The screen once `words` stand on it; UserError with the screen when they do not."""
        if not poll(lambda: words in self.screen, timeout):
            raise UserError(f"{words!r} did not appear within {timeout:g} s on:\n{self.screen}")
        return self.screen

    def wait_end(self, timeout: float = 30) -> None:
        """Return once the client has ended; UserError with the screen when it does not."""
        if not poll(lambda: self.ended, timeout):
            raise UserError(f"the client did not end within {timeout:g} s:\n{self.screen}")

    def _tmux(self, *arguments: str) -> str:
        command = ["tmux", "-S", f"{self._folder}/tmux", *arguments]
        # tmux takes its own settings from a terminal it is started in.
        env = {name: value for name, value in os.environ.items() if not name.startswith("TMUX")}
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise UserError(f"tmux {arguments[0]} failed: {done.stderr.strip()}")
        return done.stdout

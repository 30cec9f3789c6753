"""A user of groups in a scratch home, whose Claude is the scripted API."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import llama_server
from claude_tier.livecheck import Client, ScriptedAPI
from claude_tier.livecheck.client import API_KEY, CLIENT_VARIABLE, PASSED, QUIET, RunningClient

from .command import IMPORTS

LOGIN = "sk-ant-oat01-dummy-login"
CONSOLE_KEY = "sk-ant-api03-dummy-console-key-0000000000"
CLOUD = {
    "AWS_SECRET_ACCESS_KEY": "dummy-aws",
    "CLAUDE_CODE_OAUTH_TOKEN": "dummy-oauth",
    "GOOGLE_APPLICATION_CREDENTIALS": "/dummy-google",
    "OPENAI_API_KEY": "dummy-openai",
    "OPENROUTER_API_KEY": "dummy-openrouter",
}
LARGE = 300_000  # tokens of llama.cpp's context: Claude Code's own prompt has one a byte here


@dataclass(frozen=True)
class Desk:
    """A user of groups: their shell has a key and the address of Claude, and other keys too."""

    client: Client
    claude: ScriptedAPI

    @property
    def state(self) -> Path:
        return self.client.home / ".claude/claude-tier"

    def configure(self, endpoint: str, *, kind: str = "anthropic-compatible", **more: str) -> None:
        """`chat` on that endpoint; main keeps the address under which Claude is found here."""
        keys = "".join(f", {key}: {value}" for key, value in more.items())
        text = (
            f"providers: {{other: {{kind: {kind}, base_url: '{endpoint}', free: true}}}}\n"
            f"groups:\n"
            f"  main: {{pass: [ANTHROPIC_BASE_URL, ANTHROPIC_API_KEY]}}\n"
            f"  chat: {{provider: other, model: tiny{keys}}}\n"
        )
        self.state.mkdir(parents=True, exist_ok=True)
        (self.state / "config.yaml").write_text(text)

    def environment(self, **more: str) -> dict[str, str]:
        return {
            **{name: os.environ[name] for name in PASSED if name in os.environ},
            **QUIET,
            "HOME": str(self.client.home),
            "TMPDIR": str(self.client.home),
            "TERM": "xterm-256color",
            "PYTHONPATH": IMPORTS,
            "ANTHROPIC_BASE_URL": self.claude.url,
            "ANTHROPIC_API_KEY": API_KEY,
            CLIENT_VARIABLE: str(self.client.binary),
            **CLOUD,
            **more,
        }

    def command(self, *arguments: str, group: str = "chat") -> list[str]:
        line = [sys.executable, "-m", "claude_tier", "run", "--group", group, "--", *arguments]
        inside = self.claude.namespace
        return line if inside is None else inside.command(line)

    def run(
        self, *arguments: str, group: str = "chat", stdin: str = "", **env: str
    ) -> subprocess.CompletedProcess[str]:
        """`claude-tier run` to its end."""
        return subprocess.run(
            self.command(*arguments, group=group),
            env=self.environment(**env),
            cwd=self.client.cwd,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )

    def start(self, *arguments: str, group: str = "chat", **env: str) -> RunningClient:
        return RunningClient(
            self.command(*arguments, group=group),
            cwd=self.client.cwd,
            env=self.environment(**env),
            stdin=None,
        )

    def local(self, llama: llama_server.Start, reply: str) -> llama_server.Llama:
        """A real llama.cpp that says one thing, where the client meets it."""
        return llama(reply, ctx=LARGE, namespace=self.claude.namespace)


def sent(api: ScriptedAPI) -> str:
    """Everything of every request to that API: headers and bodies."""
    requests = [one.request for one in api.requests] + api.probes
    return json.dumps([[one.path, one.headers, one.body] for one in requests])


def log_in(home: Path) -> None:
    """The user's subscription and Console logins, as Claude Code keeps them on Linux."""
    folder = home / ".claude"
    folder.mkdir(parents=True, exist_ok=True)
    login = {
        "accessToken": LOGIN,
        "refreshToken": "sk-ant-ort01-dummy-refresh",
        "expiresAt": int((time.time() + 86400) * 1000),
        "scopes": ["user:inference", "user:profile"],
        "subscriptionType": "max",
    }
    (folder / ".credentials.json").write_text(json.dumps({"claudeAiOauth": login}))
    saved = {"approved": [CONSOLE_KEY[-20:]], "rejected": []}
    global_file = {"primaryApiKey": CONSOLE_KEY, "customApiKeyResponses": saved}
    (home / ".claude.json").write_text(json.dumps(global_file))

"""claude-tier installed for one scratch home, with the configuration and spending a case needs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from claude_tier import cli, config
from claude_tier.livecheck import Client
from claude_tier_hooks import prices

ROOT = Path(__file__).parents[2]
IMPORTS = os.pathsep.join([str(ROOT / "installer"), str(ROOT / "hooks")])
AGENT = """---
name: {name}
description: {name} does one thing
{model}---
You are {name}.
"""
# A budget over this period has no boundary that could fall into the middle of a test.
ROLLING = "{{name: {name}, scope: {scope}, period: seven_day, limit: {{usd: {usd}}}, {more}}}"


@dataclass(frozen=True)
class Installed:
    """What stands in the scratch home."""

    home: Path

    @property
    def config_dir(self) -> Path:
        return self.home / ".claude"

    @property
    def state(self) -> Path:
        return self.config_dir / "claude-tier"

    def configure(self, text: str) -> None:
        """Put that config.yaml in force."""
        self.state.mkdir(parents=True, exist_ok=True)
        (self.state / "config.yaml").write_text(text, "utf-8")
        config.compile_user_policy(self.state)

    def wait_longer(self) -> None:
        """Let hooks wait for what the client writes late for as long as a busy machine takes."""
        gate = self.state / "hooks/claude_tier_hooks/gate.py"
        before = gate.read_text("utf-8")
        after = before.replace("WAIT = 0.15  #", "WAIT = 8  #")
        assert after != before
        gate.write_text(after, "utf-8")

    def agent(self, name: str, model: str | None = None) -> None:
        """A subagent of the user's own."""
        folder = self.config_dir / "agents"
        folder.mkdir(parents=True, exist_ok=True)
        line = f"model: {model}\n" if model else ""
        (folder / f"{name}.md").write_text(AGENT.format(name=name, model=line), "utf-8")

    def spend(self, usd: float, *, agent: str | None = None) -> None:
        """A session two hours ago that cost that much, to the output token, on Opus."""
        rate = prices.entry(prices.shipped()["models"], "claude-opus-5-5", time.time())
        assert rate is not None
        tokens = round(usd * 1_000_000 / rate["output"])
        folder = self.config_dir / "projects/-earlier"
        number = len(list(folder.glob("*.jsonl")))
        session = f"00000000-0000-4000-8000-{number:012}"
        path = folder / f"{session}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        if agent:
            path = folder / session / "subagents" / f"agent-{number:012}.jsonl"
            path.parent.mkdir(parents=True)
            meta = path.with_suffix("").with_suffix(".meta.json")
            meta.write_text(json.dumps({"agentType": agent}))
        path.write_text(json.dumps(_row(session, number, tokens)) + "\n")


def _row(session: str, number: int, tokens: int) -> dict[str, object]:
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() - 7200))
    usage = {"input_tokens": 0, "output_tokens": tokens}
    message = {
        "id": f"msg_earlier{number:06}",
        "model": "claude-opus-5-5",
        "role": "assistant",
        "content": [],
        "stop_reason": "end_turn",
        "usage": usage,
    }
    return {
        "type": "assistant",
        "sessionId": session,
        "cwd": "/earlier",
        "timestamp": stamp,
        "message": message,
    }


def budget(usd: float, *, name: str = "weekly", scope: str = "user", **more: object) -> str:
    """A budget in the words of config.yaml."""
    rest = ", ".join(f"{key}: {value}" for key, value in more.items())
    return "budgets: [" + ROLLING.format(name=name, scope=scope, usd=usd, more=rest) + "]\n"


def command(
    client: Client, *arguments: str, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """`claude-tier …` in a terminal of that client's user."""
    return subprocess.run(
        [sys.executable, "-m", "claude_tier", *arguments],
        env={
            "HOME": str(client.home),
            "PATH": os.environ["PATH"],
            "PYTHONPATH": IMPORTS,
            **(env or {}),
        },
        cwd=client.cwd,
        capture_output=True,
        text=True,
        check=False,
    )


def installed(client: Client, *arguments: str) -> Installed:
    """claude-tier, installed for that client's user by the command itself, in this process."""
    with pytest.MonkeyPatch.context() as user:
        user.setenv("HOME", str(client.home))
        user.chdir(client.cwd)
        assert cli.main(["install", *arguments]) == 0
    return Installed(client.home)

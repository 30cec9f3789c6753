"""A hook as the client runs it: a process of its own, with an event on stdin."""

from __future__ import annotations

import json
import os
import pwd
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

HOOKS = Path(__file__).parents[2] / "hooks"
EVENTS = (
    "SessionStart",
    "UserPromptSubmit",
    "PreToolUse",
    "PostToolUse",
    "PreModelSwitch",
    "PostModelSwitch",
    "SubagentStop",
    "Stop",
    "StopFailure",
    "SessionEnd",
    "StatusLine",
    "SubagentLine",
)
LINES = EVENTS[-2:]  # shown in a session: what they are given is no event
PATIENCE = 60  # seconds until a hook counts as hanging
VERSIONS = ("3.9", "3.10", "3.11", "3.12", "3.13")


def interpreters() -> dict[str, str]:
    """version -> program, of every supported Python on this machine."""
    found = {}
    homes = Path(pwd.getpwuid(os.getuid()).pw_dir) / ".pyenv/versions"
    for version in VERSIONS:
        here = sorted(homes.glob(f"{version}.*/bin/python{version}"))
        program = str(here[-1]) if here else shutil.which(f"python{version}")
        if program:
            found[version] = program
    return found


FOUND = interpreters()


@dataclass(frozen=True)
class Answered:
    """What a hook left."""

    returncode: int
    stdout: bytes
    stderr: bytes

    @property
    def answer(self) -> dict[str, object]:
        """The JSON on stdout; {} when it said nothing. A status line is text, not JSON."""
        if not self.stdout.startswith(b"{"):
            return {}
        parsed = json.loads(self.stdout)
        assert isinstance(parsed, dict)
        return parsed

    @property
    def message(self) -> str:
        return str(self.answer.get("systemMessage", ""))

    @property
    def output(self) -> dict[str, object]:
        found = self.answer.get("hookSpecificOutput", {})
        assert isinstance(found, dict)
        return found


def script(event: str) -> str:
    words = "".join("_" + c.lower() if c.isupper() else c for c in event)
    return str(HOOKS / (words.lstrip("_") + ".py"))


def run(
    event: str,
    stdin: object = b"",
    *,
    python: str = sys.executable,
    env: dict[str, str] | None = None,
    file_limit: int | None = None,
) -> Answered:
    """Run that event's hook; `stdin` that is not bytes is sent as JSON.

    `file_limit` is how many bytes it may write to a file: 0 is a full disk.
    """
    data = stdin if isinstance(stdin, bytes) else json.dumps(stdin).encode()
    environment = {"HOME": os.environ["HOME"], "PATH": os.environ["PATH"], "TZ": "UTC"}
    limit = (file_limit, resource.RLIM_INFINITY) if file_limit is not None else None
    done = subprocess.run(
        # A short write on a full disk would leave the checkout a broken cache file.
        [python, "-S", "-E", *(["-B"] if limit else []), script(event)],
        input=data,
        env={**environment, **(env or {})},
        capture_output=True,
        check=False,
        timeout=PATIENCE,
        preexec_fn=(lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit)) if limit else None,
    )
    return Answered(done.returncode, done.stdout, done.stderr)


def harmless(done: Answered) -> None:
    """What holds for every hook whatever happens."""
    assert done.returncode == 0
    assert done.stderr == b""
    assert done.output.get("permissionDecision") != "allow"
    assert done.answer.get("decision") != "block"
    assert done.answer.get("continue") is not False


class Run(Protocol):
    """Run that event's hook; `stdin` that is not bytes is sent as JSON."""

    def __call__(self, event: str, stdin: object = b"") -> Answered: ...


@contextmanager
def forking() -> Iterator[Run]:
    """Runs of hooks in children of one interpreter, for tests with many of them."""
    ours, theirs = socket.socketpair()
    program = [sys.executable, "-S", "-E", str(Path(__file__).with_name("forking.py")), str(HOOKS)]
    with ours, theirs:
        ours.settimeout(PATIENCE)
        number = theirs.fileno()
        with subprocess.Popen([*program, str(number)], pass_fds=[number]) as server:
            theirs.close()
            yield lambda event, stdin=b"": _forked(ours, event, stdin)
            server.kill()


def _forked(server: socket.socket, event: str, stdin: object) -> Answered:
    data = stdin if isinstance(stdin, bytes) else json.dumps(stdin).encode()
    environment = {"HOME": os.environ["HOME"], "PATH": os.environ["PATH"], "TZ": "UTC"}
    request = json.dumps({"script": script(event), "env": environment}).encode()
    with ExitStack() as stack:
        files = [stack.enter_context(tempfile.TemporaryFile()) for _ in range(3)]
        files[0].write(data)
        for file in files:
            file.seek(0)
        socket.send_fds(server, [request], [file.fileno() for file in files])
        code = int(server.recv(16))
        for file in files:
            file.seek(0)
        return Answered(code, files[1].read(), files[2].read())


def sample(event: str, home: Path, **more: object) -> dict[str, object]:
    """An ordinary event of that kind, in a session whose transcript is there."""
    session = "11111111-1111-4111-8111-111111111111"
    base = {
        "session_id": session,
        "transcript_path": str(home / f".claude/projects/-work/{session}.jsonl"),
        "cwd": str(home),
        "hook_event_name": event,
    }
    call = {
        "tool_name": "Agent",
        "tool_use_id": "toolu_1",
        "tool_input": {"description": "d", "prompt": "p", "subagent_type": "Explore"},
    }
    switch = {"from_model": "claude-opus-5-5", "to_model": "claude-fable-5-2"}
    own: dict[str, dict[str, object]] = {
        "SessionStart": {"source": "startup", "model": "claude-opus-5-5"},
        "UserPromptSubmit": {"prompt": "hello"},
        "PreToolUse": dict(call),
        "PostToolUse": {
            **call,
            "tool_response": {"agentId": "a1", "resolvedModel": "claude-haiku-5-5"},
        },
        "PreModelSwitch": dict(switch),
        "PostModelSwitch": dict(switch),
        "SubagentStop": {"agent_id": "a1", "agent_type": "Explore", "agent_transcript_path": "x"},
        "StopFailure": {"error": "billing_error"},
        "SessionEnd": {"reason": "other"},
        "StatusLine": {"model": {"id": "claude-opus-5-5", "display_name": "Opus"}},
        "SubagentLine": {"columns": 154, "tasks": [task()]},
    }
    return {**base, **own.get(event, {}), **more}


def task(**more: object) -> dict[str, object]:
    """A running subagent as Claude Code 2.1.329 tells the line of subagents about it."""
    return {
        "id": "a0e19be4d2aa9c9d4",
        "type": "local_agent",
        "agentType": "Explore",
        "status": "running",
        "description": "scan things",
        "label": "scan things",
        "startTime": 1795269374316,
        "model": "claude-haiku-5-5",
        "contextWindowSize": 1000000,
        "tokenCount": 1525,
        "tokenSamples": [0, 1525],
        "cwd": "/repo/app",
        **more,
    }


def transcript(home: Path, *, model: str = "claude-opus-5-5") -> Path:
    """The transcript that `sample` names, with one response."""
    path = Path(str(sample("Stop", home)["transcript_path"]))
    path.parent.mkdir(parents=True, exist_ok=True)
    usage = {"input_tokens": 100, "output_tokens": 50}
    message = {"id": "msg_1", "model": model, "stop_reason": "end_turn", "usage": usage}
    row = {
        "type": "assistant",
        "sessionId": path.stem,
        "cwd": str(home),
        "timestamp": "2026-11-20T12:00:00.000Z",
        "message": message,
    }
    path.write_text(json.dumps(row) + "\n")
    return path

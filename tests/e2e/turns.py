"""One session of the real client in print mode that is told one prompt after the other."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path

from claude_tier.livecheck import Failure, Request
from claude_tier.livecheck.scripted_api import Responder

STREAMED = ("--input-format", "stream-json", "--output-format", "stream-json", "--verbose")
LONGEST = 120  # seconds until a session counts as hanging


def in_turn(
    command: list[str], *, cwd: Path, env: Mapping[str, str], prompts: Iterable[str]
) -> list[dict[str, object]]:
    """The result of each prompt, which is told once the one before has its own.

    The command is a client's with `-p` and STREAMED; StopIteration where it gives no result.
    """
    with subprocess.Popen(
        command, cwd=cwd, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        hanging = threading.Timer(LONGEST, process.kill)
        hanging.start()
        try:
            events = (json.loads(line) for line in process.stdout if line.startswith("{"))
            results = (event for event in events if event["type"] == "result")
            found = []
            for prompt in prompts:
                process.stdin.write(_said(prompt))
                process.stdin.flush()
                found.append(next(results))
            return found
        finally:
            hanging.cancel()
            process.stdin.close()


def failing(failures: Mapping[str, Failure]) -> Responder:
    """A responder that fails as the prompt says.

    Where a prompt is too long the client asks for a summary of all before, which fails likewise.
    """
    (now, *_) = failures.values()

    def respond(request: Request) -> Failure:
        nonlocal now
        now = failures.get(request.prompt.split()[-1], now)
        return now

    return respond


def _said(prompt: str) -> str:
    message = {"role": "user", "content": [{"type": "text", "text": prompt}]}
    return json.dumps({"type": "user", "message": message}) + "\n"

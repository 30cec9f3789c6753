"""The command line as a user of one scratch home runs it, in this process."""

from __future__ import annotations

import io
import os
import subprocess
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from claude_tier import cli

ROOT = Path(__file__).parents[2]
IMPORTS = os.pathsep.join([str(ROOT / "installer"), str(ROOT / "hooks")])


def claude_tier(
    home: Path, *arguments: str, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `claude-tier` to its end."""
    out, errors = (io.TextIOWrapper(io.BytesIO(), "utf-8", newline="") for _ in range(2))
    with (
        out,
        errors,
        pytest.MonkeyPatch.context() as user,
        redirect_stdout(out),
        redirect_stderr(errors),
    ):
        for name, value in {"HOME": str(home), **(env or {})}.items():
            user.setenv(name, value)
        code = cli.main(arguments)
        return subprocess.CompletedProcess(arguments, code, _written(out), _written(errors))


def _written(stream: io.TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()


def install(home: Path, *arguments: str) -> None:
    """`claude-tier install`, which has to succeed."""
    done = claude_tier(home, "install", *arguments)
    assert done.returncode == 0, done.stderr

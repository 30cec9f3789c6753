"""The command line as a user of one scratch home runs it: a process, told of nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
IMPORTS = os.pathsep.join([str(ROOT / "installer"), str(ROOT / "hooks")])


def claude_tier(
    home: Path, *arguments: str, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `claude-tier` to its end."""
    passed = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-m", "claude_tier", *arguments],
        env={**passed, "HOME": str(home), "PYTHONPATH": IMPORTS, "TZ": "UTC", **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def install(home: Path, *arguments: str) -> None:
    """`claude-tier install`, which has to succeed."""
    done = claude_tier(home, "install", *arguments)
    assert done.returncode == 0, done.stderr

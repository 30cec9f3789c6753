"""What one status line costs beside a bare interpreter with the same libraries.

    python tests/benchmarks/bench_status_line.py [--rows 1000000] [--runs 40] [--python PATH]

All sides run interleaved on the same interpreter; the figures are ratios of the medians. The ledger
holds that many usage rows over 90 days, with a day, a week and a month budget in force; the line of
subagents is asked about five of them.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import bench_pre_tool_use as hook

SESSION = "session-0"
STATUS, SUBAGENTS, BARE = "status_line.py", "subagent_line.py", "bare"


def status(home: Path) -> bytes:
    """What the client says to a status line, on a subscription."""
    windows = {
        name: {"used_percentage": 41.0, "resets_at": int(time.time()) + 9000}
        for name in ("five_hour", "seven_day")
    }
    said = {
        "session_id": SESSION,
        "cwd": str(home),
        "model": {"id": hook.MODELS[0]},
        "rate_limits": windows,
    }
    return json.dumps(said).encode()


def rows(home: Path) -> bytes:
    """Five running subagents."""
    tasks = [
        {
            "id": f"a{n}",
            "agentType": "Explore",
            "status": "running",
            "label": "look around",
            "model": hook.MODELS[2],
            "tokenCount": 20_000,
            "startTime": int(time.time() - 60) * 1000,
        }
        for n in range(5)
    ]
    said = {"session_id": SESSION, "cwd": str(home), "columns": 154, "tasks": tasks}
    return json.dumps(said).encode()


def measure(python: str, rows_: int, runs: int) -> dict[str, float]:
    """script -> seconds, and those of the bare interpreter: medians."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        state = home / ".claude" / "claude-tier"
        state.mkdir(parents=True)
        shutil.copytree(hook.HOOKS, state / "hooks", ignore=shutil.ignore_patterns("__pycache__"))
        hook.fill(state, rows_)
        hook.policy(state)
        start = [python, "-S", "-E"]
        sides = {
            BARE: ([*start, "-c", hook.BARE], b""),
            STATUS: ([*start, str(state / "hooks" / STATUS)], status(home)),
            SUBAGENTS: ([*start, str(state / "hooks" / SUBAGENTS)], rows(home)),
        }
        environment = {"PATH": os.environ["PATH"], "HOME": folder, "COLUMNS": "160"}
        taken: dict[str, list[float]] = {name: [] for name in sides}
        for run in range(runs + 1):
            for name, (command, stdin) in sides.items():
                seconds = timed(command, stdin, environment)
                taken[name] += [seconds] if run else []  # the first writes the caches
        return {name: statistics.median(all_) for name, all_ in taken.items()}


def timed(command: list[str], stdin: bytes, environment: dict[str, str]) -> float:
    start = time.perf_counter()
    done = subprocess.run(command, input=stdin, env=environment, capture_output=True, check=True)
    if stdin and b"haiku" not in done.stdout and b"tier opus" not in done.stdout:
        raise SystemExit(f"no line was made: {done.stdout!r} {done.stderr!r}")
    return time.perf_counter() - start


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=1_000_000)
    options.add_argument("--runs", type=int, default=40)
    options.add_argument("--python", default=getattr(sys, "_base_executable", sys.executable))
    given = options.parse_args()
    taken = measure(given.python, given.rows, given.runs)
    ratios = {name: seconds / taken[BARE] for name, seconds in taken.items() if name != BARE}
    for name, ratio in ratios.items():
        hook.say(
            f"{name} over {given.rows:,} usage rows: {taken[name] * 1e3:.1f} ms, bare"
            f" {taken[BARE] * 1e3:.1f} ms: {ratio:.2f} x bare (limit {hook.LIMIT})"
        )
    return 0 if max(ratios.values()) <= hook.LIMIT else 1


if __name__ == "__main__":
    raise SystemExit(main())

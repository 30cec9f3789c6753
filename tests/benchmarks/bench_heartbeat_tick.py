"""What one idle tick of the heartbeat costs beside an interpreter that imports sqlite3 and json.

    python tests/benchmarks/bench_heartbeat_tick.py [--files 20] [--runs 60] [--python PATH]

Both sides run interleaved on the same interpreter; the figure is the ratio of the medians. So many
files with beats are watched.
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

TICK, BARE = "heartbeat_tick.py", "bare"
LIMIT = 2.0


def plan(state: Path, number: int) -> None:
    """Nothing is due for a day, and every file is as it was."""
    files = {}
    for one in range(number):
        file = state / f"HEARTBEAT-{one}.md"
        file.write_text("- look\n")
        found = file.stat()
        files[str(file)] = [found.st_size, found.st_mtime_ns]
    now = time.time()
    due = {"version": 1, "at": now - 1, "next": now + 86_400, "files": files}
    (state / "heartbeat").mkdir()
    (state / "heartbeat/due.json").write_text(json.dumps(due))


def measure(python: str, number: int, runs: int) -> dict[str, float]:
    """side -> seconds: medians."""
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder, ".claude/claude-tier")
        state.mkdir(parents=True)
        shutil.copytree(hook.HOOKS, state / "hooks", ignore=shutil.ignore_patterns("__pycache__"))
        plan(state, number)
        sides = {
            BARE: [python, "-c", "import sqlite3, json"],
            TICK: [python, "-S", "-E", str(state / "hooks" / TICK)],
        }
        environment = {"PATH": os.environ["PATH"], "HOME": folder}
        taken: dict[str, list[float]] = {name: [] for name in sides}
        for run in range(runs + 1):
            for name, command in sides.items():
                start = time.perf_counter()
                subprocess.run(command, env=environment, check=True)
                taken[name] += [time.perf_counter() - start] if run else []
        if not (state / "heartbeat/alive").exists() or (state / "ledger.db").exists():
            raise SystemExit("that was no idle tick")
        return {name: statistics.median(all_) for name, all_ in taken.items()}


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--files", type=int, default=20)
    options.add_argument("--runs", type=int, default=60)
    options.add_argument("--python", default=getattr(sys, "_base_executable", sys.executable))
    given = options.parse_args()
    taken = measure(given.python, given.files, given.runs)
    ratio = taken[TICK] / taken[BARE]
    hook.say(
        f"{TICK} with {given.files} files: {taken[TICK] * 1e3:.1f} ms, sqlite3 and json"
        f" {taken[BARE] * 1e3:.1f} ms: {ratio:.2f} x (limit {LIMIT})"
    )
    return 0 if ratio <= LIMIT else 1


if __name__ == "__main__":
    raise SystemExit(main())

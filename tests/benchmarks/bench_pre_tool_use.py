"""What one PreToolUse decision costs beside a bare interpreter with the same libraries.

    python tests/benchmarks/bench_pre_tool_use.py [--rows 1000000] [--runs 40] [--python PATH]

Both sides run interleaved on the same interpreter; the figure is the ratio of the medians. The
ledger holds that many usage rows over 90 days, three budgets are in force, and 200 KB of new
transcript wait to be read before every run.
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

ROOT = Path(__file__).resolve().parents[2]
HOOKS = ROOT / "hooks"
sys.path.insert(0, str(HOOKS))

from filled import MODELS, fill  # noqa: E402 - beside this file

BARE = "import json, sqlite3, sys"
LIMIT = 1.5
NEW_TRANSCRIPT = 200_000


def policy(state: Path) -> None:
    """A compiled policy with a day, a week and a month budget and the whole price table."""
    from claude_tier_hooks import prices

    common: dict[str, object] = {
        "scope": {"kind": "user"},
        "unit": "usd",
        "limit": 1e6,
        "warn": 0.8,
        "recover": 0.85,
        "cap": 0.9,
        "stop": 1.0,
        "ceiling": "sonnet",
        "on_stop": "deny",
    }
    made = {
        "version": 1,
        "budgets": [{"name": p, "period": p, **common} for p in ("day", "week", "month")],
        "assign": {"Explore": {"tier": "haiku", "effort": None}},
        "fan_out": {"max_new_agents": 1000, "seconds": 600, "action": "warn"},
        "prices": prices.shipped()["models"],
    }
    (state / "policy.json").write_text(json.dumps(made))


def transcript(size: int, call: str = "") -> bytes:
    """New lines as the client writes them: about a fifth of the bytes are assistant rows."""
    usage = {
        "input_tokens": 3,
        "output_tokens": 200,
        "cache_read_input_tokens": 50_000,
        "cache_creation_input_tokens": 900,
    }
    text = [{"type": "text", "text": "word " * 200}, {"type": "tool_use", "id": call}]
    lines: list[str] = []
    while sum(map(len, lines)) < size:
        message = {"id": f"msg_new{os.urandom(8).hex()}", "role": "assistant", "model": MODELS[0]}
        message |= {"content": text, "stop_reason": "tool_use", "usage": usage}
        row = {"type": "assistant", "sessionId": "bench", "timestamp": "2026-11-20T10:00:00.000Z"}
        lines.append(json.dumps(row | {"requestRef": str(len(lines)), "message": message}) + "\n")
        other = {"type": "user", "message": {"content": "tool output " * 500}}
        lines.append(json.dumps(other) + "\n")
    return "".join(lines).encode()


def measure(python: str, rows: int, runs: int) -> float:
    """The ratio of the medians, decision : bare."""
    with tempfile.TemporaryDirectory() as home:
        state = Path(home) / ".claude" / "claude-tier"
        state.mkdir(parents=True)
        shutil.copytree(HOOKS, state / "hooks", ignore=shutil.ignore_patterns("__pycache__"))
        fill(state, rows)
        policy(state)
        main = Path(home) / ".claude" / "projects" / "-tmp" / "bench.jsonl"
        main.parent.mkdir(parents=True)
        main.write_bytes(transcript(2_000, "toolu_0"))
        hook = [python, "-S", "-E", str(state / "hooks" / "pre_tool_use.py")]
        bare = [python, "-S", "-E", "-c", BARE]
        environment = {"PATH": os.environ["PATH"], "HOME": home}
        timed(hook, event(main, 0), environment)
        ours, theirs = [], []
        for n in range(1, runs + 1):
            with main.open("ab") as stream:
                stream.write(transcript(NEW_TRANSCRIPT, f"toolu_{n}"))
            theirs.append(timed(bare, b"", environment))
            ours.append(timed(hook, event(main, n), environment))
        mine, base = statistics.median(ours), statistics.median(theirs)
        say(f"{Path(python).name}: decision {mine * 1e3:.1f} ms, bare {base * 1e3:.1f} ms")
        return mine / base


def event(main: Path, n: int) -> bytes:
    call = {
        "session_id": "bench",
        "transcript_path": str(main),
        "cwd": str(main.parent),
        "hook_event_name": "PreToolUse",
        "tool_name": "Agent",
        "tool_use_id": f"toolu_{n}",
        "tool_input": {"description": "look", "prompt": "p", "subagent_type": "Explore"},
    }
    return json.dumps(call).encode()


def timed(command: list[str], stdin: bytes, environment: dict[str, str]) -> float:
    start = time.perf_counter()
    done = subprocess.run(command, input=stdin, env=environment, capture_output=True, check=True)
    if stdin and b"updatedInput" not in done.stdout:
        raise SystemExit(f"no decision was made: {done.stdout!r} {done.stderr!r}")
    return time.perf_counter() - start


def say(line: str) -> None:
    sys.stdout.write(line + "\n")


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=1_000_000)
    options.add_argument("--runs", type=int, default=40)
    options.add_argument("--python", default=getattr(sys, "_base_executable", sys.executable))
    given = options.parse_args()
    ratio = measure(given.python, given.rows, given.runs)
    say(f"PreToolUse over {given.rows:,} usage rows: {ratio:.2f} x bare (limit {LIMIT})")
    return 0 if ratio <= LIMIT else 1


if __name__ == "__main__":
    raise SystemExit(main())

"""Many hooks at once on one ledger, some of them killed: nothing acknowledged is lost."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from claude_tier_hooks import decisions, ingest, ledger, prices
from corpus import build, write
from examples import examples

HOOKS = Path(decisions.__file__).parents[1]
PROCESSES = 32
ROUNDS = examples(2)


def spawn_event(session: str, number: int, main: Path) -> bytes:
    return json.dumps(
        {
            "session_id": session,
            "transcript_path": str(main),
            "cwd": str(main.parent),
            "hook_event_name": "PreToolUse",
            "tool_name": "Agent",
            "tool_use_id": f"toolu_{number}",
            "tool_input": {"description": "d", "prompt": "p", "subagent_type": "Explore"},
        }
    ).encode()


def start(event: bytes) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-S", "-E", HOOKS / "pre_tool_use.py"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"HOME": os.environ["HOME"], "PATH": os.environ["PATH"]},
    )
    assert process.stdin is not None
    process.stdin.write(event)
    process.stdin.close()
    return process


def finish(process: subprocess.Popen[bytes]) -> bytes:
    assert process.stdout is not None
    with process.stdout as stream:
        said = stream.read()
    process.wait()
    return said


@pytest.fixture
def transcripts(home: Path) -> list[Path]:
    write(build(4, size=400_000, scenes=["fork", "compaction"]), home / ".claude")
    return sorted((home / ".claude" / "projects").glob("*/*.jsonl"))


def test_nothing_acknowledged_is_lost_when_hooks_are_killed(transcripts: list[Path]) -> None:
    """A decision whose answer was printed is in the ledger or waits in the spool."""
    draw = random.Random(7)
    acknowledged = set()
    for turn in range(ROUNDS):
        numbers = range(turn * PROCESSES, (turn + 1) * PROCESSES)
        mains = [draw.choice(transcripts) for _ in numbers]
        running = [start(spawn_event(m.stem, n, m)) for n, m in zip(numbers, mains, strict=True)]
        victims = draw.sample(running, PROCESSES // 4)
        for number, process in zip(numbers, running, strict=True):
            if b"updatedInput" in finish(process):
                acknowledged.add(f"toolu_{number}")
            # One dies whenever another has ended: at any point of its work, without a clock.
            if victims and draw.random() < 0.5:
                victims.pop().send_signal(signal.SIGKILL)
    assert acknowledged

    db = ledger.connect(patience=10)
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    with ledger.Writing(db):
        decisions.drain(db)
    kept = {row[0] for row in db.execute("SELECT tool_use_id FROM decision")}
    assert acknowledged <= kept
    ingest.everything(db, prices.shipped())
    assert totals(db) == totals(fresh(db))


def fresh(db: sqlite3.Connection) -> sqlite3.Connection:
    """A ledger of the same transcripts that nobody disturbed."""
    db.close()
    Path(ledger.file()).rename(ledger.file() + ".tried")
    for tail in ("-wal", "-shm"):
        Path(ledger.file() + tail).unlink(missing_ok=True)
    clean = ledger.connect(patience=10)
    ingest.everything(clean, prices.shipped())
    return clean


def totals(db: sqlite3.Connection) -> list[tuple[object, ...]]:
    columns = ", ".join(f"sum({column})" for column in ledger.SUMS if column != "usd")
    return db.execute(
        f"SELECT (SELECT text FROM name WHERE id = model) AS m, {columns}, round(sum(usd), 9)"
        " FROM bucket GROUP BY m ORDER BY m"
    ).fetchall()

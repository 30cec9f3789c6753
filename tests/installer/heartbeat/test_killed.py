"""kill -9 at every step of a tick and of a beat, for real: one receipt, and nothing runs twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from beats import HOUR
from fault_server import FaultServer, Reply
from heartbeats import LOCAL, NINE, made

FILE = """---
every: 1h
model: local/alpha
check: "echo x >> checks && echo found"
unchanged: run
---
Look at it.
"""
TASK = """  - name: {0}
    prompt: I am {0}.
    model: local/alpha
    check: echo found
    unchanged: run
"""
KILLED = ("spawn", "check", "call", "finish")
TASKS = f"---\nevery: 1h\ntasks:\n{''.join(map(TASK.format, KILLED))}---\n"


@pytest.mark.parametrize(
    ("step", "first", "asked"), [("claim", "interrupted", 0), ("watch", "ran", 1)]
)
def test_a_tick_killed_at_any_step_leaves_one_receipt(
    home: Path, step: str, first: str, asked: int
) -> None:
    """And the next planned time runs."""
    with FaultServer(Reply("HEARTBEAT_OK")) as server:
        here = made(home, LOCAL.format(url=server.url))
        here.add(FILE)
        here.plan(NINE - 1)

        assert here.tick(NINE + 5, step) == -9
        here.settle()
        here.tick_here(NINE + HOUR + 5)

        rows = here.rows()
        assert [(row["slot"], row["slots"]) for row in rows] == [(NINE, 1), (NINE + HOUR, 1)]
        assert [row["status"] for row in rows] == [first, "ran"]
        assert len(server.requests) == asked + 1


def test_a_beat_killed_at_any_step_leaves_one_receipt(home: Path) -> None:
    """And its next planned time runs; what was asked before is not asked again."""
    with FaultServer(Reply("HEARTBEAT_OK")) as server:
        here = made(home, LOCAL.format(url=server.url))
        here.add(TASKS)
        here.plan(NINE - 1)

        here.tick_here(NINE + 5, "named")
        here.settle()
        (asked,) = server.requests
        here.tick_here(NINE + HOUR + 5)

    rows = [(row["slot"], row["slots"], row["status"]) for row in here.rows()]
    assert rows == [*[(NINE, 1, "interrupted")] * 4, *[(NINE + HOUR, 1, "ran")] * 4]
    assert "I am finish." in str(asked.body)
    assert len(server.requests) == 1 + len(KILLED)


def test_a_tick_without_a_kill_runs_the_beat_and_ends(home: Path) -> None:
    """What was asked and who answered is in the receipt, and the request in the ledger."""
    with FaultServer(Reply("**HEARTBEAT_OK**")) as server:
        here = made(home, LOCAL.format(url=server.url))
        here.add(FILE)
        here.plan(NINE - 1)
        here.tick_here(NINE + 5)
        here.tick_here(NINE + 65)

        (row,) = here.rows()
        (request,) = server.requests
    assert (row["status"], row["ok"], row["reason"]) == ("ran", 1, None)
    assert (row["asked"], row["served"]) == ("local/alpha", "alpha")
    assert row["exchange"]
    assert "found" in str(request.body)
    assert (here.project / "checks").read_text() == "x\n"

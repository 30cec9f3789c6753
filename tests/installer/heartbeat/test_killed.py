"""kill -9 at every step of a tick and of a beat, for real: one receipt, and nothing runs twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from beats import HOUR
from fault_server import FaultServer, Reply
from heartbeats import LOCAL, made

FILE = """---
every: 1h
model: local/alpha
check: "echo x >> checks && echo found"
unchanged: run
---
Look at it.
"""
NINE = 1_795_251_600.0  # Saturday 2026-11-21 09:00 UTC


@pytest.mark.parametrize(
    ("step", "first", "asked"),
    [
        ("claim", "interrupted", 0),
        ("watch", "ran", 1),
        ("spawn", "interrupted", 0),
        ("check", "interrupted", 0),
        ("call", "interrupted", 0),
        ("finish", "interrupted", 1),
    ],
)
def test_a_kill_at_any_step_leaves_one_receipt(
    home: Path, step: str, first: str, asked: int
) -> None:
    """And the next planned time runs."""
    with FaultServer(Reply("HEARTBEAT_OK")) as server:
        here = made(home, LOCAL.format(url=server.url))
        here.add(FILE)
        here.plan(NINE - 1)

        code = here.tick(NINE + 5, step)
        here.settle()
        here.tick(NINE + HOUR + 5)

        assert (code == -9) == (step in ("claim", "watch"))
        rows = here.rows()
        assert [(row["slot"], row["slots"]) for row in rows] == [(NINE, 1), (NINE + HOUR, 1)]
        assert rows[1]["status"] == "ran"
        assert rows[0]["status"] == first
        assert len(server.requests) == asked + 1


def test_a_tick_without_a_kill_runs_the_beat_and_ends(home: Path) -> None:
    """What was asked and who answered is in the receipt, and the request in the ledger."""
    with FaultServer(Reply("**HEARTBEAT_OK**")) as server:
        here = made(home, LOCAL.format(url=server.url))
        here.add(FILE)
        here.plan(NINE - 1)
        here.tick(NINE + 5)
        here.tick(NINE + 65)

        (row,) = here.rows()
        (request,) = server.requests
    assert (row["status"], row["ok"], row["reason"]) == ("ran", 1, None)
    assert (row["asked"], row["served"]) == ("local/alpha", "alpha")
    assert row["exchange"]
    assert "found" in str(request.body)
    assert (here.project / "checks").read_text() == "x\n"

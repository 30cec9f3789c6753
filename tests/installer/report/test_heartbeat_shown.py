"""`status` and `--watch` speak of the heartbeat where a HEARTBEAT.md may run, and nowhere else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from books import NOON, policy
from claude_tier.report import ledger_file, status, status_screen
from claude_tier.report.monitor import screen, snapshot
from claude_tier.report.monitor.screen import Size
from claude_tier_hooks import policy as rules
from claude_tier_hooks import tick
from heartbeats import made


def ticked(ago: float) -> None:
    tick.mark_alive()
    os.utime(tick.alive_file(), (NOON - ago, NOON - ago))


@pytest.fixture
def added(home: Path) -> None:
    made(home).add("---\nname: disk\n---\n- Look.\n")


def shown() -> str:
    loaded = rules.load()
    with ledger_file.up_to_date(loaded) as db:
        found = status.query(db, loaded, "/repo/app", NOON)
    return status_screen.as_text(found, now=NOON, width=100)


def watched() -> str:
    loaded = rules.load()
    with ledger_file.up_to_date(loaded) as db:
        found = snapshot.query(db, loaded, "/repo/app", NOON)
    return screen.render(found, now=NOON, size=Size(100, 40)).plain


def test_nothing_is_said_where_nothing_may_run(home: Path) -> None:
    """Though there once were ticks."""
    policy(home)
    ticked(3600)
    assert "eartbeat" not in shown() + watched()


def test_a_heartbeat_that_is_well_is_a_line_in_status(home: Path, added: None) -> None:
    """And nothing in the monitor, which says what is wrong."""
    ticked(60)
    assert "Heartbeat: well; last tick 1 min ago." in shown()
    assert "eartbeat" not in watched()


def test_a_dead_scheduler_is_said_with_the_command_that_says_more(home: Path, added: None) -> None:
    """On both."""
    ticked(3600)
    assert "Heartbeat: its scheduler is dead; last tick 60 min ago." in shown()
    assert "claude-tier heartbeat status" in shown()
    assert "! Heartbeat: its scheduler is dead: `claude-tier heartbeat status`." in watched()


def test_a_heartbeat_without_a_scheduler_is_said(home: Path, added: None) -> None:
    """Whoever added a file wants it to run."""
    assert "Heartbeat: no scheduler is installed; no tick yet." in shown()

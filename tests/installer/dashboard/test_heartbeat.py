"""The health of the heartbeat on the page."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from books import HOUR, NOON, policy
from claude_tier.heartbeat import receipts
from claude_tier_hooks import ledger, tick
from heartbeats import made
from serving import Dashboard

READ = "#health-list li"


def text(page: Any) -> str:
    return " ".join(page.locator("#health-list").inner_text().split())


@pytest.mark.parametrize(
    ("ago", "said"),
    [
        (60, "ok Heartbeat: well, last tick 1 min ago."),
        (3600, "fault Heartbeat: its scheduler is dead; last tick 60 min ago."),
    ],
)
def test_the_page_says_whether_the_heartbeat_lives(
    home: Path, dashboard: Callable[[], Dashboard], page: Callable[..., Any], ago: float, said: str
) -> None:
    """With what to do where it does not."""
    made(home).add("---\nname: disk\n---\n- Look.\n")
    tick.mark_alive()
    at = NOON + HOUR - ago  # as the dashboard's clock has it
    os.utime(tick.alive_file(), (at, at))
    shown = page(dashboard().link)
    shown.wait_for_selector(READ)
    assert said in text(shown)
    assert ("claude-tier heartbeat status" in text(shown)) is (ago > 180)


def test_prometheus_can_tell_quiet_from_dead(
    home: Path, dashboard: Callable[[], Dashboard]
) -> None:
    """The last tick is a time, and planned times count by what they came to."""
    here = made(home)
    (beat,) = here.add("---\nname: disk\n---\n- Look.\n")
    tick.mark_alive()
    os.utime(tick.alive_file(), (NOON, NOON))
    with closing(ledger.connect(patience=10)) as db, ledger.Writing(db):
        receipts.skip(db, beat.id, receipts.Span(NOON - 60, NOON, 2), "missed", at=NOON)
    served = dashboard()
    lines = served.ask("/metrics", authorization=f"Bearer {served.token}").body.decode().split("\n")
    assert f"claude_tier_heartbeat_last_tick_timestamp_seconds {NOON!r}" in lines
    assert 'claude_tier_heartbeat_beats_in_trouble{state="failing"} 0' in lines
    assert 'claude_tier_heartbeat_receipts_total{status="skipped"} 2' in lines


def test_the_page_says_nothing_where_nothing_may_run(
    home: Path, dashboard: Callable[[], Dashboard], page: Callable[..., Any]
) -> None:
    """Most users have no heartbeat."""
    policy(home)
    shown = page(dashboard().link)
    shown.wait_for_selector(READ)
    assert "eartbeat" not in text(shown)

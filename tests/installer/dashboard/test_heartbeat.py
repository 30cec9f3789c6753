"""The health of the heartbeat in the metrics."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from books import NOON
from claude_tier.heartbeat import receipts
from claude_tier_hooks import ledger, tick
from heartbeats import made
from serving import Dashboard


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

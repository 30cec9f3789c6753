"""Odd paths, links and files in the way: other beats run, and each planned time has one receipt."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import pytest
from beats import HOUR
from claude_tier.cli import main
from claude_tier.errors import UserError
from claude_tier.heartbeat import alerts, known, tick
from claude_tier_hooks import ledger
from heartbeats import NINE, NOWHERE, Home, made, tasks

from .conftest import wait_for_the_end_of

NOT_UNICODE = os.fsdecode(b"caf\xe9")


def test_a_path_that_is_no_unicode_is_one_like_any_other(home: Path) -> None:
    """The ledger keeps no such text, and still knows the beat again."""
    configured = made(home, NOWHERE)
    here = Home(home, home / NOT_UNICODE)
    here.add(tasks(1, "exit 1"))
    here.plan(NINE - 1)

    configured.tick_here(NINE + 5)
    configured.tick_here(NINE + HOUR + 5)

    assert [row["reason"] for row in here.rows()] == ["its check found nothing"] * 2


def test_a_path_that_is_no_unicode_can_be_told_of(home: Path) -> None:
    """Its mistake keeps no other file from running."""
    made(home, NOWHERE)
    here = Home(home, home / NOT_UNICODE)
    here.add(tasks(1, "exit 1"))
    here.file.write_text("---\nevery: sometimes\n---\nlook\n")

    tick.Tick(clock=lambda: NINE).run()

    (alert,) = alerts.listed()
    assert alert.kind == "file"


def test_a_file_that_became_a_link_to_another_gives_no_second_receipt(home: Path) -> None:
    """Both were added: what is there now is the other's, once."""
    here = made(home, NOWHERE)
    first = Home(home, home / "a")
    first.add(tasks(1, "exit 1"))
    here.add(tasks(1, "exit 1"))
    first.file.unlink()
    first.file.symlink_to(here.file)
    assert len(known.read().beats) == 1
    here.plan(NINE - 1)

    here.tick_here(NINE + 5)
    here.tick_here(NINE + HOUR + 5)

    assert [row["reason"] for row in here.rows()] == ["its check found nothing"] * 2


def test_a_plan_that_cannot_be_left_keeps_no_beat_from_running(home: Path) -> None:
    """The next tick plans anew."""
    here = made(home, NOWHERE)
    here.add(tasks(1, "exit 1"))
    here.plan(NINE - 1)
    (home / ".claude/claude-tier/heartbeat/due.json").mkdir()

    tick.Tick(clock=lambda: NINE + 5).run()

    assert [row["status"] for row in here.rows()] != ["claimed"]


def test_damage_that_is_met_on_the_way_stops_beats_for_one_tick(home: Path) -> None:
    """The next one goes on in a new ledger; the old one is kept beside it."""
    here = made(home, NOWHERE)
    here.add(tasks(1, "exit 1"))
    here.plan(NINE - 1)
    _damage("receipt")

    with pytest.raises(UserError, match="damaged"):
        tick.Tick(clock=lambda: NINE + 5).run()
    tick.Tick(clock=lambda: NINE + 65).run()
    here.tick_here(NINE + HOUR + 5)

    assert [row["reason"] for row in here.rows()] == ["its check found nothing"]
    assert list(Path(ledger.file()).parent.glob("ledger.db.damaged-*"))


def _damage(table: str) -> None:
    """Noise in the place of every page of that table, as a disk may leave it."""
    with closing(ledger.connect(patience=10)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        size = db.execute("PRAGMA page_size").fetchone()[0]
        pages = db.execute("SELECT rootpage FROM sqlite_master WHERE tbl_name = ?", (table,))
        found = [row[0] for row in pages]
    with Path(ledger.file()).open("r+b") as stream:
        for page in found:
            stream.seek((page - 1) * size)
            stream.write(b"\xff" * size)


def test_a_run_by_hand_leaves_nothing_behind(home: Path) -> None:
    """Also not what made a group of its own."""
    here = made(home, NOWHERE)
    here.add(tasks(1, "setsid sleep 1000 & echo $! > pid; exit 1"))

    assert main(["heartbeat", "run", "t0"]) == 0

    wait_for_the_end_of(int((here.project / "pid").read_text()))

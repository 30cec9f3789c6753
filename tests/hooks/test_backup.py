"""The daily copy of the ledger: whole, checked, and kept for a week."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from claude_tier_hooks import backup, ledger, state

DAY = 86400.0
NOON = 1_795_262_400.0  # 2026-11-21T12:00:00Z


def remember(*texts: str) -> None:
    db = ledger.connect()
    with ledger.Writing(db):
        for text in texts:
            ledger.name_id(db, text)
    db.close()


def texts(file: str) -> list[str]:
    db = sqlite3.connect(file)
    found = [row[0] for row in db.execute("SELECT text FROM name ORDER BY id")]
    db.close()
    return found


def test_nothing_is_copied_where_there_is_no_ledger() -> None:
    """A session without a ledger makes none."""
    assert backup.daily(NOON) is None
    assert not Path(state.state_dir()).exists()


def test_a_day_has_one_copy_that_only_its_owner_can_read() -> None:
    """The second hook of the day finds it there."""
    remember("first")
    made = backup.daily(NOON)
    remember("second")
    assert made == state.path("backups", "ledger-2026-11-21.db")
    assert backup.daily(NOON + 60) is None
    assert texts(made) == ["first"]
    assert Path(made).stat().st_mode & 0o777 == 0o600


def test_a_copy_holds_what_is_only_in_the_wal_and_leaves_nothing_beside_it() -> None:
    """A writer is at work while it is made."""
    writer = ledger.connect()
    with ledger.Writing(writer):
        ledger.name_id(writer, "not checkpointed")
    writer.execute("BEGIN IMMEDIATE")
    made = backup.write(NOON)
    writer.execute("ROLLBACK")
    assert texts(made) == ["not checkpointed"]
    assert [one.name for one in Path(state.path("backups")).iterdir()] == ["ledger-2026-11-21.db"]


def test_seven_copies_are_kept() -> None:
    """The oldest go first."""
    remember("kept")
    for day in range(9):
        backup.write(NOON + day * DAY)
    assert [Path(one).name for one in backup.kept()] == [
        f"ledger-2026-11-{day}.db" for day in range(29, 22, -1)
    ]


def test_no_copy_is_dropped_while_a_damaged_ledger_waits() -> None:
    """Its rebuild may need the last good one."""
    remember("kept")
    Path(ledger.file() + ".damaged-1").write_bytes(b"x")
    for day in range(9):
        backup.write(NOON + day * DAY)
    assert len(backup.kept()) == 9


def test_todays_copy_is_not_replaced_while_a_damaged_ledger_waits() -> None:
    """The ledger in use began anew, and holds less."""
    remember("kept")
    made = backup.write(NOON)
    Path(ledger.file() + ".damaged-1").write_bytes(b"x")
    with pytest.raises(ledger.DamagedError):
        backup.write(NOON)
    assert texts(made) == ["kept"]


def test_a_damaged_ledger_never_replaces_a_good_copy() -> None:
    """The copy is checked before it takes the place of the day's earlier one."""
    remember(*(f"text {number}" for number in range(2000)))
    good = Path(backup.write(NOON)).read_bytes()
    db = Path(ledger.file())
    content = bytearray(db.read_bytes())
    content[8192:20480] = b"\xa5" * 12288
    db.write_bytes(content)
    with pytest.raises(ledger.DamagedError):
        backup.write(NOON)
    assert Path(state.path("backups", "ledger-2026-11-21.db")).read_bytes() == good
    assert [one.name for one in Path(state.path("backups")).iterdir()] == ["ledger-2026-11-21.db"]

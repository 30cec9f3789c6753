"""What another whole ledger file holds is taken over, of whatever version it is."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from pathlib import Path

import pytest
from books import HAIKU, NOON, answer, decide
from claude_tier.repair import merging, sums
from claude_tier_hooks import backup, ingest, ledger, policy, routed
from wreckage import Content, content, run, sweep


def test_a_backup_tells_when_sessions_were_last_used(full: Content) -> None:
    """Also of a session whose transcript is gone."""
    backup.write(NOON)
    shutil.rmtree(ingest.projects())
    Path(ledger.file()).unlink()
    run()

    db = sqlite3.connect(ledger.file())
    query = "SELECT count(*) FROM session WHERE last IS NOT (SELECT max(at) FROM usage"
    assert db.execute(query + " WHERE session = session.id)").fetchone() == (0,)
    assert db.execute("SELECT count(*) FROM session WHERE last > 0").fetchone()[0] > 0
    db.close()


def test_the_best_of_several_backups_counts(full: Content, home: Path) -> None:
    """After the damage a poorer ledger was backed up for days; the rich copy is still used."""
    backup.write(NOON)
    sweep(home)
    Path(ledger.file()).write_bytes(b"\xff" * 50_000)
    with pytest.raises(ledger.DamagedError):
        ledger.connect()
    ledger.set_aside()
    backup.write(NOON + 86400)
    run()
    assert content() == full


def test_a_better_reading_of_a_response_is_kept(home: Path) -> None:
    """The backup was made while it was still being written: the greater row wins, in any order."""
    answer(home, HAIKU)
    db = ledger.connect()
    ingest.everything(db, policy.load())
    sweep(home)
    db.execute("UPDATE usage SET output_tokens = 5000, usd = 0.5")
    db.close()
    other = Path(backup.write(NOON))
    db = ledger.connect()
    db.execute("UPDATE usage SET output_tokens = 1, final = 0, usd = 0.1")
    db.close()
    run()
    assert {row[3:] for row in content().usage} == {(5000, 0.5)}
    db = sqlite3.connect(other)
    db.execute("UPDATE usage SET output_tokens = 2")
    db.commit()
    db.close()
    run()
    assert {row[3:] for row in content().usage} == {(5000, 0.5)}


def test_a_proof_that_only_the_other_file_has_is_taken_over(home: Path) -> None:
    """And a later level, a later plan window."""
    decide("t1")
    db = ledger.connect()
    db.execute("UPDATE decision SET ran = 'x', proof = 'held'")
    db.execute("INSERT INTO plan_window VALUES ('seven_day', 70, ?, ?)", (NOON, NOON))
    db.execute("INSERT INTO level VALUES ('daily', 'user', 1, 2, 'cap', 5)")
    backup.write(NOON)
    db.execute("UPDATE decision SET ran = NULL, proof = NULL")
    db.execute("UPDATE plan_window SET used = 60, at = at - 1")
    db.execute("UPDATE level SET level = 'warn', at = 6")
    db.close()
    run()
    kept = content()
    assert {row[-1] for row in kept.decisions} == {"x"}
    assert {row[1] for row in kept.windows} == {70.0}
    assert {row[2] for row in kept.levels} == {"warn"}


def test_requests_of_the_router_are_taken_over(home: Path) -> None:
    """With what they used, in the session they were made in; what cools is learnt anew."""
    used = {"provider": "api", "model": "m", "final": True, "usd": 0.5,
            **dict.fromkeys(ledger.KINDS, 7)}  # fmt: skip
    row = {"id": "e1", "at": NOON, "session": "router:/repo", "cwd": "/repo", "origin": "ask",
           "route": "code", "asked": "api/m", "target": "api/m", "model": "m", "seconds": 1.5,
           "attempts": [], "outcome": "answered", "used": used}  # fmt: skip
    db = ledger.connect()
    with ledger.Writing(db):
        routed.record(db, row)
    backup.write(NOON)
    db.close()
    Path(ledger.file()).unlink()
    db = ledger.connect()
    with ledger.Writing(db):
        ledger.name_id(db, "so that numbers differ")
    db.close()
    run()
    with contextlib.closing(ledger.connect()) as db:
        assert not routed.record(db, row)
        (found,) = db.execute(
            "SELECT s.text, e.usage, u.usd FROM exchange e JOIN name s ON s.id = e.session"
            " JOIN usage u ON u.key = e.usage"
        )
        assert found == ("router:/repo", "msg_router_e1", 0.5)
        assert sum(sums.wrong(db).values()) == 0


def test_every_table_is_merged_or_follows_from_others() -> None:
    """A table that is added later must not be forgotten here."""
    from claude_tier.repair.shapes import DERIVED, NAMES

    db = ledger.connect()
    tables = db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    assert {name for (name,) in tables} == {"name", *NAMES, *DERIVED}
    db.close()


def test_a_file_of_version_1_is_merged(full: Content, home: Path) -> None:
    """Rules, facts and plan samples that are there stay beside what it adds."""
    db = ledger.connect()
    db.execute("INSERT INTO rules VALUES (77, 1.7e9, '{}')")
    db.execute("INSERT INTO plan_sample VALUES (1.7e9, 'five_hour', 12.5, 1.7e9)")
    db.execute("UPDATE decision SET facts = '{}', rules = 77 WHERE tool_use_id = 'toolu_1'")
    whole = Path(backup.write(NOON))
    db.close()
    for file in (whole, Path(ledger.file())):
        assert file.exists()
    Path(ledger.file()).unlink()
    with contextlib.closing(sqlite3.connect(whole.with_name("ledger-2026-01-01.db"))) as old:
        old.executescript((Path(__file__).parents[2] / "ledger_version_1.sql").read_text())
    run()
    with contextlib.closing(sqlite3.connect(ledger.file())) as db:
        assert db.execute("SELECT text FROM rules").fetchall() == [("{}",)]
        assert db.execute("SELECT used FROM plan_sample").fetchall() == [(12.5,)]
        kept = db.execute("SELECT facts FROM decision WHERE rules = 77").fetchall()
        old_ones = db.execute("SELECT count(*) FROM decision WHERE tool_use_id = 'toolu_2'")
        assert kept == [("{}",)]
        assert old_ones.fetchone()[0] == 2
    assert full.decisions < content().decisions


def test_an_older_file_that_lacks_columns_is_merged(full: Content, home: Path) -> None:
    """Versions only ever add some."""
    copy = Path(backup.write(NOON))
    sweep(home)
    with sqlite3.connect(copy) as db:
        db.execute("ALTER TABLE decision DROP COLUMN proof")
    db.close()
    Path(ledger.file()).unlink()
    run()
    assert content() == full


def test_nothing_missing_is_asserted_by_key(full: Content, home: Path) -> None:
    """A row that was not taken over would be a bug, and is never passed over in silence."""
    copy = Path(backup.write(NOON))
    db = ledger.connect()
    with merging._attached(db, copy), ledger.Writing(db):
        merging._names(db)
        db.execute("DELETE FROM decision WHERE tool_use_id = 'toolu_5'")
        with pytest.raises(AssertionError, match="1 rows of decision"):
            merging._assert_whole(db)
    db.close()

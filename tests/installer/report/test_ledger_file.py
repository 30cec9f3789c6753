"""The ledger as commands find it: busy, damaged, read-only, or not there."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from books import answer
from claude_tier import cli
from claude_tier.report import ledger_file
from claude_tier_hooks import ledger, places, policy, state

Capture = pytest.CaptureFixture[str]


def test_a_busy_ledger_is_read_as_it_stands(
    home: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody writes for long: figures may be a little old, and that is said."""
    monkeypatch.setattr(ledger_file, "PATIENCE", 0.01)
    answer(home)
    writer = ledger.connect()
    writer.execute("BEGIN IMMEDIATE")
    assert cli.main(["ledger", "totals"]) == 0
    printed = capsys.readouterr()
    assert printed.out == "Nothing was used.\n"
    assert printed.err == ("claude-tier: the ledger is busy; the figures may be a little old.\n")


def test_a_damaged_ledger_is_moved_aside_and_said(home: Path, capsys: Capture) -> None:
    """The command goes on with a new one, which transcripts fill."""
    state.ensure()
    Path(ledger.file()).write_bytes(b"not a database, whatever it once was\n" * 200)
    answer(home)
    assert cli.main(["ledger", "totals", "--json"]) == 0
    printed = capsys.readouterr()
    assert '"requests": 1' in printed.out
    assert "the ledger was damaged and is kept as" in printed.err
    assert "`claude-tier ledger rebuild`" in printed.err


def test_damage_found_while_reading_names_the_way_out(home: Path, capsys: Capture) -> None:
    """What is looked at to open it was whole."""
    db = ledger.connect()
    with ledger.Writing(db):
        for number in range(3000):
            ledger.name_id(db, f"text {number}")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    file = Path(ledger.file())
    whole, tables = file.read_bytes(), 50 * 4096
    file.write_bytes(whole[:tables] + b"\xa5" * (len(whole) - tables))
    answer(home)
    assert cli.main(["ledger", "totals"]) == 1
    printed = capsys.readouterr()
    assert "the ledger is damaged" in printed.err
    assert "`claude-tier ledger rebuild`" in printed.err


def test_a_state_folder_that_cannot_be_is_no_bug(home: Path, capsys: Capture) -> None:
    """A file is in its place."""
    (home / ".claude").mkdir()
    Path(state.state_dir()).write_text("in the way")
    assert cli.main(["ledger", "totals"]) == 1
    assert "claude-tier" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    ["attempt to write a readonly database", "database or disk is full", "disk I/O error"],
)
def test_what_the_machine_is_at_fault_for_is_an_expected_failure(
    words: str, capsys: Capture
) -> None:
    """Said with the file it concerns."""
    assert ends(lambda: sqlite3.OperationalError(words)) == 1
    assert f"ledger.db cannot be used: {words}" in capsys.readouterr().err


def test_a_ledger_that_cannot_be_opened_says_what_to_look_at(capsys: Capture) -> None:
    """The folder's owner and modes."""
    assert ends(lambda: sqlite3.OperationalError("unable to open database file")) == 1
    assert f"Look whose {state.state_dir()} is" in capsys.readouterr().err


def test_a_wrong_statement_is_a_bug(capsys: Capture) -> None:
    """It must not look like a broken ledger."""
    assert ends(lambda: sqlite3.OperationalError("no such column: x")) == 3
    assert "this is a bug" in capsys.readouterr().err


def ends(fault: Callable[[], Exception]) -> int:
    """The exit code of a command whose statement raised that."""

    def raises(*_: object) -> None:
        with ledger_file.said():
            raise fault()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ledger_file, "catch_up", raises)
        return cli.main(["ledger", "totals"])


def test_no_bar_where_nobody_watches(home: Path, capsys: Capture) -> None:
    """A pipe gets results alone, also after long work."""
    for number in range(2100):
        answer(home, at=1_795_000_000.0 + number)
    assert places.walk(str(home / ".claude" / "projects"))
    assert cli.main(["ledger", "totals"]) == 0
    assert capsys.readouterr().err == ""


def test_a_folder_without_transcripts_is_named_once(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong CLAUDE_CONFIG_DIR does not look like no use."""
    ledger_file._say.cache_clear()
    for _ in range(2):
        with ledger_file.up_to_date(policy.load()):
            pass

    said = capsys.readouterr().err
    assert said.count(f"there are no transcripts in {home}/.claude/projects") == 1
    ledger_file._say.cache_clear()


def test_a_screen_that_shows_no_use_says_nothing_of_transcripts(capsys: Capture) -> None:
    """Emergency mode is on or off, whatever was used."""
    ledger_file._say.cache_clear()
    assert cli.main(["emergency"]) == 0
    assert capsys.readouterr().err == ""

"""A damaged ledger is put out of the way: nothing is lost, and nobody writes into two files."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import wreckage
from claude_tier_hooks import backup, ledger, state

ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
HOLD = (
    "import sys; from claude_tier_hooks import ledger; db = ledger.connect();"
    " db.execute('SELECT count(*) FROM name').fetchone(); print('open', flush=True);"
    " sys.stdin.read()"
)


def spoil() -> bytes:
    """Noise over the first page, behind the header; what the file holds then."""
    file = Path(ledger.file())
    data = bytearray(file.read_bytes())
    data[100:4000] = b"\xa5" * 3900
    file.write_bytes(data)
    return bytes(data)


@contextmanager
def another_process_has_it_open() -> Iterator[None]:
    """Until the block ends; it opened the ledger while that was whole."""
    env = {**ENVIRONMENT, "HOME": os.environ["HOME"]}
    command = [sys.executable, "-c", HOLD]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=env, stdin=pipe, stdout=pipe, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        yield
        holder.communicate()


@pytest.fixture
def made(home: Path) -> None:
    db = ledger.connect()
    with ledger.Writing(db):
        for number in range(500):
            ledger.name_id(db, f"text {number}")
    db.close()


def test_the_damaged_file_is_kept_to_the_byte_and_a_new_one_begins(made: None) -> None:
    """Readable by its owner only, and said."""
    broken = spoil()
    aside = ledger.set_aside()
    assert aside is not None
    assert Path(aside).read_bytes() == broken
    assert Path(aside).stat().st_mode & 0o777 == 0o600
    assert backup.damaged() == [aside]
    db = ledger.connect()
    assert db.execute("SELECT count(*) FROM name").fetchone() == (0,)
    assert aside in state.notices.pop()


def test_what_was_only_in_the_log_is_kept(made: None) -> None:
    """In the copy or beside it: the new ledger has no log of the old one."""
    writer = ledger.connect()
    ledger.name_id(writer, "in the log alone")
    log = Path(ledger.file() + "-wal").read_bytes()
    writer.close()
    Path(ledger.file() + "-wal").write_bytes(log)
    wreckage.overwrite(0, 100)
    aside = ledger.set_aside()
    assert aside is not None
    beside = Path(f"{aside}-wal")
    kept = Path(aside).read_bytes() + (beside.read_bytes() if beside.exists() else b"")
    assert b"in the log alone" in kept
    assert not Path(ledger.file() + "-wal").exists()
    state.notices.clear()


def test_a_whole_ledger_stays_where_it_is(made: None) -> None:
    """Somebody else was faster, or it was a fault of reading."""
    assert ledger.set_aside() is None
    assert backup.damaged() == []


def test_a_text_that_is_none_is_damage(made: None) -> None:
    """SQLite takes the file for whole, but whoever reads that row fails."""
    db = ledger.connect()
    db.execute("UPDATE name SET text = CAST(x'68ff' AS TEXT) WHERE id = 100")
    with pytest.raises(sqlite3.OperationalError) as raised:
        db.execute("SELECT text FROM name").fetchall()
    assert ledger.is_damage(raised.value)
    db.close()
    assert ledger.set_aside() is not None
    state.notices.clear()


def test_no_copy_ever_replaces_another(made: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two in one second have two names."""
    monkeypatch.setattr("time.time", lambda: 1_795_262_400.0)
    copies = []
    for _ in range(3):
        spoil()
        copies.append(ledger.set_aside())
        ledger.connect().close()
    assert len(set(copies)) == 3
    assert sorted(map(str, copies)) == sorted(backup.damaged())
    state.notices.clear()


def test_a_file_that_somebody_has_open_is_not_emptied(
    made: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A late write or close of theirs would end up in the new ledger."""
    monkeypatch.setattr(ledger, "PATIENCE", 0.01)
    with another_process_has_it_open():
        broken = spoil()
        assert ledger.set_aside() is None
        assert Path(ledger.file()).read_bytes() == broken
    assert ledger.set_aside() is not None
    state.notices.clear()


def test_what_this_process_had_open_does_not_harm_the_new_file(made: None) -> None:
    """Its log is written back on close: before the copy, never after it."""
    stale = ledger.connect()
    ledger.name_id(stale, "unsaved")
    spoil()
    assert ledger.set_aside() is not None
    db = ledger.connect()
    ledger.name_id(db, "new")
    with pytest.raises(sqlite3.ProgrammingError):
        stale.execute("SELECT 1")
    del stale
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert db.execute("SELECT text FROM name").fetchall() == [("new",)]
    state.notices.clear()


def test_a_full_disk_empties_nothing(made: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a copy the damaged file is all there is."""
    broken = spoil()

    def no_room(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", no_room)
    with pytest.raises(OSError, match="No space left"):
        ledger.set_aside()
    assert Path(ledger.file()).read_bytes() == broken
    assert backup.damaged() == []


def test_many_processes_meet_a_damaged_ledger_and_lose_nothing(home: Path) -> None:
    """Each decision that was acknowledged is in the new ledger or in a copy, all of them whole."""
    wreckage.fill(home)
    wreckage.overwrite(0.1, 100 * wreckage.PAGE)
    program = (
        "import sqlite3, sys\n"
        "from books import decide\n"
        "from claude_tier_hooks import ledger\n"
        "for number in range(12):\n"
        "    for _ in range(50):\n"
        "        try:\n"
        "            ledger.opened().close()\n"
        "            decide(f'{sys.argv[1]}-{number}')\n"
        "            break\n"
        "        except (ledger.DamagedError, sqlite3.DatabaseError) as fault:\n"
        "            if isinstance(fault, ledger.DamagedError) or ledger.is_damage(fault):\n"
        "                ledger.set_aside()\n"
        "    else:\n"
        "        continue\n"
        "    print(f'{sys.argv[1]}-{number}')\n"
    )
    env = {**ENVIRONMENT, "HOME": str(home)}
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(n)], env=env, stdout=subprocess.PIPE, text=True
        )
        for n in range(8)
    ]
    written = {line for one in writers for line in one.communicate()[0].split()}
    assert len(written) == 8 * 12
    assert ledger.connect().execute("PRAGMA integrity_check").fetchone() == ("ok",)
    found = {row[1] for row in wreckage.content().decisions}
    from claude_tier.repair import shapes
    from claude_tier.repair.pages import Pages

    for copy in backup.damaged():
        pages = Pages(Path(copy))
        cells = (cell for n in range(1, pages.count + 1) for cell in pages.cells(n))
        rows = (row for row in map(shapes.read, cells) if row and row[0].table == "decision")
        found |= {values[1] for _, values in rows}
        pages.close()
    assert written <= found

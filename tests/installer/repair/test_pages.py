"""Reading an SQLite file without SQLite: every row of a whole one, and what is left of a broken."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest
from claude_tier.repair.pages import Pages, Value, record
from hypothesis import given, settings
from hypothesis import strategies as st

# None stands where a rowid is kept; SQLite has no integers beyond 64 bits.
VALUES = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=300),
    st.binary(max_size=300),
    st.integers(1_000, 70_000).map("x".__mul__),  # over several pages
)
ROWS = st.lists(st.tuples(VALUES, VALUES), max_size=60)


def rows(file: Path) -> list[tuple[int | None, tuple[Value, ...]]]:
    pages = Pages(file)
    found = [
        (cell.rowid, values)
        for number in range(1, pages.count + 1)
        for cell in pages.cells(number)
        if (values := record(cell.payload)) is not None
    ]
    pages.close()
    return found


def typed(values: tuple[Value, ...]) -> list[tuple[type, Value]]:
    return [(type(value), value) for value in values]


@settings(max_examples=60)
@given(written=ROWS, size=st.sampled_from([512, 1024, 4096, 65536]), log=st.booleans())
def test_every_row_of_a_whole_file_is_read(
    written: list[tuple[Value, Value]],
    size: int,
    log: bool,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """In tables with and without rowids, over overflow pages, from the file and from the WAL."""
    file = tmp_path_factory.mktemp("pages") / "test.db"
    db = sqlite3.connect(file, isolation_level=None)
    db.execute(f"PRAGMA page_size = {size}")
    db.execute(f"PRAGMA journal_mode = {'WAL' if log else 'DELETE'}")
    db.execute("CREATE TABLE one (id INTEGER PRIMARY KEY, a, b)")
    db.execute("CREATE TABLE two (id INT PRIMARY KEY, a, b) WITHOUT ROWID")
    db.execute("BEGIN")
    for number, row in enumerate(written):
        db.execute("INSERT INTO one VALUES (?, ?, ?)", (number, *row))
        db.execute("INSERT INTO two VALUES (?, ?, ?)", (1_000_000 + number, *row))
    db.execute("COMMIT")
    found = rows(file)
    db.close()
    by_rowid = {rowid: values[1:] for rowid, values in found if rowid is not None}
    by_key = {values[0]: values[1:] for rowid, values in found if rowid is None}
    for number, row in enumerate(written):
        assert typed(by_rowid[number]) == typed(row)
        assert typed(by_key[1_000_000 + number]) == typed(row)


def test_the_newest_committed_version_counts(tmp_path: Path) -> None:
    """What the WAL holds beyond the last commit is not there."""
    file = tmp_path / "test.db"
    db = sqlite3.connect(file, isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA cache_size = 1")
    db.execute("CREATE TABLE one (id INTEGER PRIMARY KEY, a)")
    db.execute("INSERT INTO one VALUES (1, 'old')")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.execute("UPDATE one SET a = 'new'")
    db.execute("BEGIN")
    db.executemany("INSERT INTO one (a) VALUES (?)", (("uncommitted" * 300,) for _ in range(50)))
    assert (1, (None, "new")) in rows(file)
    assert not any("uncommitted" in str(values) for _, values in rows(file))
    db.close()


def test_a_log_of_an_earlier_round_is_not_believed(tmp_path: Path) -> None:
    """After a checkpoint the WAL is written from its start again; its tail is stale."""
    file = tmp_path / "test.db"
    db = sqlite3.connect(file, isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("CREATE TABLE one (id INTEGER PRIMARY KEY, a)")
    for number in range(30):
        db.execute(
            "INSERT INTO one VALUES (1, ?) ON CONFLICT DO UPDATE SET a = excluded.a", (number,)
        )
    db.execute("PRAGMA wal_checkpoint(FULL)")
    db.execute("UPDATE one SET a = 'last'")
    assert [values[1] for rowid, values in rows(file) if values[1] in (*range(30), "last")] == [
        "last"
    ]
    db.close()


@settings(max_examples=80)
@given(data=st.data())
def test_nothing_in_a_broken_file_raises(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Bytes overwritten anywhere, cut anywhere: rows that are read are rows that were written."""
    file = tmp_path_factory.mktemp("broken") / "test.db"
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as db:
        db.execute("CREATE TABLE one (id INTEGER PRIMARY KEY, a)")
        db.execute("BEGIN")
        for number in range(300):
            db.execute("INSERT INTO one VALUES (?, ?)", (number, f"text {number} " * 9))
        db.execute("COMMIT")
    content = bytearray(file.read_bytes())
    at = data.draw(st.integers(0, len(content)))
    noise = data.draw(st.binary(max_size=6000))
    content[at : at + len(noise)] = noise
    file.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    assert all(isinstance(values, tuple) for _, values in rows(file))


def test_text_that_is_none_makes_no_row() -> None:
    """Invalid UTF-8, a length that lies, a type SQLite does not use."""
    assert record(b"\x02\x0f\xff") is None
    assert record(b"\x02\x11a") is None
    assert record(b"\x02\x0a") is None
    assert record(b"") is None
    assert record(b"\x02\x0fa") == ("a",)

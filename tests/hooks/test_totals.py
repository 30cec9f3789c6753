"""The ledger against generated transcripts whose true totals are known."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from claude_tier_hooks import ingest, ledger, prices
from corpus import SCENES, Corpus, Growth, build, write
from examples import examples
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

COLUMNS = ("requests", *ledger.KINDS)
LISTED = "source <> coalesce((SELECT id FROM name WHERE text = 'unlisted'), -1)"
KEYS = {
    "by_model": "(SELECT text FROM name WHERE id = model)",
    "by_session": "(SELECT text FROM name WHERE id = session)",
    "by_agent": "(SELECT text FROM name WHERE id = agent)",
    "by_day": "date(start * 900, 'unixepoch')",
}


@pytest.fixture
def db(home: Path) -> Iterator[sqlite3.Connection]:
    connection = ledger.connect(patience=10)
    yield connection
    connection.close()


def read_all(db: sqlite3.Connection) -> None:
    ingest.everything(db, prices.shipped())


def sums(db: sqlite3.Connection, key: str) -> dict[str, tuple[int, ...]]:
    columns = ", ".join(f"sum({column})" for column in (*COLUMNS, "unpriced_requests"))
    query = f"SELECT {KEYS[key]} AS k, {columns} FROM bucket WHERE {LISTED} GROUP BY k"
    return {row[0]: tuple(row[1:]) for row in db.execute(query)}


def dollars(db: sqlite3.Connection, key: str) -> dict[str, float]:
    query = f"SELECT {KEYS[key]} AS k, sum(usd) FROM bucket WHERE {LISTED} GROUP BY k"
    return dict(db.execute(query).fetchall())


def unlisted(db: sqlite3.Connection) -> dict[tuple[str, str], tuple[int, ...]]:
    kinds = ", ".join(ledger.KINDS)
    query = f"SELECT {KEYS['by_session']}, {KEYS['by_model']}, {kinds} FROM unlisted"
    return {(row[0], row[1]): tuple(row[2:]) for row in db.execute(query)}


def check(db: sqlite3.Connection, corpus: Corpus) -> None:
    """Everything the manifest says, to the token; dollars to 1e-9 of their size."""
    manifest = corpus.manifest()
    shared = {session for group in manifest["shared"] for session in group}  # type: ignore[attr-defined]
    for key in KEYS:
        true = manifest[key]
        assert isinstance(true, dict)
        known = {k: row for k, row in true.items() if k not in shared}
        found = {k: row for k, row in sums(db, key).items() if k not in shared}
        wanted = {
            k: tuple(row[c] for c in (*COLUMNS, "unpriced_requests")) for k, row in known.items()
        }
        assert found == wanted, key
        paid = {k: row["usd"] or 0.0 for k, row in known.items()}
        ours = {k: usd for k, usd in dollars(db, key).items() if k not in shared}
        assert ours == pytest.approx(paid, rel=1e-9, abs=1e-9), key
    hidden = {
        (row["session"], row["model"]): tuple(row[kind] for kind in ledger.KINDS)
        for row in manifest["unlisted"]  # type: ignore[attr-defined]
    }
    assert unlisted(db) == hidden


@pytest.mark.parametrize("scene", sorted(SCENES))
def test_each_odd_thing_is_counted_as_it_is(scene: str, home: Path, db: sqlite3.Connection) -> None:
    """Every scene alone, so that a failure names what was read wrong."""
    corpus = build(3, scenes=[scene])
    write(corpus, home / ".claude")
    read_all(db)
    check(db, corpus)


@settings(max_examples=examples(2), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6), steps=st.integers(10, 20))
@example(seed=184912, steps=18)  # the rows above a cost-state vanish before the next one is read
def test_totals_do_not_depend_on_when_files_were_read(
    seed: int, steps: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Files cut at any byte, appended to and rewritten between reads, in any order."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("growth")
        patch.setenv("CLAUDE_CONFIG_DIR", str(folder))
        growth = Growth(build(seed, size=30_000), steps=steps)
        db = ledger.connect(patience=10)
        for step in range(growth.steps):
            growth.grow(folder, step)
            read_all(db)
        check(db, growth.corpus)
        db.close()


def test_reading_again_changes_nothing(home: Path, db: sqlite3.Connection) -> None:
    """A second look at unchanged files writes no row."""
    write(build(1, scenes=["fork", "compaction"]), home / ".claude")
    read_all(db)
    before = list(db.iterdump())
    read_all(db)
    assert list(db.iterdump()) == before


def test_what_vanished_is_not_subtracted(home: Path, db: sqlite3.Connection) -> None:
    """The client deletes transcripts after a month; their usage stays."""
    corpus = build(1, size=50_000, scenes=["fork"])
    write(corpus, home / ".claude")
    read_all(db)
    for file in (home / ".claude" / "projects").rglob("*.jsonl"):
        file.unlink()
    read_all(db)
    check(db, corpus)


def test_quarter_hours_and_days_sum_to_the_rows(home: Path, db: sqlite3.Connection) -> None:
    """Usage, quarter hours and both spans hold the same dollars and tokens."""
    write(build(2, size=100_000), home / ".claude")
    read_all(db)
    tokens = " + ".join(ledger.KINDS[:5])
    usage = db.execute(
        f"SELECT (SELECT sum({tokens}) FROM usage) + (SELECT sum({tokens}) FROM unlisted),"
        " (SELECT sum(usd) FROM usage) + (SELECT sum(usd) FROM unlisted)"
    ).fetchone()
    for table, total in (("bucket", f"sum({tokens})"), ("span", "sum(tokens)")):
        for length in ledger.SPANS if table == "span" else (0,):
            where = f" WHERE length = {length}" if length else ""
            row = db.execute(f"SELECT {total}, sum(usd) FROM {table}{where}").fetchone()
            assert row[0] == usage[0]
            assert row[1] == pytest.approx(usage[1], rel=1e-9)

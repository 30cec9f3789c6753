"""A whole history at once gives the ledger that reading it bit by bit gives."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import books
import pytest
from claude_tier import backfill
from claude_tier.backfill import recording, scanning, workers
from claude_tier.repair import sums
from claude_tier_hooks import ingest, ledger, prices, state
from corpus import Corpus, Growth, build, write

DERIVED = ("offset", "stale", "daily", "session_sum", "saving", "name", "sqlite_sequence")


@pytest.fixture
def db(home: Path) -> Iterator[sqlite3.Connection]:
    connection = ledger.connect(patience=10)
    yield connection
    connection.close()


@pytest.fixture(autouse=True)
def much(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is much, and a transaction holds little."""
    monkeypatch.setattr(backfill, "MUCH", 0)
    monkeypatch.setattr(backfill, "BATCH_ROWS", 50)


def read(db: sqlite3.Connection) -> None:
    backfill.everything(db, prices.shipped(), lambda done, total: None)


def named(db: sqlite3.Connection, table: str, *columns: str) -> list[tuple[Any, ...]]:
    """The rows of a table with texts in place of their numbers, in an order of their own."""
    texts = ("session", "agent", "model", "source", "project", "asked", "host", "parent")
    chosen = ", ".join(
        f"(SELECT text FROM name WHERE id = t.{one})" if one in texts else f"t.{one}"
        for one in columns
    )
    return sorted(db.execute(f"SELECT {chosen} FROM {table} t"), key=repr)


def content(db: sqlite3.Connection) -> dict[str, Any]:
    """All that was learned, whatever the order it was learned in."""
    run = "(SELECT agent_id FROM run WHERE id = t.run)"
    usage = db.execute(
        "SELECT key, at, requests, final, owned, fast, geo, round(usd, 12),"
        f" {', '.join(ledger.KINDS)}, {run}, (SELECT text FROM name WHERE id = session),"
        " (SELECT text FROM name WHERE id = agent), (SELECT text FROM name WHERE id = model),"
        " (SELECT text FROM name WHERE id = asked) FROM usage t ORDER BY key"
    ).fetchall()
    quarters = named(
        db, "bucket", "start", "session", "agent", "model", "source", "project", "requests",
        *ledger.KINDS, "unpriced_requests",
    )  # fmt: skip
    return {
        "usage": usage,
        "session": [
            (name, project, started, last, model, parent)
            for name, project, started, last, model, parent in db.execute(
                "SELECT s.text, p.text, started, last, model, f.text FROM session"
                " JOIN name s ON s.id = session.id JOIN name p ON p.id = session.project"
                " LEFT JOIN name f ON f.id = session.parent ORDER BY s.text"
            )
        ],
        "run": named(db, "run", "agent_id", "session", "agent", "model", "tokens"),
        "unlisted": named(db, "unlisted", "session", "model", *ledger.KINDS),
        "cost_state": named(db, "cost_state", "session", "total", "models"),
        # Empty ones are what something took that has moved on since.
        "bucket": [row for row in quarters if any(row[6:])],
    }  # fmt: skip


def read_plainly(corpus: Corpus, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the hooks' own reading finds of it."""
    write(corpus, folder)
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("CLAUDE_CONFIG_DIR", str(folder))
        other = ledger.connect(patience=10)
        ingest.everything(other, prices.shipped())
        found = content(other)
        other.close()
    return found


@pytest.mark.parametrize("seed", [11, 12])
def test_all_of_it_is_what_the_hooks_find(
    seed: int, db: sqlite3.Connection, home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    corpus = build(seed, size=1_500_000)
    plain = read_plainly(corpus, tmp_path / "plain", monkeypatch)
    write(corpus, home / ".claude")

    read(db)

    found = content(db)
    for table, rows in plain.items():
        assert found[table] == rows, table
    assert not any(sums.wrong(db).values())


def test_history_that_grows_is_counted_once(db: sqlite3.Connection, home: Path) -> None:
    """Files are rewritten, cut and replaced between one reading and the next."""
    corpus = build(13, size=200_000)
    growth = Growth(corpus, steps=12)
    for step in range(growth.steps):
        growth.grow(home / ".claude", step)
        read(db)

    grown = db.execute("SELECT sum(requests), sum(output_tokens) FROM usage").fetchone()
    true = corpus.manifest()["totals"]
    assert isinstance(true, dict)
    assert grown == (true["requests"], true["output_tokens"])
    assert not any(sums.wrong(db).values())


def test_a_hook_may_write_meanwhile(
    db: sqlite3.Connection, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What another process has counted since is neither lost nor counted twice."""
    corpus = build(14, size=300_000)
    write(corpus, home / ".claude")
    apply = recording.apply
    calls: list[int] = []

    def disturbed(recorder: recording.BulkRecorder, batches: list[Any]) -> None:
        if len(calls) == 1:
            other = ledger.connect(patience=10)
            ingest.everything(other, prices.shipped())
            other.close()
        calls.append(len(batches))
        apply(recorder, batches)

    monkeypatch.setattr(recording, "apply", disturbed)
    read(db)

    true = corpus.manifest()["totals"]
    assert isinstance(true, dict)
    assert len(calls) > 2
    assert db.execute("SELECT sum(requests) FROM usage").fetchone() == (true["requests"],)
    assert not any(sums.wrong(db).values())


def test_a_row_no_database_takes_stops_no_other(db: sqlite3.Connection, home: Path) -> None:
    books.answer(home, session="good")
    books.answer(home, session="bad", model="claude-\ud800")
    books.answer(home, session="good")

    read(db)

    assert db.execute("SELECT sum(requests) FROM usage").fetchone() >= (2,)


def test_an_interrupted_reading_goes_on_where_it_was(
    db: sqlite3.Connection, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = build(15, size=300_000)
    write(corpus, home / ".claude")

    def interrupt(done: int, total: int) -> None:
        if done == total // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        backfill.everything(db, prices.shipped(), interrupt)
    read(db)

    true = corpus.manifest()["totals"]
    assert isinstance(true, dict)
    assert db.execute("SELECT sum(requests) FROM usage").fetchone() == (true["requests"],)


def test_little_is_read_without_processes(
    db: sqlite3.Connection, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backfill, "MUCH", 16_000_000)
    monkeypatch.setattr(backfill, "_in_bulk", lambda *_: pytest.fail("started processes"))
    books.answer(home)

    read(db)

    assert db.execute("SELECT sum(requests) FROM usage").fetchone() == (1,)


def test_folders_that_other_counters_read_count(
    db: sqlite3.Connection, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    books.answer(home)
    (home / ".config").mkdir()
    (home / "old").mkdir()
    books.answer(home / "old", session="22222222-bbbb")
    (home / "old/.claude").rename(home / ".config/claude")

    read(db)

    assert db.execute("SELECT sum(requests) FROM usage").fetchone() == (2,)


def test_a_list_of_folders_is_read_and_the_first_keeps_the_ledger(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two"):
        books.answer(home / name, session=name)
    folders = [str(home / name / ".claude") for name in ("one", "two")]
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", ",".join(folders))

    db = ledger.connect(patience=10)
    read(db)

    assert Path(ledger.file()).is_relative_to(home / "one")
    assert db.execute("SELECT sum(requests) FROM usage").fetchone() == (2,)
    db.close()


def test_one_folder_under_two_names_is_read_once(home: Path) -> None:
    (home / ".claude/projects").mkdir(parents=True)
    (home / ".config").mkdir()
    (home / ".config/claude").symlink_to(home / ".claude")

    assert backfill.roots() == [ingest.projects()]


def test_what_a_killed_process_had_to_read_is_read_all_the_same(
    db: sqlite3.Connection, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system kills one when memory runs out."""
    corpus = build(16, size=300_000)
    write(corpus, home / ".claude")
    parent = os.getpid()

    def killed(data: bytes, batch: Any) -> None:
        assert os.getpid() != parent, "the parent reads as hooks do"
        os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr(scanning, "scan", killed)
    read(db)

    true = corpus.manifest()["totals"]
    assert isinstance(true, dict)
    assert db.execute("SELECT sum(requests) FROM usage").fetchone() == (true["requests"],)


def test_a_fault_of_the_faster_way_is_logged_and_costs_nothing(
    db: sqlite3.Connection, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    books.answer(home)
    monkeypatch.setattr(scanning, "scan", lambda data, batch: 1 // 0)
    read(db)

    assert db.execute("SELECT sum(requests) FROM usage").fetchone() == (1,)
    assert "ZeroDivisionError" in Path(state.path("hooks.log")).read_text()


def test_processes_that_start_from_nothing_read_as_well(
    db: sqlite3.Connection, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on macOS."""
    books.answer(home)
    monkeypatch.setattr(workers.sys, "platform", "darwin")
    read(db)

    assert db.execute("SELECT sum(requests) FROM usage").fetchone() == (1,)
    assert not Path(state.path("hooks.log")).exists()


def test_what_may_not_be_read_is_named(
    db: sqlite3.Connection, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file and a folder; the rest counts."""
    books.answer(home, session="open")
    books.answer(home, session="shut")
    books.answer(home, session="hidden", cwd="/repo/secret")
    shut = str(books.transcript(home, "shut", "/repo/app"))
    hidden = str(books.transcript(home, "hidden", "/repo/secret").parent)
    scandir, access = os.scandir, os.access

    def refusing(path: str) -> Any:
        if path == hidden:
            raise PermissionError
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    monkeypatch.setattr(os, "access", lambda path, mode: path != shut and access(path, mode))
    found = backfill.everything(db, prices.shipped(), lambda done, total: None)

    assert sorted(found.closed) == sorted([shut, hidden])
    assert db.execute("SELECT sum(requests) FROM usage").fetchone() == (1,)

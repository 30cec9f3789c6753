"""The sums that reports read equal what is summed directly, whatever happened before."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from books import NOON, answer
from claude_tier import cli
from claude_tier.report import caches, ledger_file
from claude_tier_hooks import ledger, policy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SUMS = ", ".join(f"sum({name})" for name in ledger.SUMS)
QUARTER = int(NOON // ledger.BUCKET)
ZONES = ("UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu")

# A quarter hour in the weeks around the change of clocks, a session, an agent, a model.
cells = st.tuples(
    st.integers(QUARTER - 60 * 96, QUARTER + 3 * 96),
    st.integers(1, 4),
    st.integers(10, 11),
    st.integers(20, 21),
    st.integers(30, 31),
)
steps = st.one_of(
    st.tuples(st.just("add"), cells, st.integers(1, 1000)),
    st.tuples(st.just("take"), cells, st.integers(1, 1000)),
    st.tuples(st.just("move"), st.integers(1, 4), st.integers(40, 42)),
    st.tuples(st.just("host"), st.integers(1, 4), st.sampled_from([None, 50, 51])),
    st.tuples(st.just("drop"), cells, st.just(0)),
    st.tuples(st.just("zone"), st.sampled_from(ZONES), st.just(0)),
    st.tuples(st.just("report"), st.just(0), st.just(0)),
)


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    db = ledger.connect(patience=10)
    yield db
    db.close()


def change(db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch, step: tuple) -> None:
    what, where, value = step
    if what in ("add", "take"):
        sign = 1 if what == "add" else -1
        project = db.execute("SELECT project FROM session WHERE id = ?", where[1:2]).fetchone()[0]
        figures = [sign * value * n for n in range(1, 8)] + [sign * value / 8, sign]
        db.execute(ledger.ADD_TO_BUCKET, (*where, project, *figures))
    elif what == "move":
        db.execute("UPDATE bucket SET project = ? WHERE session = ?", (value, where))
        db.execute("UPDATE session SET project = ? WHERE id = ?", (value, where))
    elif what == "host":
        db.execute("UPDATE session SET host = ? WHERE id = ?", (value, where))
    elif what == "drop":
        db.execute("DELETE FROM bucket WHERE start = ? AND session = ?", where[:2])
    elif what == "zone":
        monkeypatch.setenv("TZ", where)
        time.tzset()
    else:
        caches.bring_up(db)


def assert_equal_to_direct_sums(db: sqlite3.Connection) -> None:
    """Days by the clock of the machine, one quarter hour after the other."""
    days: dict[tuple, list[float]] = {}
    query = f"SELECT start, project, agent, model, source, {caches.HOST}, {', '.join(ledger.SUMS)}"
    for start, *key, p, q, r, s, t, u, v, usd, w in db.execute(query + " FROM bucket"):
        local = time.strftime("%Y-%m-%d", time.localtime(start * ledger.BUCKET))
        sums = days.setdefault((local, *key), [0.0] * 9)
        for n, value in enumerate((p, q, r, s, t, u, v, usd, w)):
            sums[n] += value
    kept = db.execute(
        "SELECT date(julianday('0001-01-01') + day - 1), project, agent, model, source, host,"
        f" {', '.join(ledger.SUMS)} FROM daily"
    )
    assert {row[:6]: [*row[6:]] for row in kept} == days
    every = str(caches.EVERY)
    for table, key, kept_key in (
        ("session_sum", "session, model, source", "session, model, source"),
        ("quarter WHERE project >= 0", "start, project, source", "start, project, source"),
        (f"quarter WHERE project = {every}", "start, source", "start, source"),
        ("session_total", "session, project", "session, project"),
        ("session_total", "session", "session, first, last"),
    ):
        found = f"SELECT {kept_key}, {', '.join(ledger.SUMS)} FROM {table} ORDER BY {key}"
        bounds = kept_key.replace("first", "min(start)").replace(" last", " max(start)")
        direct = f"SELECT {bounds}, {SUMS} FROM bucket GROUP BY {key} ORDER BY {key}"
        assert db.execute(found).fetchall() == db.execute(direct).fetchall(), table


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(taken=st.lists(steps, max_size=25))
def test_after_any_changes_the_sums_are_those_of_the_quarter_hours(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory, taken: list[tuple]
) -> None:
    """Rows added, corrected, moved to another project, host or time zone, and taken out."""
    with monkeypatch.context() as patch:
        patch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path_factory.mktemp("config")))
        db = ledger.connect(patience=10)
        for session in range(1, 5):
            db.execute("INSERT INTO session (id, project) VALUES (?, 40)", (session,))
        for step in taken:
            change(db, patch, step)
        caches.bring_up(db)
        assert not caches.behind(db)
        assert_equal_to_direct_sums(db)
        db.close()
    time.tzset()


def test_sums_that_nothing_changed_are_not_summed_again(db: sqlite3.Connection) -> None:
    """A report after a report writes nothing."""
    db.execute(ledger.ADD_TO_BUCKET, (QUARTER, 1, 10, 20, 30, 40, *[1] * 9))
    caches.bring_up(db)
    before = db.total_changes
    caches.bring_up(db)
    assert db.total_changes == before


@pytest.mark.parametrize("view", ["day", "week", "month", "model", "session", "block"])
@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kathmandu"])
def test_rows_of_the_years_1_and_9999_end_no_report(
    home: Path,
    db: sqlite3.Connection,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    view: str,
    zone: str,
) -> None:
    """What older versions took from a mad timestamp is summed, whatever the day it falls on."""
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    for start in (-69_039_552, -2_000_000_000, QUARTER, 281_558_111, 2_000_000_000):
        db.execute(ledger.ADD_TO_BUCKET, (start, 7, 10, 20, 30, 40, *[1] * 9))
    assert cli.main(["report", view, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["totals"]["requests"] == sum(row["requests"] for row in found["rows"]) == 5
    assert cli.main(["report", view]) == 0
    assert cli.main(["report", view, "--since", "1970-01-01", "--until", "2199-12-31"]) == 0


def test_a_session_that_an_older_runtime_wrote_is_as_new_as_its_sums(
    home: Path, db: sqlite3.Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    """It leaves `last` empty or as it was."""
    for session, last in ((7, None), (8, NOON - 9e5), (9, NOON - 9e4)):
        query = "INSERT INTO session (id, project, last) VALUES (?, 40, ?)"
        db.execute(query, (session, last))
        db.execute("INSERT INTO name (id, text) VALUES (?, ?)", (session, f"session-{session}"))
    for session, start in ((7, QUARTER), (8, QUARTER - 96), (9, QUARTER - 500)):
        db.execute(ledger.ADD_TO_BUCKET, (start, session, 10, 20, 30, 40, *[1] * 9))
    assert cli.main(["report", "session", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [row["session"] for row in rows] == ["session-7", "session-8", "session-9"]
    assert [row["last"] for row in rows] == [QUARTER * 900, (QUARTER - 96) * 900, NOON - 9e4]
    assert cli.main(["report", "--reconcile", "--since", "2026-11-20", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["sessions"]
    assert [row["session"] for row in rows] == ["session-7", "session-8", "session-9"]


def test_a_summed_session_is_left_for_its_savings(db: sqlite3.Connection) -> None:
    """They follow from its sums, and are reckoned after them."""
    db.execute(ledger.ADD_TO_BUCKET, (QUARTER, 7, 10, 20, 30, 40, *[1] * 9))
    caches.bring_up(db)
    assert db.execute("SELECT number, kind FROM stale").fetchall() == [(7, "saving")]


def test_it_works_within_a_transaction_that_is_open(db: sqlite3.Connection) -> None:
    """Where the caller has something else to write with it."""
    with ledger.Writing(db):
        db.execute(ledger.ADD_TO_BUCKET, (QUARTER, 7, 10, 20, 30, 40, *[1] * 9))
        caches.bring_up(db)
    assert_equal_to_direct_sums(db)


def test_a_ledger_that_others_keep_locked_is_summed_aside(
    home: Path, db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The report is right, the file as it was, and the next report brings it up."""
    monkeypatch.setattr(ledger_file, "PATIENCE", 0.01)
    db.execute(ledger.ADD_TO_BUCKET, (QUARTER, 7, 10, 20, 30, 40, *[1] * 9))
    db.execute("BEGIN IMMEDIATE")
    with ledger_file.up_to_date(policy.load()) as reader:
        assert_equal_to_direct_sums(reader)
        assert db.execute("SELECT count(*) FROM daily").fetchone() == (0,)
    db.execute("ROLLBACK")
    with ledger_file.up_to_date(policy.load()):
        assert_equal_to_direct_sums(db)


def test_a_ledger_that_may_only_be_read_is_summed_aside(home: Path, db: sqlite3.Connection) -> None:
    """Such as a copy on a disk that is mounted so."""
    answer(home)
    assert cli.main(["ledger", "totals"]) == 0
    db.execute(ledger.ADD_TO_BUCKET, (QUARTER, 7, 10, 20, 30, 40, *[1] * 9))
    db.execute("PRAGMA query_only = ON")
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        db.execute("DELETE FROM stale")
    db.execute("PRAGMA query_only = OFF")
    reader = sqlite3.connect(f"file:{ledger.file()}?mode=ro", uri=True, isolation_level=None)
    ledger_file.brought_up(reader, caches.bring_up)
    assert_equal_to_direct_sums(reader)
    reader.close()

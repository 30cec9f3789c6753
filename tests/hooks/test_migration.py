"""A ledger of an older version gets what was added, and keeps its rows and its older writers."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import books
import pytest
from claude_tier_hooks import cooldowns, decisions, gate, ingest, ledger, policy, schema

TEXT = Path(__file__).parents[1] / "ledger_version_1.sql"
# As the runtime of version 1 says them.
OLD_STATEMENTS = (
    "INSERT INTO name (text) VALUES ('older')",
    "INSERT INTO session (id, project, started, file) VALUES (13, 7, 1795262500.0, '/x.jsonl')",
    "INSERT INTO run (agent_id, session, agent, tool_use_id) VALUES ('a2', 13, 9, 't2')",
    "INSERT INTO usage (key, at, session, agent, run, model, source, requests, final, owned, fast,"
    " geo, input_tokens, output_tokens, cache_read_tokens, cache_write_5m_tokens,"
    " cache_write_1h_tokens, web_searches, usd, asked)"
    " VALUES ('msg_9', 1795262500.0, 13, 9, 2, 10, 1, 1, 1, 1, 0, NULL, 5, 5, 0, 0, 0, 0, 0.5,"
    " NULL)",
    "UPDATE run SET usd = usd + 0.5, tokens = tokens + 10 WHERE id = 2",
    "INSERT OR IGNORE INTO decision (session, tool_use_id, at, tool, agent, description, asked,"
    " would, origin, action, set_tier, reason, budget, level, used, parent) VALUES (13, 't2',"
    " 1795262500.0, 'Agent', 9, NULL, NULL, NULL, 'unknown', 'left', NULL, '', NULL, 'ok', NULL,"
    " NULL)",
    "UPDATE decision SET agent_id = 'a2' WHERE session = 13 AND tool_use_id = 't2'",
)


@pytest.fixture
def old(home: Path) -> Path:
    """The ledger in use, as version 1 left it."""
    file = home / ".claude/claude-tier/ledger.db"
    file.parent.mkdir(parents=True)
    write(file)
    return file


def write(file: Path) -> None:
    with closing(sqlite3.connect(file)) as db:
        db.executescript(TEXT.read_text())


def rows(file: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every table's rows, in the columns version 1 had."""
    with closing(sqlite3.connect(":memory:")) as first:
        first.executescript(TEXT.read_text())
        tables = [
            one[0] for one in first.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        columns = {
            table: ", ".join(one[1] for one in first.execute(f"PRAGMA table_info({table})"))
            for table in tables
        }
    with closing(sqlite3.connect(file)) as db:
        return {
            table: sorted(db.execute(f"SELECT {names} FROM {table}").fetchall(), key=repr)
            for table, names in columns.items()
        }


def test_every_row_is_kept(old: Path) -> None:
    """And the version is the new one."""
    before = rows(old)
    assert all(before[table] for table in ("usage", "decision", "run", "level", "reservation"))
    db = ledger.connect()
    assert db.execute("PRAGMA user_version").fetchone() == (ledger.VERSION,)
    db.close()
    assert rows(old) == before


def test_what_reports_need_is_filled_from_the_rows(old: Path) -> None:
    """When each session was last used, and what has to be summed."""
    db = ledger.connect()
    last = db.execute("SELECT id, last FROM session ORDER BY id").fetchall()
    assert last == [(2, books.NOON + 90_000), (6, books.NOON + 60)]
    marked = set(db.execute("SELECT kind, number FROM stale"))
    assert marked == {("session", 2), ("session", 6), ("day", 20778), ("day", 20779)}
    db.close()


def test_to_open_it_again_changes_nothing(old: Path) -> None:
    """The second process finds the work done."""
    ledger.connect().close()
    with closing(sqlite3.connect(old)) as db:
        db.execute("DELETE FROM stale")
        db.commit()
        before = db.execute("SELECT sql FROM sqlite_master").fetchall()
    with closing(ledger.connect()) as db:
        assert db.execute("SELECT count(*) FROM stale").fetchone() == (0,)
        assert db.execute("SELECT sql FROM sqlite_master").fetchall() == before


def test_an_older_runtime_goes_on_writing_to_it(old: Path) -> None:
    """Its statements hold, and what they change is marked for the reports."""
    with closing(ledger.connect()) as db:
        db.execute("DELETE FROM stale")
        with ledger.Writing(db):
            for statement in OLD_STATEMENTS:
                db.execute(statement)
            sums = (1, 5, 5, 0, 0, 0, 0, 0.5, 0)
            db.execute(ledger.ADD_TO_BUCKET, (1994736, 13, 9, 10, 1, 7, *sums))
        marks = {(20778, "day"), (13, "session"), (13, "saving")}
        assert set(db.execute("SELECT * FROM stale")) == marks
        found = db.execute("SELECT agent_id, facts, rules FROM decision WHERE session = 13")
        assert found.fetchone() == ("a2", None, None)


def test_a_ledger_of_version_2_gets_what_the_router_keeps(home: Path) -> None:
    """An older runtime goes on with it."""
    file = home / ".claude/claude-tier/ledger.db"
    file.parent.mkdir(parents=True)
    with closing(sqlite3.connect(file)) as made:
        for statement in (*schema.FIRST, *schema._SECOND):
            made.execute(statement)
        made.execute("INSERT INTO name (text) VALUES ('kept')")
        made.execute("PRAGMA user_version = 2")
        made.commit()
    with closing(ledger.connect()) as db:
        tables = {row[0] for row in db.execute("SELECT name FROM sqlite_master")}
        assert {"cooldown", "exchange", "exchange_by_time"} <= tables
        assert db.execute("SELECT text FROM name").fetchall() == [("kept",)]
        assert cooldowns.listed(db, books.NOON) == []
        whole = db.execute("SELECT sql FROM sqlite_master ORDER BY name").fetchall()
    with closing(ledger.connect(str(home / "new.db"))) as fresh:
        assert fresh.execute("SELECT sql FROM sqlite_master ORDER BY name").fetchall() == whole


def test_a_decision_is_recorded_beside_older_ones(old: Path, home: Path) -> None:
    """The gate of this version works on the file it found."""
    event = {
        "session_id": "11111111-aaaa", "cwd": "/repo/app", "tool_name": "Agent",
        "tool_use_id": "toolu_new", "tool_input": {"subagent_type": "Explore", "prompt": "p"},
    }  # fmt: skip
    books.answer(home, books.OPUS)
    gate.answer(event)
    with closing(sqlite3.connect(old)) as db:
        assert db.execute("SELECT count(*) FROM decision").fetchone() == (3,)


def test_an_older_spool_file_is_imported(old: Path) -> None:
    """A decision that an older runtime could not write has no facts."""
    row = {"session": "s", "tool_use_id": "t", "at": books.NOON, "tool": "Agent",
           "agent": "Explore", "action": "kept"}  # fmt: skip
    ledger.spool({"decision": row, "held": None})
    with closing(ledger.connect()) as db:
        ingest.everything(db, policy.load())
        with ledger.Writing(db):
            decisions.drain(db)
        assert db.execute("SELECT facts FROM decision WHERE tool_use_id = 't'").fetchone() == (
            None,
        )

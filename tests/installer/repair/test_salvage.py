"""Which table a stored row is of, and names that are nowhere."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from claude_tier.repair import salvage, shapes
from claude_tier.repair.pages import Pages
from claude_tier_hooks import ledger
from wreckage import Content, content


def counted(file: str, table: str) -> int:
    with closing(sqlite3.connect(file)) as db:
        return int(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def test_each_row_is_recognised_by_its_form_alone(full: Content) -> None:
    """Of every table that is salvaged, and nothing of any other or of an index."""
    db = ledger.connect()
    db.execute("INSERT INTO told VALUES (1, 'levels', 'daily=ok'), (1, 'table', NULL)")
    db.execute("INSERT INTO reservation VALUES (1, 't', 1.5e9, 1.6e9, 2, 3, NULL, 0.5, 100)")
    db.execute("INSERT INTO rules VALUES (77, 1.5e9, '{}')")
    db.execute("INSERT INTO plan_sample VALUES (1.5e9, 'five_hour', 12.5, 1.6e9)")
    db.execute(
        "INSERT INTO exchange VALUES ('a1', 1.5e9, 1, 'ask', NULL, 'api/x', 'api/x', 'x',"
        " 'msg_router_a1', 2.5, '[]', 'answered')"
    )
    db.execute(
        "INSERT INTO cooldown VALUES ('api', '-', '*', 'billing', 'used up', 1.5e9, 1.5e9, NULL,"
        " 0, 1, NULL)"
    )
    db.execute("INSERT INTO beat VALUES (1, 1.5e9, '1800', 0, NULL, NULL, NULL)")
    db.execute(
        "INSERT INTO receipt VALUES (1, 1.5e9, 1.5e9, 1, 'planned', 'ran', NULL, 'a1', 7, '7',"
        " 1.5e9, 1.6e9, 1.5e9, 'haiku', 'claude-haiku-5-5', 'a1', 1, NULL, NULL)"
    )
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    pages = Pages(Path(ledger.file()))
    found: dict[str, int] = {}
    for number in range(1, pages.count + 1):
        for cell in pages.cells(number):
            row = shapes.read(cell)
            if row:
                found[row[0].table] = found.get(row[0].table, 0) + 1
    pages.close()
    assert found == {table: counted(ledger.file(), table) for table in ("name", *shapes.NAMES)}


def test_a_whole_file_is_salvaged_whole(full: Content, tmp_path: Path) -> None:
    """Without SQLite having read a page of it."""
    target = tmp_path / "whole.db"
    assert salvage.salvage(Path(ledger.file()), target, [], lambda *_: None) == len(full.usage)
    assert content(str(target))[:5] == full[:5]


def test_noise_of_the_right_form_is_no_row(full: Content, tmp_path: Path) -> None:
    """Dollars, tokens and times beyond all measure; a saved cost that does not add up."""
    db = ledger.connect()
    for change in ("usd = 1e300", "output_tokens = 1 << 50", "at = 1e-20", "final = 77"):
        db.execute(f"UPDATE usage SET {change} WHERE id = (SELECT max(id) FROM usage)")
        db.execute("DELETE FROM usage WHERE id = (SELECT min(id) FROM usage)")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        rows = counted(ledger.file(), "usage")
        target = tmp_path / f"{rows}.db"
        assert salvage.salvage(Path(ledger.file()), target, [], lambda *_: None) == rows - 1
    db.execute("UPDATE cost_state SET total = total + 1")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    target = tmp_path / "costs.db"
    salvage.salvage(Path(ledger.file()), target, [], lambda *_: None)
    assert counted(str(target), "cost_state") == 0


def test_a_copy_of_another_ledger_names_nothing(full: Content, tmp_path: Path) -> None:
    """Its numbers mean other things."""
    other = tmp_path / "other.db"
    db = ledger.connect(str(other))
    with ledger.Writing(db):
        for number in range(400):
            ledger.name_id(db, f"foreign {number}")
    db.close()
    damaged = ledger.connect()
    damaged.execute("DELETE FROM name WHERE id % 3 = 0")
    damaged.execute("VACUUM")  # so that nothing of them is left on a free page
    damaged.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    damaged.close()
    target = tmp_path / "whole.db"
    salvage.salvage(Path(ledger.file()), target, [other], lambda *_: None)
    with closing(sqlite3.connect(target)) as db:
        names = {row[0] for row in db.execute("SELECT text FROM name")}
    assert not any(name.startswith("foreign") for name in names)
    assert any(name.startswith(salvage.LOST) for name in names)


def test_rows_from_before_a_column_was_added_are_salvaged(home: Path, tmp_path: Path) -> None:
    """They are stored short; those written since are whole."""
    file = home / ".claude/claude-tier/ledger.db"
    file.parent.mkdir(parents=True)
    text = (Path(__file__).parents[2] / "ledger_version_1.sql").read_text()
    with closing(sqlite3.connect(file)) as old:
        old.executescript(text)
    db = ledger.connect()
    db.execute(
        "INSERT INTO decision (session, tool_use_id, at, tool, agent, action, facts, rules)"
        " VALUES (6, 'new', 1.7e9, 'Agent', 9, 'kept', '{}', 77)"
    )
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    target = tmp_path / "whole.db"
    salvage.salvage(file, target, [], lambda *_: None)
    for table in shapes.NAMES:
        assert counted(str(target), table) == counted(str(file), table)
    with closing(sqlite3.connect(target)) as db:
        facts = db.execute("SELECT tool_use_id, facts, rules FROM decision ORDER BY 1").fetchall()
    assert facts == [("new", "{}", 77), ("toolu_2", None, None), ("toolu_Explore", None, None)]

"""`ledger verify`: each fault is named, with what to do; nothing is changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from books import answer
from claude_tier import cli
from claude_tier.repair import verify
from claude_tier.report import ledger_file
from claude_tier_hooks import ledger, policy, state
from syrupy.assertion import SnapshotAssertion
from wreckage import Content, overwrite

Capture = pytest.CaptureFixture[str]


def change(statement: str) -> None:
    db = ledger.connect()
    db.execute(statement)
    db.close()


def put(name: str, content: bytes) -> None:
    file = Path(state.path(name))
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(content)


FAULTS: dict[str, tuple[str, Callable[[], None]]] = {
    "a sum": ("sums of quarter hours", lambda: change("UPDATE bucket SET requests = requests + 1")),
    "a project": ("sums of quarter hours", lambda: change("UPDATE bucket SET project = 1")),
    "dollars": ("sums of quarter hours", lambda: change("UPDATE usage SET usd = usd + 0.01")),
    "a row": ("sums of quarter hours", lambda: change("DELETE FROM usage WHERE id = 3")),
    "unlisted": ("sums of quarter hours", lambda: change("UPDATE unlisted SET output_tokens = 0")),
    "a span": ("sums for budgets", lambda: change("UPDATE span SET tokens = tokens + 1")),
    "a run": ("sums of subagents", lambda: change("UPDATE run SET usd = usd + 1")),
    "a name": ("names", lambda: change("DELETE FROM name WHERE id = 2")),
    "a text": ("file", lambda: change("UPDATE session SET file = CAST(x'68ff' AS TEXT)")),
    "the file": ("file", lambda: overwrite(0, 100)),
    "the spool": ("spool", lambda: put("spool/1-1-1.json", b"{")),
    "a copy": ("damaged ledgers", lambda: put("ledger.db.damaged-1", b"x")),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named_with_what_to_do(fault: str, full: Content, capsys: Capture) -> None:
    """The exit code is 1 and everything else is as it should be."""
    check, spoil = FAULTS[fault]
    assert cli.main(["ledger", "verify", "--json"]) == 0
    capsys.readouterr()
    spoil()
    before = Path(ledger.file()).read_bytes()
    assert cli.main(["ledger", "verify", "--json"]) == 1
    found: Any = json.loads(capsys.readouterr().out)
    wrong = {one["check"]: one["todo"] for one in found["findings"] if not one["ok"]}
    assert check in wrong
    assert set(wrong) <= {check, "sums for budgets", "sums of subagents"}
    assert all(wrong.values())
    assert found["ok"] is False
    assert Path(ledger.file()).read_bytes() == before


@pytest.mark.parametrize("fault", [name for name in FAULTS if name not in ("the spool", "a row")])
def test_rebuild_does_what_verify_told(fault: str, full: Content) -> None:
    """Afterwards there is nothing left to say."""
    FAULTS[fault][1]()
    assert cli.main(["ledger", "rebuild"]) == 0
    assert cli.main(["ledger", "verify"]) == 0


def test_a_whole_ledger_is_said_to_be(
    home: Path, capsys: Capture, snapshot: SnapshotAssertion
) -> None:
    """One line for each check."""
    answer(home)
    with ledger_file.up_to_date(policy.load()):
        pass
    ledger.spool({"waits": 1})
    assert cli.main(["ledger", "verify"]) == 0
    assert capsys.readouterr().out == snapshot


def test_where_there_is_no_ledger_none_is_made(capsys: Capture) -> None:
    """A check writes nothing."""
    assert cli.main(["ledger", "verify"]) == 0
    assert "file: there is none yet" in capsys.readouterr().out
    assert not Path(ledger.file()).exists()


def test_what_sqlite_says_is_kept_short() -> None:
    """The first of it, on one line."""
    said = verify._brief(["*** in database main ***\nPage 7: one\nPage 8: two\nPage 9: three"])
    assert said == "Page 7: one; Page 8: two; …"


def test_a_copy_of_the_ledger_is_made_on_command(home: Path, capsys: Capture) -> None:
    """With everything in it that transcripts hold by now."""
    answer(home)
    assert cli.main(["ledger", "backup"]) == 0
    (copy,) = Path(state.path("backups")).glob("ledger-*.db")
    assert capsys.readouterr().out == f"Copied the ledger to {copy}\n"
    db = ledger.connect(str(copy))
    assert db.execute("SELECT count(*) FROM usage").fetchone() == (1,)
    db.close()


def test_a_copy_is_refused_while_damage_waits(home: Path, capsys: Capture) -> None:
    """It would replace one that may hold more; what to do is said."""
    assert cli.main(["ledger", "backup"]) == 0
    put("ledger.db.damaged-1", b"x")
    assert cli.main(["ledger", "backup"]) == 1
    assert "`claude-tier ledger rebuild`" in capsys.readouterr().err

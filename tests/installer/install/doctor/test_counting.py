"""What the doctor says of the ledger, its folder and the prices."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from claude_tier.install.doctor import counting
from claude_tier_hooks import ledger

from .conftest import Diagnose

Install = Callable[..., None]


@pytest.fixture
def book(install: Install, state: Path) -> Path:
    """An install with a ledger of a few rows."""
    install()
    path = state / "ledger.db"
    with closing(ledger.connect(str(path))) as db, ledger.Writing(db):
        for number in range(2000):
            ledger.name_id(db, f"a name that takes some room, number {number}")
    return path


def priced(path: Path, usd: float | None) -> None:
    """One response of a model, with that price."""
    with closing(ledger.connect(str(path))) as db, ledger.Writing(db):
        model = ledger.name_id(db, "glm-4.7")
        columns = "key, at, session, agent, model, source, requests, final, owned, fast, usd"
        row = ("msg_1", time.time(), 1, 1, model, 1, 1, 1, 1, 0, usd)
        db.execute(f"INSERT INTO usage ({columns}) VALUES ({', '.join('?' * 11)})", row)


def test_a_sound_ledger_is_named_with_its_rows(book: Path, diagnose: Diagnose) -> None:
    """Opened, checked, written to and left as it was."""
    priced(book, 0.5)

    (finding,) = diagnose()["ledger"]

    assert (finding.verdict, finding.what) == ("ok", f"{book} is sound (1 responses)")


def test_no_ledger_is_no_fault(install: Install, state: Path, diagnose: Diagnose) -> None:
    """Nothing was counted yet; looking makes none."""
    install()

    assert [finding.verdict for finding in diagnose()["ledger"]] == ["ok"]
    assert not (state / "ledger.db").exists()


@pytest.mark.parametrize("offset", [0, 8192])
def test_damage_is_a_fault_with_its_remedy(book: Path, diagnose: Diagnose, offset: int) -> None:
    """Bytes overwritten in the head or in the middle."""
    with book.open("r+b") as file:
        file.seek(offset)
        file.write(b"\xa5" * 4096)

    (finding,) = diagnose()["ledger"]

    assert finding.verdict == "fault"
    assert "ledger rebuild" in str(finding.todo)


def test_a_locked_ledger_is_a_fault(
    book: Path, diagnose: Diagnose, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody holds the write lock and does not let go."""
    monkeypatch.setattr(counting, "PATIENCE", 0.05)
    with closing(sqlite3.connect(book, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")

        (finding,) = diagnose()["ledger"]

    assert (finding.verdict, "locked" in finding.what) == ("fault", True)


def test_a_ledger_set_aside_is_remembered(book: Path, diagnose: Diagnose) -> None:
    """The rows in it can still be salvaged."""
    for name in ("ledger.db.damaged-1795000000", "ledger.db.damaged-1795000000-wal"):
        (book.parent / name).write_bytes(b"")

    assert diagnose()["ledger"][0].what.endswith("set aside as ledger.db.damaged-1795000000")


def test_an_unpriced_model_is_named(book: Path, diagnose: Diagnose) -> None:
    """A dollar budget cannot see it."""
    priced(book, None)

    (finding,) = diagnose()["prices"]

    assert finding.verdict == "warning"
    assert "no price for glm-4.7" in finding.what


def test_rows_that_wait_too_long_are_noticed(book: Path, diagnose: Diagnose) -> None:
    """A fresh one is the next writer's business."""
    ledger.spool({"a": 1})
    fresh = diagnose()
    for name in ledger.spooled():
        os.utime(name, (0, 0))

    assert "spool" not in fresh
    assert diagnose()["spool"][0].what.endswith("for the ledger: 1")


def test_a_folder_others_can_read_is_a_warning(book: Path, diagnose: Diagnose) -> None:
    """Descriptions of tasks are in there."""
    book.parent.chmod(0o755)

    (finding,) = diagnose()["modes"]

    assert (finding.verdict, finding.todo) == ("warning", f"Run `chmod 700 '{book.parent}'`.")


@pytest.mark.parametrize(
    ("free", "verdict"), [(10**6, "fault"), (50 * 10**6, "warning"), (10**9, "ok")]
)
def test_room_is_judged(
    book: Path, diagnose: Diagnose, monkeypatch: pytest.MonkeyPatch, free: int, verdict: str
) -> None:
    """A full disk is where counting ends."""
    usage = type("Usage", (), {"free": free})
    monkeypatch.setattr(counting.shutil, "disk_usage", lambda _: usage)

    assert [finding.verdict for finding in diagnose()["disk"]] == [verdict]

"""A ledger that is locked when a run has to write its receipt."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from claude_tier.errors import UserError
from claude_tier.heartbeat import alerts, planning, processes, receipts, running, spool
from claude_tier.heartbeat.processes import Worker
from claude_tier.heartbeat.receipts import MOST_FAILURES, End
from claude_tier.livecheck.request import Request
from claude_tier.routing import accounting
from claude_tier_hooks import ledger
from fault_server import Behaviour, FaultServer, Reply
from heartbeats import LOCAL, NOWHERE, Home, made

FILE = "---\nname: it\nevery: 1h\nmodel: local/alpha\n---\nLook at it.\n"


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits for the ledger gives up at once."""
    monkeypatch.setattr(running, "PATIENCE", 0.01)
    monkeypatch.setattr(accounting, "PATIENCE", 0.01)
    monkeypatch.setenv(processes.MARK, "")


def claim(here: Home, *runs: str) -> str:
    """A planned time of the one beat for each of these runs; the beat."""
    (beat,) = here.add(FILE)
    with closing(ledger.connect(patience=10)) as db, ledger.Writing(db):
        receipts.begin(db, beat.id, "s", 1.0)
        for slot, run in enumerate(runs):
            receipts.claim(
                db, beat.id, float(slot), run=run, origin="planned", worker=processes.me()
            )
    return beat.id


@contextmanager
def locked() -> Iterator[None]:
    with closing(ledger.connect(patience=10)) as db, ledger.Writing(db):
        yield


def test_the_answer_of_a_run_is_in_its_receipt_once_it_can_be(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told at once, and who started the run does not write something else meanwhile."""
    monkeypatch.chdir(home)
    writers: list[sqlite3.Connection] = []

    def lock(_request: Request) -> Behaviour:
        writers.append(
            sqlite3.connect(ledger.file(), isolation_level=None, check_same_thread=False)
        )
        writers[0].execute("BEGIN IMMEDIATE")
        return Reply("It is full.")

    with FaultServer(lock) as server:
        config = LOCAL.format(url=server.url)
        here = made(home, f"{config}heartbeat: {{on_alert: 'cat >> {home}/told'}}\n")
        claim(here, "r")
        outcome = running.run("r", lambda _line: None)
    assert outcome
    assert (outcome.end.status, outcome.end.ok) == ("ran", False)
    assert "It is full." in (home / "told").read_text()
    assert running.give_up("r", End("failed", "its process ended with exit code 1")) == []
    assert here.rows()[0]["status"] == "running"
    writers[0].close()

    running.settle()

    (row,) = here.rows()
    assert (row["status"], row["ok"], row["reason"]) == ("ran", 0, None)
    assert (row["served"], row["exchange"]) == ("alpha", outcome.end.exchange)
    assert spool.runs() == []


def test_who_steps_in_for_a_run_writes_what_it_said_of_itself(home: Path) -> None:
    """Not that its process has ended, which follows from the ledger's lock."""
    here = made(home, NOWHERE)
    claim(here, "r")
    with locked(), pytest.raises(UserError, match="database is locked"):
        running.run("r", lambda _line: None)

    running.give_up("r", End("failed", "its process ended with exit code 1"))

    (row,) = here.rows()
    assert row["status"] == "interrupted"
    assert "database is locked" in str(row["reason"])
    assert spool.runs() == []


def test_a_process_that_is_gone_is_not_given_up_before_its_word_is_read(home: Path) -> None:
    """It may have ended between the two."""
    here = made(home, NOWHERE)
    beat = claim(here, "r")
    spool.keep("r", End("ran", ok=True), 5.0)
    with closing(ledger.connect(patience=10)) as db:
        gone = Worker(1, "gone")
        assert receipts.take(db, "r", gone, now=1.0, deadline=2.0)
        planning.make(db, [], 10.0, processes.me())
        assert receipts.is_open(db, beat)
    running.settle()
    (row,) = here.rows()
    assert (row["status"], row["ended"]) == ("ran", 5.0)


def test_the_tenth_failure_is_told_when_it_is_written(home: Path) -> None:
    """Ends that wait count as any other, in their order."""
    here = made(home, NOWHERE)
    names = [f"r{number}" for number in range(MOST_FAILURES)]
    claim(here, *names)
    with locked():
        for name in names:
            assert running.give_up(name, End("failed", f"no {name}")) == []
        assert running.settle() == []
    assert len(spool.runs()) == MOST_FAILURES

    (told,) = running.settle()

    assert (told.kind, told.beat) == ("disabled", "it")
    assert alerts.listed() == [told]
    assert {row["reason"] for row in here.rows()} == {f"no {name}" for name in names}


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", '{"at": 1, "end": {"status": "ran", "other": 2}}'),
        '{"at": 1, "end": {"status": "ran", "reason": ["full"]}}',
    ],
)
def test_what_is_no_end_is_removed(home: Path, text: str) -> None:
    """Of another version, or cut."""
    spool.keep("r", End("ran"), 1.0)
    (home / ".claude/claude-tier/heartbeat/ends/r.json").write_text(text)
    assert running.settle() == []
    assert spool.runs() == []

"""A beat that is claimed and run within this process."""

from __future__ import annotations

import os
import select
import time
import uuid
from contextlib import closing
from pathlib import Path
from typing import Protocol

import pytest
from claude_tier.heartbeat import known, processes, receipts, running
from claude_tier.heartbeat.case import Outcome
from claude_tier_hooks import ledger
from heartbeats import PATIENCE

BEAT = "---\nname: it\nevery: 1h\n{more}\n---\n{text}\n"


class CarryOut(Protocol):
    """Claims a beat as a tick does, and runs it."""

    def __call__(self, name: str = "it", origin: receipts.Origin = "planned") -> Outcome: ...


def file(more: str = "model: local/alpha", text: str = "Look at it.") -> str:
    """A HEARTBEAT.md with a beat called `it`."""
    return BEAT.format(more=more, text=text)


@pytest.fixture
def carry_out(home: Path, monkeypatch: pytest.MonkeyPatch) -> CarryOut:
    """Claim a beat as a tick does, and run it in this process."""
    monkeypatch.setenv(processes.MARK, "")
    monkeypatch.chdir(home)

    def carry_out(name: str = "it", origin: receipts.Origin = "planned") -> Outcome:
        beat = known.read().find(name).beat
        run = uuid.uuid4().hex
        with closing(ledger.connect(patience=10)) as db, ledger.Writing(db):
            receipts.begin(db, beat.id, "s", 1.0)
            assert receipts.claim(
                db, beat.id, time.time(), run=run, origin=origin, worker=processes.me()
            )
        outcome = running.run(run, lambda _line: None)
        assert outcome
        return outcome

    return carry_out


def wait_for_the_end_of(pid: int) -> None:
    """Of a process that may be gone already."""
    try:
        watched = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    assert select_one(watched)
    os.close(watched)


def select_one(descriptor: int) -> bool:
    """Whether there is something to read within the time."""
    return bool(select.select([descriptor], [], [], PATIENCE)[0])

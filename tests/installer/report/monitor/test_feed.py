"""Look after look: what is new is read, and a ledger in trouble does not end the monitor."""

from __future__ import annotations

from pathlib import Path

import pytest
from books import HAIKU, NOON, answer, decide, policy
from claude_tier.errors import UserError
from claude_tier.report.monitor import feed
from claude_tier_hooks import ingest, ledger, state


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_new_answers_of_a_session_at_work_are_read(
    home: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a look at every transcript there is; its subagents' too."""
    policy(home)
    answer(home, at=NOON - 60)
    look = feed.Feed("/repo/app", clock=clock)
    before = look()
    monkeypatch.setattr(ingest, "everything", None)
    answer(home, at=NOON - 30)
    answer(home, HAIKU, at=NOON - 20, agent="Explore")
    after = look()
    assert after.today.tokens == before.today.tokens + 6000
    assert [run.agent for run in after.runs] == ["Explore"]


def test_a_session_nobody_knew_is_read_twice_a_minute(home: Path, clock: Clock) -> None:
    """A new one that no hook told of."""
    policy(home)
    look = feed.Feed("/repo/app", clock=clock)
    look()
    answer(home, at=NOON - 60, session="33333333-cccc")
    assert look().today.tokens == 0
    clock.now += feed.WHOLE
    assert look().today.tokens == 3000


def test_a_proof_comes_with_the_subagents_first_answer(home: Path, clock: Clock) -> None:
    """From its transcript, where no hook said it."""
    policy(home)
    answer(home, at=NOON - 60)
    decide("toolu_Explore", at=NOON - 50)
    look = feed.Feed("/repo/app", clock=clock)
    assert look().decisions[0].ran is None
    answer(home, HAIKU, at=NOON - 20, agent="Explore")
    found = look().decisions[0]
    assert (found.ran, found.proof) == (HAIKU, "held")


def test_a_busy_ledger_is_said_and_read_as_it_stands(
    home: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then everything is in again."""
    monkeypatch.setattr(ledger, "PATIENCE", 0.01)
    policy(home)
    answer(home, at=NOON - 60)
    look = feed.Feed("/repo/app", clock=clock)
    look()
    answer(home, at=NOON - 30)
    decide("t1")
    writer = ledger.connect(patience=0.01)
    writer.execute("BEGIN IMMEDIATE")
    connect = ledger.connect
    monkeypatch.setattr(ledger, "connect", lambda: connect(patience=0.01))
    busy = look()
    writer.execute("ROLLBACK")
    writer.close()
    assert busy.notice == feed.BUSY
    assert busy.today.tokens == 3000
    assert [one.tool_use_id for one in busy.decisions] == ["t1"]
    free = look()
    assert free.notice is None
    assert free.today.tokens == 6000


def test_a_damaged_ledger_is_said_and_the_last_figures_stay(home: Path, clock: Clock) -> None:
    """It is a hook's or a command's to move it aside; the monitor goes on with the new one."""
    policy(home)
    answer(home, at=NOON - 60)
    look = feed.Feed("/repo/app", clock=clock)
    look()
    for file in Path(ledger.file()).parent.glob("ledger.db-*"):
        file.unlink()
    Path(ledger.file()).write_bytes(b"not a database, whatever it once was\n" * 200)
    clock.now += 2
    found = look()
    assert found.notice is not None
    assert found.notice.startswith("The ledger is damaged: ")
    assert "`claude-tier ledger rebuild`" in found.notice
    assert (found.at, found.today.tokens) == (NOON, 3000)

    Path(ledger.file()).unlink()
    clock.now += feed.WHOLE
    again = look()
    assert (again.notice, again.today.tokens) == (None, 3000)


def test_a_first_look_that_fails_is_an_error(home: Path, clock: Clock) -> None:
    """There is nothing to show yet."""
    state.ensure()
    Path(ledger.file()).mkdir()
    with pytest.raises(UserError, match="cannot be used"):
        feed.Feed("/repo/app", clock=clock)()

"""`heartbeat status` and `history`: whether it lives, and what became of each planned time."""

from __future__ import annotations

import json
import os
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from books import HOUR, NOON
from claude_tier import cli, config
from claude_tier.errors import UserError
from claude_tier.heartbeat import alerts, health, health_screen, history, receipts
from claude_tier.heartbeat.alerts import Alert
from claude_tier.heartbeat.processes import Worker
from claude_tier.heartbeat.receipts import End, Span
from claude_tier_hooks import ledger, policy, tick
from heartbeats import Home, made
from syrupy.assertion import SnapshotAssertion

HALF = HOUR // 2
FILE = """\
---
every: 30m
tz: UTC
tasks:
  - {name: disk, prompt: Say how full it is., check: "false"}
  - {name: inbox, prompt: Say what is new.}
  - {name: news, prompt: Say what is new there.}
---
"""
SOMEBODY = Worker(1, "then")


@pytest.fixture
def here(home: Path) -> Home:
    """Three beats, planned since two hours ago, with the tick of a minute ago."""
    found = made(home)
    found.add(FILE)
    found.plan(NOON - 2 * HOUR)
    ticked(NOON - 60)
    return found


def ticked(at: float) -> None:
    tick.mark_alive()
    os.utime(tick.alive_file(), (at, at))


def of(here: Home, name: str) -> str:
    return f"{here.file}#{name}"


def ran(here: Home, name: str, at: float, end: End) -> None:
    """A planned time, claimed and ended five seconds later."""
    run = f"{name}-{at}"
    with closing(ledger.connect(patience=10)) as db, ledger.Writing(db):
        beat = of(here, name)
        assert receipts.claim(db, beat, at, run=run, origin="planned", worker=SOMEBODY)
        assert receipts.take(db, run, SOMEBODY, now=at + 1, deadline=at + 300)
        assert receipts.finish(db, run, end, at + 6)


def skipped(here: Home, name: str, *at: float, reason: str = "missed") -> None:
    with closing(ledger.connect(patience=10)) as db, ledger.Writing(db):
        receipts.skip(db, of(here, name), Span(at[0], at[-1], len(at)), reason, at=NOON)


def looked(now: float = NOON) -> health.Health:
    loaded = config.load(Path(config_file())).config
    with closing(ledger.connect(patience=10)) as db:
        return health.query(db, loaded, policy.load(), now)


def config_file() -> str:
    from claude_tier import paths

    return str(paths.state_dir() / config.CONFIG)


def screen(now: float = NOON, width: int = 110) -> str:
    """Without the folder that a test happens to have."""
    return health_screen.as_text(looked(now), now=now, width=width)


def busy(here: Home) -> None:
    """One that was well and is skipped since, one with an alert, one that failed ten times."""
    ran(
        here, "disk", NOON - 2 * HOUR, End("ran", asked="haiku", served="claude-haiku-5-5", ok=True)
    )
    skipped(here, "disk", NOON - HOUR, NOON - HALF, reason="its check found nothing")
    ran(here, "inbox", NOON - HALF, End("ran", asked="haiku", served="claude-haiku-5-5", ok=False))
    alerts.raise_(
        Alert(NOON - HALF, "answer", "inbox", str(here.file), "Two\x1b[31m letters wait.")
    )
    for number in range(10):
        ran(here, "news", NOON - HOUR + number, End("failed", "key: its key was refused"))


def test_a_day_on_one_screen(here: Home, snapshot: SnapshotAssertion) -> None:
    """Last run and outcome, why it did not run since, what is next, who is off, what was told."""
    busy(here)
    assert screen() == snapshot
    assert screen(width=70) == snapshot(name="narrow")


def test_the_newest_alerts_are_shown_and_how_many_there_are(here: Home) -> None:
    """Of many, five."""
    for number in range(8):
        alerts.raise_(Alert(NOON - 60 + number, "answer", "disk", str(here.file), f"{number} left"))
    lines = screen().splitlines()
    first = lines.index("The newest alerts, 8 not shown in a session yet:")
    assert [line.split(": ")[1] for line in lines[first + 1 : -1]] == [
        f"{number} left" for number in range(3, 8)
    ]
    assert lines[-1] == "  and 3 more before"
    assert looked(NOON).fields()["kept_alerts"] == 8


def test_a_scheduler_is_dead_after_three_minutes(here: Home) -> None:
    """Quiet and dead can be told apart, by the exit code too."""
    assert screen(NOON + 60).startswith("Alive: ")
    assert screen(NOON + 180).startswith("DEAD: ")


@pytest.mark.parametrize(("age", "code"), [(10, 0), (600, 1)])
def test_a_script_sees_a_dead_scheduler(
    here: Home, age: float, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """With exit code 1, and in the JSON."""
    ticked(time.time() - age)
    assert cli.main(["heartbeat", "status", "--json"]) == code
    found = json.loads(capsys.readouterr().out)
    assert found["scheduler"] == ("dead" if code else "alive")
    assert [one["name"] for one in found["beats"]] == ["disk", "inbox", "news"]


def test_without_a_scheduler_it_is_said_how_to_get_one(here: Home) -> None:
    """That is no failure: nobody asked for one."""
    Path(tick.alive_file()).unlink()
    assert looked().scheduler == "none"
    assert "`claude-tier heartbeat install`" in screen()


def test_a_beat_that_is_off_has_no_next_time(here: Home) -> None:
    """And is said to be off, with the way back."""
    with closing(ledger.connect(patience=10)) as db, ledger.Writing(db):
        receipts.switch(db, of(here, "inbox"), on=False, why="switched off by hand", now=NOON)
    found = {one.beat.name: one for one in looked().beats}
    assert (found["inbox"].state, found["inbox"].next) == ("off", None)
    assert found["disk"].next == NOON + HALF
    assert "`claude-tier heartbeat enable inbox`" in screen()


def test_a_file_with_a_mistake_is_named(here: Home) -> None:
    """Nothing of it runs."""
    here.file.write_text("---\nevry: 30m\n---\n- Look.\n")
    found = looked()
    assert (found.beats, len(found.broken)) == ((), 1)
    shown = screen(width=1000)
    assert "evry: unknown key; did you mean every?" in shown
    assert "\n  Nothing of that file runs: mend it, or " in shown
    assert f"`claude-tier heartbeat remove {here.file}`." in shown
    assert "No beat" not in shown


def test_a_file_that_is_gone_is_named(here: Home) -> None:
    """With the way to have it forgotten."""
    here.file.unlink()
    shown = screen(width=1000)
    assert f"`claude-tier heartbeat remove {here.file}`." in shown
    assert "No beat" not in shown


def test_what_beats_spent_is_in_their_own_budget(here: Home) -> None:
    """Of all of them, in the period of config.yaml."""
    with closing(ledger.connect(patience=10)) as db:
        agent = ledger.name_id(db, "heartbeat")
        row = (int(NOON // 900), 1, agent, 90, 91, 2)
        db.execute(ledger.ADD_TO_BUCKET, (*row, 1, 1000, 0, 0, 0, 0, 0, 0.46, 0))
    assert looked().budget == (0.46, 0.5, "day", "cap", 0)
    assert "$0.46 of $0.50 a day, cap." in screen()


def listed(name: str | None = None, **more: Any) -> list[history.Receipt]:
    with closing(ledger.connect(patience=10)) as db:
        return history.query(db, name, **more)


def test_history_has_every_receipt(here: Home, snapshot: SnapshotAssertion) -> None:
    """Oldest first, with reasons, and the sum of what was not sent."""
    busy(here)
    saved = End("skipped", "unchanged since all was well", saved_bytes=2100, saved_usd=0.0007)
    ran(here, "inbox", NOON, saved)
    assert history.as_text(listed(), width=110) == snapshot


def test_history_knows_a_beat_by_its_name_and_with_its_file(here: Home) -> None:
    """Also one that has gone from its file; another whose name ends the same is not meant."""
    skipped(here, "disk", NOON - HOUR)
    skipped(here, "hard-disk", NOON - HALF)
    assert [one.name for one in listed("disk")] == ["disk"]
    assert [one.name for one in listed(of(here, "hard-disk"))] == ["hard-disk"]
    with pytest.raises(UserError, match="nothing has no receipt"):
        listed("nothing")


def test_history_begins_at_a_day(here: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """Times that share a receipt count with their last one."""
    skipped(here, "disk", NOON - 30 * HOUR, NOON - HOUR)
    skipped(here, "inbox", NOON - 30 * HOUR)
    assert [one.name for one in listed(since=NOON - 2 * HOUR)] == ["disk"]
    assert cli.main(["heartbeat", "history", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["receipts"]) == 2


def test_history_says_what_a_run_cost(here: Home) -> None:
    """By the request that its receipt refers to; None where it has no price."""
    ran(here, "inbox", NOON, End("ran", asked="haiku", served="h", exchange="x1", ok=True))
    with closing(ledger.connect(patience=10)) as db, ledger.Writing(db):
        db.execute(
            "INSERT INTO exchange (id, at, session, origin, asked, usage, seconds, attempts,"
            " outcome) VALUES ('x1', ?, 1, 'heartbeat', 'h', 'u1', 1, '[]', 'answered')",
            (NOON,),
        )
    (one,) = listed("inbox")
    assert (one.usd, one.came_to) == (None, "well")
    assert history.summary([one]) == "1 request, $0.00+."
    assert history.summary([replace(one, usd=0.25)]) == "1 request, $0.25."

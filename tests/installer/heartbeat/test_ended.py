"""A beat's process that is told to end, and what is known of processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest
from claude_tier.heartbeat import history, processes, receipts
from claude_tier.heartbeat.processes import Worker
from claude_tier.livecheck.request import Request
from claude_tier_hooks import ledger
from fault_server import FAULTS, Behaviour, FaultServer
from heartbeats import LOCAL, PATIENCE, Home, made

from .conftest import select_one, wait_for_the_end_of

BOTH = (
    "providers:\n"
    "  paid: {{kind: openai-compatible, base_url: '{paid}',"
    " prices: {{alpha: {{input: 1, output: 1}}}}}}\n"
    "  local: {{kind: openai-compatible, base_url: '{local}', free: true}}\n"
    "router: {{retries: 0}}\n"
)
CLAIMED = (sys.executable, "-m", "claude_tier", "heartbeat", "run", "--claimed", "r")


def claim(here: Home, text: str) -> None:
    (beat,) = here.add(text)
    with closing(ledger.connect(patience=10)) as db, ledger.Writing(db):
        receipts.begin(db, beat.id, "s", 1.0)
        receipts.claim(db, beat.id, 7.0, run="r", origin="planned", worker=processes.me())


def test_one_that_is_told_to_end_while_it_asks_says_so(home: Path) -> None:
    """The request is broken off, and the router's row is there as well."""
    asked = threading.Event()

    def silent(_request: Request) -> Behaviour:
        asked.set()
        return FAULTS["silent"]

    with FaultServer(silent) as server:
        here = made(home, LOCAL.format(url=server.url))
        claim(here, "---\nevery: 1h\nmodel: local/alpha\n---\nlook\n")
        with here.start(*CLAIMED) as process:
            assert asked.wait(PATIENCE)
            process.terminate()
            assert process.communicate(timeout=PATIENCE)[0] == b""

    (row,) = here.rows()
    assert (row["status"], row["reason"]) == ("interrupted", "it was told to end")
    with closing(ledger.connect()) as db:
        assert db.execute("SELECT outcome FROM exchange").fetchall() == [("cancelled",)]


def test_what_one_had_cost_when_it_was_told_to_end_stands_in_its_history(home: Path) -> None:
    """The first model gave up in the middle, which is billed; the second was asked meanwhile."""
    asked = threading.Event()

    def silent(_request: Request) -> Behaviour:
        asked.set()
        return FAULTS["silent"]

    with FaultServer(FAULTS["openrouter_given_up"]) as paid, FaultServer(silent) as server:
        here = made(home, BOTH.format(paid=paid.url, local=server.url))
        claim(here, "---\nevery: 1h\nmodel: paid/alpha\nfallback: local/alpha\n---\nlook\n")
        with here.start(*CLAIMED) as process:
            assert asked.wait(PATIENCE)
            process.terminate()
            process.communicate(timeout=PATIENCE)

    with closing(ledger.connect()) as db:
        (receipt,) = history.query(db, None)
    assert receipt.status == "interrupted"
    assert receipt.usd == pytest.approx(1100e-6)
    assert "1 request, $0.0011." in history.as_text([receipt], width=120)


def test_one_that_is_told_to_end_while_it_checks_ends_its_check(home: Path) -> None:
    """With all that it started."""
    here = made(home, LOCAL.format(url="http://127.0.0.1:9"))
    here.project.mkdir()
    os.mkfifo(here.project / "started")
    check = "sleep 1000 & echo $! > started; sleep 1000"
    claim(here, f"---\nevery: 1h\nmodel: local/alpha\ncheck: {check}\n---\nlook\n")
    with here.start(*CLAIMED) as process:
        pid = int((here.project / "started").read_text())  # waits until it is written
        process.terminate()
        assert process.communicate(timeout=PATIENCE)[0] == b""

    (row,) = here.rows()
    assert (row["status"], row["reason"]) == ("interrupted", "it was told to end")
    wait_for_the_end_of(pid)


def test_a_claude_that_vanished_is_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not on PATH: a failure that only the user can mend."""
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    here = made(home)
    claim(here, "---\nevery: 1h\n---\nlook\n")
    with here.start(*CLAIMED) as process:
        process.communicate(timeout=PATIENCE)

    (row,) = here.rows()
    assert row["status"] == "failed"
    assert str(row["reason"]).startswith("connect: ")
    (kept,) = (home / ".claude/claude-tier/heartbeat/alerts").iterdir()
    assert "install Claude Code" in kept.read_text()


def test_a_process_is_known_by_its_start(home: Path) -> None:
    """One that has ended is gone before anybody waited for it; another with its number is no it."""
    assert processes.me().is_alive
    assert not Worker(os.getpid(), "another start").is_alive
    with subprocess.Popen(["/bin/true"]) as ended:
        watched = os.pidfd_open(ended.pid)
        assert select_one(watched)
        assert processes.started(ended.pid) is None
        os.close(watched)


def test_what_a_run_started_is_ended_whatever_group_it_made(home: Path) -> None:
    """By its mark, where its own process is gone."""
    command = ["/bin/sh", "-c", "sleep 1000 & sleep 1000"]
    env = {"PATH": "/usr/bin:/bin", processes.MARK: "the run"}
    with (
        subprocess.Popen(command, env=env, start_new_session=True) as marked,
        subprocess.Popen(["/bin/sleep", "1000"], env={processes.MARK: "another"}) as other,
    ):
        processes.kill(Worker(os.getpid(), "gone"), "the run")
        assert marked.wait(PATIENCE) == -signal.SIGKILL
        assert other.poll() is None
        other.kill()

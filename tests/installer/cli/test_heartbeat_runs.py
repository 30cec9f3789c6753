"""`claude-tier heartbeat run`, `enable`, `disable` and `tick`, as the user calls them."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest
from claude_tier.cli import main
from claude_tier.heartbeat import known, planning, processes, receipts, running, spool
from claude_tier.heartbeat.receipts import MOST_FAILURES, End
from claude_tier_hooks import ledger, tick
from fault_server import FAULTS, FaultServer, Reply
from heartbeats import LOCAL, Home, made

FILE = "---\nname: disk\nevery: 1h\nmodel: local/alpha\n---\nLook at the disk.\n"
NOWHERE = LOCAL.format(url="http://127.0.0.1:9")


@pytest.fixture
def here(home: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A beat called disk whose model is nowhere."""
    monkeypatch.setenv(processes.MARK, "")
    monkeypatch.chdir(home)
    found = made(home, NOWHERE)
    found.add(FILE)
    return found


def serve(here: Home, server: FaultServer) -> None:
    """Have its model answer."""
    made(here.folder, LOCAL.format(url=server.url))


def test_run_prints_what_there_is_to_tell(here: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """And on stderr that all is well; a terminal obeys nothing of it."""
    with FaultServer([Reply("It is \x1b[2Jfull."), Reply("HEARTBEAT_OK")]) as server:
        serve(here, server)
        assert main(["heartbeat", "run", "disk"]) == 0
        first = capsys.readouterr()
        assert main(["heartbeat", "run", "disk"]) == 0
        second = capsys.readouterr()
    assert "\x1b" not in first.out
    assert "full." in first.out
    assert (second.out, second.err) == ("", "All is well.\n")


def test_run_fails_with_the_reason(here: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1, and its receipt is by hand."""
    with FaultServer(FAULTS["openai_quota"]) as server:
        serve(here, server)
        assert main(["heartbeat", "run", "disk", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["status"], found["reason"][:9]) == ("failed", "billing: ")
    assert [one["kind"] for one in found["alerts"]] == ["failure"]
    (row,) = here.rows()
    assert (row["origin"], row["status"]) == ("hand", "failed")


def test_a_run_by_hand_is_no_planned_time(here: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """The schedule goes on as if it had not been."""
    main(["heartbeat", "run", "disk"])
    now = 1_795_251_600.0
    here.plan(now - 1)
    with closing(ledger.connect()) as db:
        plan = planning.make(db, known.read().beats, now, processes.me())
    assert [one.slot for one in plan.claims] == [now]


def test_what_an_end_that_waited_makes_worth_telling_is_told(
    here: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    """The ledger was locked at the tenth failure in a row, and no tick has come since."""
    made(here.folder, f"{NOWHERE}heartbeat: {{on_alert: 'cat >> {here.folder}/told'}}\n")
    here.plan(1.0)
    beat, last = known.read().find("disk").beat, MOST_FAILURES - 1
    with closing(ledger.connect()) as db, ledger.Writing(db):
        for slot in range(MOST_FAILURES):
            name, worker = f"r{slot}", processes.me()
            receipts.claim(db, beat.id, slot, run=name, origin="planned", worker=worker)
            if slot < last:
                receipts.finish(db, name, End("failed", "no"), 2.0)
    spool.keep(f"r{last}", End("failed", "no"), 2.0)
    assert main(["heartbeat", "run", "disk"]) == 1
    (told,) = (here.folder / "told").read_text().splitlines()
    assert json.loads(told)["kind"] == "disabled"


def test_a_beat_that_is_running_is_not_run_beside_itself(
    here: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody is asked twice."""
    beat = known.read().find("disk").beat
    with closing(ledger.connect()) as db, ledger.Writing(db):
        receipts.claim(db, beat.id, 1.0, run="r", origin="planned", worker=processes.me())
    assert main(["heartbeat", "run", "disk"]) == 1
    assert "disk is running" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (FILE.replace("disk", "news"), "news is not allowed yet"),
        (FILE.replace("model", "check: 'true'\nmodel"), "disk is not allowed since it changed"),
    ],
)
def test_what_was_not_allowed_is_refused_with_the_way_to_allow_it(
    here: Home, text: str, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A check that is new, and one that has changed; neither leaves a receipt."""
    here.file.write_text(text)
    assert main(["heartbeat", "run", why.split()[0]]) == 1
    said = capsys.readouterr().err
    assert why in said
    assert f"`claude-tier heartbeat add {here.file}`" in said
    assert here.rows() == []


def test_run_needs_a_name_and_its_help_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    """An argument that may be left out would stand in brackets."""
    assert main(["heartbeat", "run", "--help"]) == 0
    assert " NAME\n" in capsys.readouterr().out.partition("\n\n")[0] + "\n"
    assert main(["heartbeat", "run"]) == 2


@pytest.mark.parametrize("command", ["run", "enable", "disable"])
def test_a_name_that_nobody_has_is_answered_with_those_there_are(
    here: Home, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """And how a file gets among them."""
    assert main(["heartbeat", command, "dsk"]) == 1
    said = capsys.readouterr().err
    assert "there is no beat dsk" in said
    assert "Known beats: disk." in said


def test_a_beat_is_disabled_and_enabled(here: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """The next tick plans anew; twice is once."""
    Path(tick.due_file()).parent.mkdir(exist_ok=True)
    Path(tick.due_file()).write_text("{}")
    for command in ("disable", "disable", "enable", "enable"):
        assert main(["heartbeat", command, "disk"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "disk is off.",
        "disk was off.",
        "disk is on again.",
        "disk was on.",
    ]
    assert not Path(tick.due_file()).exists()


def test_a_disabled_beat_is_listed_as_off_and_without_a_next_time(
    here: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    """On the screen and in the JSON."""
    assert main(["heartbeat", "disable", "disk"]) == main(["heartbeat", "list"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].split() == (
        ["disk", "every", "1h", "local/alpha", "off"]
    )
    assert main(["heartbeat", "list", "--json"]) == 0
    ((beat,),) = (one["beats"] for one in json.loads(capsys.readouterr().out)["files"])
    assert (beat["state"], beat["next"]) == ("off", None)


def test_claude_cannot_enable_what_its_user_disabled(
    here: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Inside a session that is refused; to disable is not."""
    monkeypatch.setenv("CLAUDECODE", "1")
    assert main(["heartbeat", "disable", "disk"]) == 0
    assert main(["heartbeat", "enable", "disk"]) == 1
    assert "does not run inside a Claude Code session" in capsys.readouterr().err


def test_a_damaged_ledger_is_set_aside_and_beats_begin_anew(here: Home) -> None:
    """Nobody may be there to do it."""
    assert main(["heartbeat", "tick"]) == 0
    file = Path(ledger.file())
    for beside in file.parent.glob("ledger.db-*"):
        beside.unlink()
    file.write_bytes(b"no ledger" * 1000)

    assert main(["heartbeat", "tick"]) == 0

    assert list(file.parent.glob("ledger.db.damaged-*"))
    assert here.rows() == []


def test_a_locked_ledger_is_an_expected_failure(
    here: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The next tick finds everything as it was."""
    monkeypatch.setattr(running, "PATIENCE", 0.01)
    with closing(ledger.connect()) as db, ledger.Writing(db):
        assert main(["heartbeat", "tick"]) == 1
    assert "database is locked" in capsys.readouterr().err
    assert main(["heartbeat", "tick"]) == 0


def test_a_tick_says_nothing(here: Home, capfd: pytest.CaptureFixture[str]) -> None:
    """cron would send a mail."""
    assert main(["heartbeat", "tick"]) == 0
    assert capfd.readouterr() == ("", "")
    assert Path(tick.due_file()).exists()

"""`ledger rebuild`: whatever happened to the file, nothing readable is lost and no sum is wrong."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from books import HAIKU, NOON, answer, decide
from claude_tier import cli
from claude_tier.repair import rebuild, verify
from claude_tier_hooks import backup, ingest, ledger, policy, state
from examples import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wreckage import PAGE, SECTOR, Content, content, cut, overwrite, run, sweep

Capture = pytest.CaptureFixture[str]


def scatter() -> None:
    for part in range(1, 20):
        overwrite(part / 20, SECTOR)


DAMAGE: dict[str, Callable[[], None]] = {
    "a garbage header": lambda: overwrite(0, 100),
    "no first page": lambda: overwrite(0, PAGE),
    "noise in the middle": lambda: overwrite(0.5, 5 * PAGE + SECTOR),
    "noise near the start": lambda: overwrite(0.2, 3 * PAGE),
    "a torn end": lambda: cut(0.6),
    "noise everywhere": scatter,
}


def assert_all_there(full: Content, rebuilt: Content, *, noises: int) -> None:
    """Nothing is lost. Where noise begins in the middle of a row, that may still look like one:
    no more than that is more than it was.
    """
    for before, after in zip(full[:5], rebuilt[:5], strict=True):
        assert before <= after  # type: ignore[operator]
        assert len(after) - len(before) <= noises  # type: ignore[arg-type]


@pytest.mark.parametrize("damage", DAMAGE)
def test_transcripts_and_a_backup_bring_everything_back(damage: str, full: Content) -> None:
    """Each row, each decision."""
    backup.write(NOON)
    DAMAGE[damage]()
    done = run()
    assert_all_there(full, content(), noises=20)
    assert len(done.salvaged) == 1


@settings(max_examples=examples(5), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    noise=st.lists(st.tuples(st.floats(0, 1), st.integers(1, 60)), min_size=1, max_size=6),
    share=st.floats(0.01, 1),
)
def test_whatever_happened_to_the_file_everything_comes_back(
    noise: list[tuple[float, int]], share: float, full: Content, whole: Path, home: Path
) -> None:
    """Noise over any sectors, and the end torn off anywhere."""
    shutil.rmtree(home)
    shutil.copytree(whole, home)
    for at, sectors in noise:
        overwrite(at, SECTOR * sectors)
    cut(share)
    run()
    assert_all_there(full, content(), noises=len(noise))


@pytest.fixture
def whole(full: Content, home: Path, tmp_path: Path) -> Path:
    """A home with a full ledger and a backup of it, to be copied and broken."""
    backup.write(NOON)
    return shutil.copytree(home, tmp_path / "whole")


@pytest.mark.parametrize("damage", DAMAGE)
def test_every_readable_row_is_salvaged(damage: str, full: Content, home: Path) -> None:
    """With neither transcripts nor a backup: noise on a page costs that page, and no more."""
    sweep(home)
    pages = Path(ledger.file()).stat().st_size // PAGE
    DAMAGE[damage]()
    run()
    left = content()
    assert len(left.usage - full.usage) + len(left.decisions - full.decisions) <= 20
    lost = 1 - (len(left.usage) + len(left.decisions)) / (len(full.usage) + len(full.decisions))
    spoilt = {"a garbage header": 0, "no first page": 0, "a torn end": 0.4, "noise everywhere": 0.4}
    assert lost <= spoilt.get(damage, 20 / pages)


def test_usage_comes_back_from_transcripts_alone(full: Content) -> None:
    """Nothing of the file can be read: what the client still has is counted again."""
    Path(ledger.file()).write_bytes(b"\xff" * 50_000)
    run()
    rebuilt = content()
    assert (rebuilt.usage, rebuilt.cost_states, rebuilt.sums) == (
        full.usage,
        full.cost_states,
        full.sums,
    )


def test_a_lost_wal_costs_only_what_was_in_it(full: Content, home: Path) -> None:
    """A decision that was not checkpointed yet is gone; its usage is in the transcripts."""
    file = Path(ledger.file())
    before = file.read_bytes()
    decide("late")
    answer(home, HAIKU)
    db = ledger.connect()
    ingest.everything(db, policy.load())
    db.close()
    whole = content()
    file.write_bytes(before)  # as it is when the log is deleted before a checkpoint
    run()
    assert content().usage == whole.usage
    assert whole.decisions - content().decisions == {
        ("11111111-aaaa", "late", "Explore", "look around", None)
    }


def test_what_stood_in_the_wal_alone_is_salvaged(full: Content, home: Path) -> None:
    """The file beside it is damaged; the log is not."""
    writer = ledger.connect()
    decide("late")
    sweep(home)
    shares = [number / 10 for number in range(10)]
    saved = Path(ledger.file() + "-wal").read_bytes()
    writer.close()
    for share in shares:
        overwrite(share, PAGE)
    Path(ledger.file() + "-wal").write_bytes(saved)
    run()
    assert any(row[1] == "late" for row in content().decisions)


def test_a_damaged_backup_gives_what_can_be_read(full: Content, home: Path) -> None:
    """It is a ledger like any other."""
    backup.write(NOON)
    sweep(home)
    copy = Path(backup.kept()[0])
    copy.write_bytes(b"\xff" * 100 + copy.read_bytes()[100:])
    Path(ledger.file()).unlink()
    run()
    assert content() == full


def test_names_that_are_lost_are_found_in_a_backup(full: Content, home: Path) -> None:
    """Else their rows count under a name that says so."""
    backup.write(NOON)
    db = ledger.connect()
    db.execute("DELETE FROM name WHERE text = ?", (HAIKU,))
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    # Also where the deleted text may still stand on the pages.
    overwrite_text(HAIKU.encode())
    overwrite(0, 100)
    sweep(home)
    copy = Path(backup.kept()[0])
    hidden = copy.rename(copy.with_suffix(".hidden"))
    run()
    assert any(str(row[1]).startswith("lost:") for row in content().usage)
    hidden.rename(copy)
    Path(ledger.file()).unlink()
    for file in Path(state.path("backups")).glob("damaged-*"):
        file.rename(ledger.file() + "." + file.name.removesuffix(".db"))
    run()
    assert content().usage == full.usage


def overwrite_text(text: bytes) -> None:
    file = Path(ledger.file())
    data = file.read_bytes()
    names = data.replace(b"\0" + text, b"\0" + b"\xff" * len(text))
    file.write_bytes(names)


def test_an_index_that_lost_rows_is_damage_too(full: Content) -> None:
    """The quick check does not see it, and would leave the file in use."""
    change_behind_an_index("UPDATE usage SET at = at + 1 WHERE id < 10")
    assert not verify.verify()[0].ok
    done = run()
    assert len(done.salvaged) == 1
    assert {row[0] for row in content().usage} == {row[0] for row in full.usage}


def change_behind_an_index(statement: str) -> None:
    """Run it while the index over (session, at) is not kept up."""
    file = ledger.file()
    index = "name = 'usage_by_session'"
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as db:
        row = db.execute(f"SELECT * FROM sqlite_master WHERE {index}").fetchone()
        db.execute("PRAGMA writable_schema = ON")
        db.execute(f"DELETE FROM sqlite_master WHERE {index}")
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as db:
        db.execute(statement)
        db.execute("PRAGMA writable_schema = ON")
        db.execute("INSERT INTO sqlite_master VALUES (?, ?, ?, ?, ?)", row)


def test_a_whole_ledger_is_left_as_it_is(full: Content) -> None:
    """No row is added, none taken away, and a second run does no more than the first."""
    first, second = run(), run()
    assert content() == full
    assert (first.salvaged, first.mended, first.after) == ((), 0, first.before)
    assert second == first


def test_wrong_sums_are_corrected(full: Content) -> None:
    """In quarter hours, in the spans that budgets read, and of subagents."""
    db = ledger.connect()
    db.execute("UPDATE bucket SET usd = usd + 1, output_tokens = 7")
    db.execute("DELETE FROM span WHERE length = 900")
    db.execute("UPDATE run SET tokens = tokens + 5")
    assert [one.check for one in verify.verify() if not one.ok] == [
        "sums of quarter hours",
        "sums for budgets",
        "sums of subagents",
    ]
    done = run()
    assert done.mended > 0
    assert content() == full
    db.close()


WRITER = (
    "import sqlite3, sys, threading\n"
    "from books import decide\n"
    "from claude_tier_hooks import ledger\n"
    "over = threading.Event()\n"
    "threading.Thread(target=lambda: (sys.stdin.read(), over.set())).start()\n"
    "number = 0\n"
    "while not over.is_set():\n"
    "    try:\n"
    "        decide(f'{sys.argv[1]}-{number}')\n"
    "    except (ledger.DamagedError, sqlite3.DatabaseError) as fault:\n"
    "        if not isinstance(fault, sqlite3.OperationalError): ledger.set_aside()\n"
    "        continue\n"
    "    print(f'{sys.argv[1]}-{number}', flush=True)\n"
    "    number += 1\n"
)


def test_hooks_write_on_while_it_works(full: Content, home: Path) -> None:
    """Every decision that was acknowledged is there in the end."""
    overwrite(0.4, 3 * PAGE)
    pipe = subprocess.PIPE
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(n)], env=environment(), stdin=pipe, stdout=pipe,
            text=True,
        )
        for n in range(3)
    ]  # fmt: skip
    for one in writers:
        assert one.stdout is not None
        one.stdout.readline()
    command = [sys.executable, "-m", "claude_tier", "ledger", "rebuild", "--json"]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    written = {f"{n}-0" for n in range(3)}
    written |= {line for one in writers for line in one.communicate("")[0].split()}
    assert done.returncode == 0, done.stderr
    run()
    assert written <= {row[1] for row in content().decisions}
    assert full.usage <= content().usage


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def test_a_rebuild_that_was_killed_is_simply_run_again(full: Content, home: Path) -> None:
    """At whatever point: the ledger is whole then, and complete in the end."""
    backup.write(NOON)
    overwrite(0.3, 4 * PAGE)
    script = (
        "import os, signal\n"
        "from claude_tier_hooks import ledger, policy\n"
        "from claude_tier.repair import rebuild, verify\n"
        "leave = ledger.Writing.__exit__\n"
        "def dying(self, *args):\n"
        "    global left\n"
        "    left -= 1\n"
        "    if not left: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return leave(self, *args)\n"
        "for left in range(1, 8):\n"
        "    if child := os.fork():\n"
        "        end = os.waitpid(child, 0)[1]\n"
        "        print(os.waitstatus_to_exitcode(end), verify.verify()[0].ok)\n"
        "        continue\n"
        "    ledger.Writing.__exit__ = dying\n"
        "    rebuild.rebuild(policy.load())\n"
        "    os._exit(0)\n"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=True)
    ends = done.stdout.splitlines()
    assert len(ends) == 7
    assert set(ends) <= {f"{-signal.SIGKILL} True", "0 True"}
    run()
    assert_all_there(full, content(), noises=2)


def test_only_one_rebuild_is_at_work(full: Content, capsys: Capture) -> None:
    """The second says so and ends."""
    with rebuild._alone():
        assert cli.main(["ledger", "rebuild"]) == 1
    assert "another `claude-tier ledger rebuild` is at work" in capsys.readouterr().err


def test_the_command_says_what_it_did(full: Content, capsys: Capture) -> None:
    """And where the damaged file is now: nobody takes it for work that waits."""
    overwrite(0, 100)
    assert cli.main(["ledger", "rebuild"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("Read ")
    assert said[1].startswith(f"Salvaged {ledger.file()}.damaged-")
    assert said[-2].startswith(f"The ledger holds {len(full.usage)} responses")
    assert said[-1] == f"What was damaged is kept in {state.path('backups')}."
    assert backup.damaged() == []
    assert cli.main(["ledger", "rebuild", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["salvaged"] == []

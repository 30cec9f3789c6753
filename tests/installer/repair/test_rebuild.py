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
from claude_tier.repair import merging, rebuild, verify
from claude_tier_hooks import backup, ingest, ledger, policy, state
from hypothesis import given, settings
from hypothesis import strategies as st
from wreckage import PAGE, SECTOR, Content, content, cut, fill, overwrite, sweep

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


def run() -> rebuild.Rebuilt:
    """Rebuild, and see that the result is whole."""
    done = rebuild.rebuild(policy.load())
    assert [one for one in verify.verify() if not one.ok] == []
    return done


@pytest.mark.parametrize("damage", DAMAGE)
def test_transcripts_and_a_backup_bring_everything_back(damage: str, full: Content) -> None:
    """Each row, each decision."""
    backup.write(NOON)
    DAMAGE[damage]()
    done = run()
    assert_all_there(full, content(), noises=20)
    assert len(done.salvaged) == 1


def test_a_backup_tells_when_sessions_were_last_used(full: Content) -> None:
    """Also of a session whose transcript is gone."""
    backup.write(NOON)
    shutil.rmtree(ingest.projects())
    Path(ledger.file()).unlink()
    run()

    db = sqlite3.connect(ledger.file())
    query = "SELECT count(*) FROM session WHERE last IS NOT (SELECT max(at) FROM usage"
    assert db.execute(query + " WHERE session = session.id)").fetchone() == (0,)
    assert db.execute("SELECT count(*) FROM session WHERE last > 0").fetchone()[0] > 0
    db.close()


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a full ledger and a backup of it, to be copied and broken."""
    home = tmp_path_factory.mktemp("master")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        fill(home)
        backup.write(NOON)
    return home


@settings(max_examples=12)
@given(
    noise=st.lists(st.tuples(st.floats(0, 1), st.integers(1, 60)), min_size=1, max_size=6),
    share=st.floats(0.01, 1),
)
def test_whatever_happened_to_the_file_everything_comes_back(
    noise: list[tuple[float, int]],
    share: float,
    master: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Noise over any sectors, and the end torn off anywhere."""
    home = tmp_path_factory.mktemp("broken") / "home"
    shutil.copytree(master, home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        full = content()
        for at, sectors in noise:
            overwrite(at, SECTOR * sectors)
        cut(share)
        run()
        assert_all_there(full, content(), noises=len(noise))


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
    assert lost <= spoilt.get(damage, 12 / pages)


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


def test_the_best_of_several_backups_counts(full: Content, home: Path) -> None:
    """After the damage a poorer ledger was backed up for days; the rich copy is still used."""
    backup.write(NOON)
    sweep(home)
    Path(ledger.file()).write_bytes(b"\xff" * 50_000)
    with pytest.raises(ledger.DamagedError):
        ledger.connect()
    ledger.set_aside()
    backup.write(NOON + 86400)
    run()
    assert content() == full


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


def test_a_better_reading_of_a_response_is_kept(home: Path) -> None:
    """The backup was made while it was still being written: the greater row wins, in any order."""
    answer(home, HAIKU)
    db = ledger.connect()
    ingest.everything(db, policy.load())
    sweep(home)
    db.execute("UPDATE usage SET output_tokens = 5000, usd = 0.5")
    db.close()
    other = Path(backup.write(NOON))
    db = ledger.connect()
    db.execute("UPDATE usage SET output_tokens = 1, final = 0, usd = 0.1")
    db.close()
    run()
    assert {row[3:] for row in content().usage} == {(5000, 0.5)}
    db = sqlite3.connect(other)
    db.execute("UPDATE usage SET output_tokens = 2")
    db.commit()
    db.close()
    run()
    assert {row[3:] for row in content().usage} == {(5000, 0.5)}


def test_a_proof_that_only_the_other_file_has_is_taken_over(home: Path) -> None:
    """And a later level, a later plan window."""
    decide("t1")
    db = ledger.connect()
    db.execute("UPDATE decision SET ran = 'x', proof = 'held'")
    db.execute("INSERT INTO plan_window VALUES ('seven_day', 70, ?, ?)", (NOON, NOON))
    db.execute("INSERT INTO level VALUES ('daily', 'user', 1, 2, 'cap', 5)")
    backup.write(NOON)
    db.execute("UPDATE decision SET ran = NULL, proof = NULL")
    db.execute("UPDATE plan_window SET used = 60, at = at - 1")
    db.execute("UPDATE level SET level = 'warn', at = 6")
    db.close()
    run()
    kept = content()
    assert {row[-1] for row in kept.decisions} == {"x"}
    assert {row[1] for row in kept.windows} == {70.0}
    assert {row[2] for row in kept.levels} == {"warn"}


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
        "import os, signal, sys\n"
        "from claude_tier_hooks import ledger, policy\n"
        "from claude_tier.repair import rebuild\n"
        "left, leave = int(sys.argv[1]), ledger.Writing.__exit__\n"
        "def dying(self, *args):\n"
        "    global left\n"
        "    left -= 1\n"
        "    if not left: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return leave(self, *args)\n"
        "ledger.Writing.__exit__ = dying\n"
        "rebuild.rebuild(policy.load())\n"
    )
    for transaction in range(1, 8):
        command = [sys.executable, "-c", script, str(transaction)]
        killed = subprocess.run(command, env=environment(), capture_output=True, check=False)
        assert killed.returncode in (-signal.SIGKILL, 0)
        assert verify.verify()[0].ok
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


def test_every_table_is_merged_or_follows_from_others() -> None:
    """A table that is added later must not be forgotten here."""
    from claude_tier.repair.shapes import DERIVED, NAMES

    db = ledger.connect()
    tables = db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    assert {name for (name,) in tables} == {"name", *NAMES, *DERIVED}
    db.close()


def test_a_file_of_version_1_is_merged(full: Content, home: Path) -> None:
    """Rules, facts and plan samples that are there stay beside what it adds."""
    db = ledger.connect()
    db.execute("INSERT INTO rules VALUES (77, 1.7e9, '{}')")
    db.execute("INSERT INTO plan_sample VALUES (1.7e9, 'five_hour', 12.5, 1.7e9)")
    db.execute("UPDATE decision SET facts = '{}', rules = 77 WHERE tool_use_id = 'toolu_1'")
    whole = Path(backup.write(NOON))
    db.close()
    for file in (whole, Path(ledger.file())):
        assert file.exists()
    Path(ledger.file()).unlink()
    with contextlib.closing(sqlite3.connect(whole.with_name("ledger-2026-01-01.db"))) as old:
        old.executescript((Path(__file__).parents[2] / "ledger_version_1.sql").read_text())
    run()
    with contextlib.closing(sqlite3.connect(ledger.file())) as db:
        assert db.execute("SELECT text FROM rules").fetchall() == [("{}",)]
        assert db.execute("SELECT used FROM plan_sample").fetchall() == [(12.5,)]
        kept = db.execute("SELECT facts FROM decision WHERE rules = 77").fetchall()
        old_ones = db.execute("SELECT count(*) FROM decision WHERE tool_use_id = 'toolu_2'")
        assert kept == [("{}",)]
        assert old_ones.fetchone()[0] == 2
    assert full.decisions < content().decisions


def test_an_older_file_that_lacks_columns_is_merged(full: Content, home: Path) -> None:
    """Versions only ever add some."""
    copy = Path(backup.write(NOON))
    sweep(home)
    with sqlite3.connect(copy) as db:
        db.execute("ALTER TABLE decision DROP COLUMN proof")
    db.close()
    Path(ledger.file()).unlink()
    run()
    assert content() == full


def test_nothing_missing_is_asserted_by_key(full: Content, home: Path) -> None:
    """A row that was not taken over would be a bug, and is never passed over in silence."""
    copy = Path(backup.write(NOON))
    db = ledger.connect()
    with merging._attached(db, copy), ledger.Writing(db):
        merging._names(db)
        db.execute("DELETE FROM decision WHERE tool_use_id = 'toolu_5'")
        with pytest.raises(AssertionError, match="1 rows of decision"):
            merging._assert_whole(db)
    db.close()

"""Whatever is wrong around a hook: it exits 0, says at most one thing, and blocks nothing."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path

import pytest
from claude_tier_hooks import ledger

from . import process
from .process import EVENTS, FOUND, LINES, VERSIONS, Run, harmless, sample, transcript

GARBAGE = {
    "empty": b"",
    "blank": b" \r\n\t\n",
    "cut off": b'{"session_id": "x", "tool_name": "Ag',
    "no JSON": b"Traceback (most recent call last):",
    "no object": b'["session_id"]',
    "null": b"null",
    "a number": b"1e999",
    "no UTF-8": b'\xff\xfe{"session_id": "\x80"}',
    "NUL": b"\x00" * 4096,
    "two objects": b'{"session_id": "x"}{"session_id": "y"}',
    "deep": b"[" * 200_000,
    "deep object": b'{"a":' * 200_000,
    "an endless number": b'{"session_id": ' + b"9" * 10_000 + b"}",
}
ODD = (None, True, 0, -1, 1e308, "", "\ud800 alone", "é\x00\n", [], [None], {}, {"a": {"b": []}})


@pytest.fixture
def state(home: Path) -> Path:
    """The folder claude-tier keeps its state in."""
    folder = home / ".claude/claude-tier"
    folder.mkdir(parents=True)
    return folder


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("version", VERSIONS)
def test_every_hook_works_on_every_python(version: str, event: str, home: Path) -> None:
    """An ordinary event, without an installation, then garbage; no fault is logged for the one.

    Garbage ends at the same boundary in every hook but the lines.
    """
    if version not in FOUND:
        pytest.skip(f"no python{version} on this machine")
    transcript(home)

    harmless(process.run(event, sample(event, home), python=FOUND[version]))
    assert not (home / ".claude/claude-tier/hooks.log").exists()
    if event in ("PreToolUse", *LINES):
        harmless(process.run(event, b"{garbage", python=FOUND[version]))


@pytest.mark.parametrize("kind", GARBAGE)
@pytest.mark.parametrize("event", [event for event in EVENTS if event not in LINES])
def test_garbage_on_stdin_is_logged_and_said_once(
    event: str, kind: str, state: Path, run: Run
) -> None:
    """Nothing at all is no fault: then there is nothing to say."""
    first = run(event, GARBAGE[kind])
    second = run(event, GARBAGE[kind])

    harmless(first)
    harmless(second)
    assert second.stdout == b""
    log = state / "hooks.log"
    if GARBAGE[kind].strip(b" \r\n\t"):
        assert event in first.message
        assert len(log.read_text().splitlines()) == 2
    else:
        assert first.stdout == b""
        assert not log.exists()


@pytest.mark.parametrize("event", EVENTS)
def test_every_field_may_be_anything(event: str, home: Path, run: Run) -> None:
    """Wrong types where the client has always sent others, and fields nobody knows."""
    transcript(home)
    unknown = {"field": [1]}
    plain = sample(event, home, unknown=unknown)
    # All events have these, read at one place but for the lines: each value at a third of them.
    shared = sample("Stop", home, unknown=unknown).keys() if event not in LINES else ()
    for key in plain:
        for number, value in enumerate(ODD, EVENTS.index(event)):
            if key not in shared or number % 3 == 0:
                harmless(run(event, {**plain, key: value}))


@pytest.mark.parametrize("event", EVENTS)
def test_a_huge_event_is_answered(event: str, home: Path, run: Run) -> None:
    """20 MB of prompt, as a pasted log brings them."""
    transcript(home)
    huge = sample(event, home, prompt="x" * 20_000_000)
    harmless(run(event, huge))


def test_a_huge_prompt_is_echoed_whole(home: Path, run: Run) -> None:
    """A rewrite replaces the whole input, so nothing of it may be lost."""
    transcript(home)
    given = {"prompt": "é\ud83d" * 1_000_000, "description": "d", "subagent_type": "Explore"}

    done = run("PreToolUse", sample("PreToolUse", home, tool_input=given))

    assert done.output["updatedInput"] == {**given, "model": "haiku"}


POLICIES = {
    "garbage": b"\x00\x01garbage",
    "empty": b"",
    "a list": b"[]",
    "an empty object": b"{}",
    "cut off": b'{"version": 1, "budgets": [{"name": "x"',
    "wrong types": json.dumps(
        {"tiers": 1, "assign": [], "budgets": "x", "floor": None, "exempt": 3, "fan_out": "y"}
    ).encode(),
    "a budget without keys": b'{"budgets": [{}]}',
    "an unknown period": json.dumps({"budgets": [{
        "name": "b", "scope": {"kind": "moon"}, "period": "decade", "unit": "pearls", "limit": 0,
        "warn": "a", "recover": None, "cap": [], "stop": {}, "ceiling": "x", "on_stop": "y",
    }]}).encode(),
    "odd prices": b'{"prices": {"claude-opus-5-5": [{"input": "dear"}]}}',
}  # fmt: skip


@pytest.mark.parametrize("kind", POLICIES)
@pytest.mark.parametrize("event", EVENTS)
def test_a_damaged_policy_takes_nothing_down(
    event: str, kind: str, state: Path, home: Path, run: Run
) -> None:
    """What the compiler never writes, but a disk may hold."""
    transcript(home)
    (state / "policy.json").write_bytes(POLICIES[kind])

    first = run(event, sample(event, home))
    second = run(event, sample(event, home))

    harmless(first)
    harmless(second)
    assert "its" not in second.message


@pytest.mark.parametrize("event", EVENTS)
def test_a_locked_ledger_makes_nobody_wait_long(
    event: str, state: Path, home: Path, run: Run
) -> None:
    """Another process holds it: the event goes unrecorded or into the spool."""
    transcript(home)
    run("SessionStart", sample("SessionStart", home))
    with closing(sqlite3.connect(state / "ledger.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        first = run(event, sample(event, home))
        second = run(event, sample(event, home))

    harmless(first)
    harmless(second)
    assert "hook failed" not in second.message


def test_a_decision_over_a_locked_ledger_is_made_and_kept(
    state: Path, home: Path, run: Run
) -> None:
    """The rewrite happens all the same; the next writer imports the row."""
    transcript(home)
    run("SessionStart", sample("SessionStart", home))
    with closing(sqlite3.connect(state / "ledger.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        done = run("PreToolUse", sample("PreToolUse", home))

    assert done.output["updatedInput"]["model"] == "haiku"  # type: ignore[index]
    assert len(list((state / "spool").iterdir())) == 1
    run("Stop", sample("Stop", home))
    assert list((state / "spool").iterdir()) == []
    assert _decisions(state) == [("toolu_1", "assigned", "haiku")]


DAMAGE: dict[str, Callable[[Path], None]] = {
    "garbage": lambda file: file.write_bytes(os.urandom(20_000)) and None,  # type: ignore[func-returns-value]
    "empty": lambda file: file.write_bytes(b"") and None,  # type: ignore[func-returns-value]
    "cut off": lambda file: os.truncate(file, 5000),
    "bytes changed": lambda file: _overwrite(file, 4096, 40_000),
    "another program's": lambda file: _other_tables(file),
    "a folder": lambda file: file.unlink() or file.mkdir(),  # type: ignore[func-returns-value]
}


def _overwrite(file: Path, start: int, length: int) -> None:
    with file.open("r+b") as stream:
        stream.seek(start)
        stream.write(os.urandom(length))


def _other_tables(file: Path) -> None:
    file.unlink()
    with closing(sqlite3.connect(file)) as db:
        db.execute("CREATE TABLE name (colour TEXT)")
        db.execute("PRAGMA user_version = 1")
        db.commit()


@pytest.mark.parametrize("kind", DAMAGE)
@pytest.mark.parametrize("event", EVENTS)
def test_a_damaged_ledger_is_said_once_and_the_session_goes_on(
    event: str, kind: str, state: Path, home: Path, run: Run
) -> None:
    """It is moved aside and begun anew; where it cannot be, nothing is known and nothing set."""
    transcript(home)
    run("SessionEnd", sample("SessionEnd", home))
    for tail in ("-wal", "-shm"):
        (state / f"ledger.db{tail}").unlink(missing_ok=True)
    DAMAGE[kind](state / "ledger.db")

    first = run(event, sample(event, home))
    second = run(event, sample(event, home))

    harmless(first)
    harmless(second)
    if event == "PreToolUse" and kind not in ("another program's", "a folder"):
        assert first.output["updatedInput"]["model"] == "haiku"  # type: ignore[index]
    assert not (first.message and first.message == second.message)
    assert "hook failed" not in second.message


@pytest.fixture(params=["a file in its place", "no file may grow", "not writable"])
def unwritable(request: pytest.FixtureRequest, home: Path) -> Iterator[int | None]:
    """A state folder nothing can be written to; how many bytes the hook may write to a file."""
    folder = home / ".claude/claude-tier"
    if request.param == "a file in its place":
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.write_text("in the way")
        yield None
    elif request.param == "no file may grow":
        yield 0
    else:
        folder.mkdir(parents=True)
        mount = ["mount", "-t", "tmpfs", "-o", "ro,size=64k", "tmpfs", str(folder)]
        if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
            pytest.skip("no file system can be mounted here")
        yield None
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("event", EVENTS)
def test_a_state_folder_that_cannot_be_written_blocks_nothing(
    event: str, unwritable: int | None, home: Path, run: Run
) -> None:
    """The decision needs no disk."""
    transcript(home)

    if unwritable is None:
        done = run(event, sample(event, home))
    else:
        done = process.run(event, sample(event, home), file_limit=unwritable)

    harmless(done)
    if event == "PreToolUse":
        # The model of the conversation is not known without a ledger, so nothing can be raised.
        assert "permissionDecision" not in done.output


@pytest.fixture(params=["folder", "pipe", "unreadable", "dangling", "gone"])
def bad_transcript(request: pytest.FixtureRequest, home: Path) -> Path:
    """Something that is no file in the transcript's place."""
    path = transcript(home)
    path.unlink()
    if request.param == "folder":
        path.mkdir()
    elif request.param == "pipe":
        os.mkfifo(path)
    elif request.param == "unreadable":
        path.symlink_to("/proc/self/mem")
    elif request.param == "dangling":
        path.symlink_to(home / "nowhere")
    return path


@pytest.mark.parametrize("event", EVENTS)
def test_a_transcript_that_is_no_file_is_no_obstacle(
    event: str, bad_transcript: Path, home: Path, run: Run
) -> None:
    """It is left, and the event answered."""
    harmless(run(event, sample(event, home)))


def test_a_hook_with_nothing_to_say_prints_nothing(home: Path, run: Run) -> None:
    """The client keeps a line in the transcript for every answer, even an empty one."""
    transcript(home)
    plain = sample("PreToolUse", home, tool_name="Bash", tool_input={"command": "ls"})

    assert run("PreToolUse", plain).stdout == b""
    for event in ("UserPromptSubmit", "PostToolUse", "Stop", "SubagentStop", "SessionEnd"):
        run("SessionStart", sample("SessionStart", home))
        assert run(event, sample(event, home)).stdout == b""


def _decisions(state: Path) -> list[tuple[str, str, str]]:
    with closing(ledger.connect(str(state / "ledger.db"))) as db:
        return db.execute("SELECT tool_use_id, action, set_tier FROM decision").fetchall()


BUDGET = {
    "name": "daily", "scope": {"kind": "user", "name": None}, "period": "month", "unit": "usd",
    "limit": 1e-6, "warn": 0.8, "recover": 0.85, "cap": 0.9, "stop": 1.0, "ceiling": "sonnet",
    "on_stop": "deny",
}  # fmt: skip


def test_a_locked_ledger_does_not_lift_a_stop(state: Path, home: Path, run: Run) -> None:
    """It can still be read, so the budget still holds."""
    (state / "policy.json").write_text(json.dumps({"budgets": [BUDGET]}))
    _spend_now(home)
    run("SessionStart", sample("SessionStart", home))
    with closing(sqlite3.connect(state / "ledger.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        done = run("PreToolUse", sample("PreToolUse", home))

    assert done.output["permissionDecision"] == "deny"
    assert "budget daily is at" in str(done.output["permissionDecisionReason"])


def _spend_now(home: Path) -> None:
    path = transcript(home)
    row = json.loads(path.read_text())
    row["timestamp"] = datetime.now(timezone.utc).isoformat()
    path.write_text(json.dumps(row) + "\n")


def test_half_a_character_does_not_lift_a_stop(state: Path, home: Path, run: Run) -> None:
    """A cut emoji in a description is no database text, but no way around a budget either."""
    (state / "policy.json").write_text(json.dumps({"budgets": [BUDGET]}))
    _spend_now(home)
    given = {"description": "cut \ud83d", "prompt": "p", "subagent_type": "odd \udc00"}

    done = run("PreToolUse", sample("PreToolUse", home, tool_input=given))

    assert done.output["permissionDecision"] == "deny"


def test_the_number_of_an_open_file_is_no_transcript(home: Path, run: Run) -> None:
    """1 is standard output: a path that is no text must not be opened, and closed, as one."""
    transcript(home)

    done = run("PreToolUse", sample("PreToolUse", home, transcript_path=1, cwd=1))

    assert done.output["updatedInput"]["model"] == "haiku"  # type: ignore[index]

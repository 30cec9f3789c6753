"""Runs that were ended go on: nothing is asked twice, and what has changed is asked again."""

from __future__ import annotations

import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from claude_tier.pipelines import runs
from command_process import running
from fault_server import FAULTS, FaultServer
from llama_server import Start
from recorder import Recorder
from silent_server import Silent

from .conftest import Command, Configure, Write

THREE = """
  - {id: one, target: first/tiny, prompt: "{{ inputs.topic }}"}
  - {id: two, target: first/tiny, prompt: "{{ steps.one.text }}"}
  - {id: three, target: second/tiny, prompt: "{{ steps.two.text }}"}
"""
TOPIC = "inputs: {topic: {default: tea}}"
PATIENCE = 60  # seconds until a process or server counts as hanging


@pytest.fixture
def first(llama: Start, configure: Configure) -> Iterator[Recorder]:
    """The server of the one provider, and what it was asked."""
    with Recorder(llama("said").url) as recorder:
        configure(first=recorder.url)
        yield recorder


def posts(recorder: Recorder) -> int:
    """How many requests to a model it has seen."""
    return sum(one.method == "POST" for one in recorder.requests)


def ended(path: Path, end: signal.Signals, *, silent: Silent) -> tuple[int, str]:
    """Start a run, end it once its third step was asked; exit code and stderr."""
    with running("pipeline", "run", str(path)) as process:
        assert silent.asked.wait(PATIENCE)
        process.send_signal(end)
        _, err = process.communicate(timeout=PATIENCE)
    return process.returncode, err


def test_after_a_kill_only_what_is_missing_is_asked(
    llama: Start, configure: Configure, pipeline: Write, command: Command
) -> None:
    """By the server's own record: steps 1 and 2 once, step 3 again."""
    one, two = llama("said"), llama("done")
    with Recorder(one.url) as first, Silent() as silent, Recorder(silent.url) as second:
        configure(first=first.url, second=second.url)
        path = pipeline(THREE, TOPIC)
        code, _ = ended(path, signal.SIGKILL, silent=silent)
        assert code == -signal.SIGKILL
        assert posts(first) == 2
        (run,) = runs.every()
        assert run.standing == "interrupted"

        second.upstream = urlsplit(two.url).netloc
        done = command("run", "--resume", run.id)
        assert (done.code, done.out) == (0, "done\n")
        assert posts(first) == 2
        assert "one: answered before, and kept\n" in done.err
        assert runs.every()[0].standing == "done"


def test_an_interrupt_reaches_the_provider_and_says_how_to_go_on(
    llama: Start, configure: Configure, pipeline: Write
) -> None:
    """The connection is closed before the command ends with 130."""
    one = llama("said")
    with Silent() as silent:
        configure(first=one.url, second=silent.url)
        code, err = ended(pipeline(THREE, TOPIC), signal.SIGINT, silent=silent)
        assert silent.left.wait(PATIENCE)
    (run,) = runs.every()
    assert code == 130
    assert f"Interrupted. `claude-tier pipeline run --resume {run.id}` goes on from here." in err


def test_a_run_that_goes_on_knows_what_its_interruption_had_cost(
    configure: Configure, pipeline: Write, command: Command
) -> None:
    """Its first target gave up in the middle, which is billed; the second was asked meanwhile."""
    paid = "{kind: openai-compatible, base_url: '%s', prices: {tiny: {input: 1, output: 1}}}"
    with FaultServer(FAULTS["openrouter_given_up"]) as dear, Silent() as silent:
        configure(f"  dear: {paid % dear.url}\nrouter: {{retries: 0}}\n", free=silent.url)
        path = pipeline("  - {id: a, target: dear/tiny, fallback: free/tiny, prompt: x}")
        code, _ = ended(path, signal.SIGINT, silent=silent)
    (run,) = runs.every()
    assert (code, run.standing, run.outcomes()) == (130, "interrupted", {})
    assert run.record["spent"] == pytest.approx(1100e-6)

    done = command("run", "--resume", run.id, "--max-usd", "0.001")
    assert "--max-usd is used up: $0.0011 of $0.001" in done.err


def test_a_run_at_work_cannot_be_resumed_or_forgotten(
    llama: Start, configure: Configure, pipeline: Write, command: Command
) -> None:
    """Two processes would ask everything twice."""
    one = llama("said")
    with Silent() as silent:
        configure(first=one.url, second=silent.url)
        path = pipeline(THREE, TOPIC)
        with running("pipeline", "run", str(path)) as process:
            assert silent.asked.wait(PATIENCE)
            (run,) = runs.every()
            assert run.standing == "running"
            for arguments in (("run", "--resume", run.id), ("forget", run.id), ("undo", run.id)):
                done = command(*arguments)
                assert done.code == 1
                assert "is at work in another process" in done.err
            process.kill()


@pytest.mark.parametrize(
    ("before", "after", "again"),
    [
        ("", "", 0),
        ("default: tea", "default: milk", 2),
        ("steps.one.text", "steps.one.text }} {{ inputs.topic", 1),
        ("id: three,", "id: three, max_tokens: 9,", 0),
    ],
)
def test_what_has_changed_is_asked_again(
    before: str,
    after: str,
    again: int,
    llama: Start,
    configure: Configure,
    pipeline: Write,
    command: Command,
) -> None:
    """A step, or what comes into it: what an earlier step says, if it says something else."""
    one, two = llama("said"), llama("done")
    with Recorder(one.url) as first:
        configure(first=first.url, second=two.url)
        path = pipeline(THREE, TOPIC)
        run = command("run", str(path), "--json").json["run"]
        path.write_text(path.read_text().replace(before, after) if before else path.read_text())
        done = command("run", "--resume", run)
        assert done.code == 0
        # Step 2 gets the same text from step 1 whatever that was asked.
        assert posts(first) - 2 == min(again, 1)


def test_an_input_given_anew_replaces_the_one_before(
    first: Recorder, pipeline: Write, command: Command, work: Path
) -> None:
    """Those that are not keep what they had, and a file is read again."""
    path = pipeline(
        '  - {id: a, target: first/tiny, prompt: "{{ inputs.x }} {{ inputs.y }}"}',
        "inputs: {x: {}, y: {type: file}}",
    )
    (work / "y.md").write_text("first")
    run = command("run", str(path), "-i", "x=1", "-i", "y=y.md", "--json").json["run"]
    (work / "y.md").write_text("second")
    command("run", "--resume", run, "-i", "x=2")
    last = str(first.requests[-1].body)
    assert posts(first) == 2
    assert "2 <data-" in last
    assert "second" in last


def test_items_that_were_answered_are_not_asked_again(
    first: Recorder, pipeline: Write, command: Command, work: Path
) -> None:
    """Of ten files one that changed is read anew."""
    path = pipeline(
        '  - {id: a, target: first/tiny, for_each: inputs.x, prompt: "{{ item }}"}',
        "inputs: {x: {type: files}}",
    )
    for number in range(10):
        (work / f"{number}.md").write_text(str(number))
    run = command("run", str(path), "-i", "x=*.md", "--json").json["run"]
    (work / "3.md").write_text("changed")
    done = command("run", "--resume", run, "--json")
    assert posts(first) == 11
    (step,) = done.json["steps"]
    assert [unit["reused"] for unit in step["outcomes"]].count(False) == 1


def test_an_answer_moves_along_with_its_item(
    first: Recorder, pipeline: Write, command: Command, work: Path
) -> None:
    """A file more or less among them is no reason to ask for all others again."""
    path = pipeline(
        '  - {id: a, target: first/tiny, for_each: inputs.x, prompt: "{{ item.text }}"}',
        "inputs: {x: {type: files}}",
    )
    for name in "bcde":
        (work / f"{name}.md").write_text(name)
    run = command("run", str(path), "-i", "x=*.md", "--json").json["run"]
    (work / "a.md").write_text("a")
    more = command("run", "--resume", run, "--json").json
    assert posts(first) == 5
    (work / "c.md").unlink()
    less = command("run", "--resume", run, "--json").json
    assert posts(first) == 5

    for found, names in ((more, "abcde"), (less, "abde")):
        (step,) = found["steps"]
        assert [unit["item"] for unit in step["outcomes"]] == [f"{name}.md" for name in names]
        assert found["usd"] == more["usd"]


def test_what_is_asked_twice_is_answered_twice(
    first: Recorder, pipeline: Write, command: Command, work: Path
) -> None:
    """One answer that is kept stands for one of two items that are the same."""
    path = pipeline(
        '  - {id: a, target: first/tiny, for_each: inputs.x, prompt: "{{ item.text }}"}',
        "inputs: {x: {type: files}}",
    )
    (work / "a.md").write_text("same")
    run = command("run", str(path), "-i", "x=*.md", "--json").json["run"]
    (work / "b.md").write_text("same")
    command("run", "--resume", run)
    assert posts(first) == 2


@pytest.mark.parametrize(
    "more",
    ["timeout: 9m", "parallel: 1", "at_most: 9", "budget: {usd: 9}", "fallback: skip"],
)
def test_how_a_step_is_run_is_no_part_of_its_answer(
    more: str, first: Recorder, pipeline: Write, command: Command
) -> None:
    """Nobody pays again for more time."""
    path = pipeline("  - {id: a, target: first/tiny, prompt: x}")
    run = command("run", str(path), "--json").json["run"]
    path.write_text(path.read_text().replace("prompt: x", f"prompt: x, {more}"))
    done = command("run", "--resume", run)
    assert (done.code, posts(first)) == (0, 1)


def test_what_is_kept_is_its_users_alone_and_goes_after_a_week(
    llama: Start, configure: Configure, pipeline: Write, command: Command
) -> None:
    """Folders 0700, files 0600; the next run removes what is too old, except one at work."""
    configure(first=llama("said").url)
    path = pipeline('  - {id: a, target: first/tiny, prompt: "x"}')
    command("run", str(path))
    (old,) = runs.every()
    found = [old.folder, *old.folder.rglob("*")]
    modes = {stat.S_IMODE(one.stat().st_mode) for one in found if one.is_dir()}
    assert modes == {0o700}
    assert {stat.S_IMODE(one.stat().st_mode) for one in found if one.is_file()} == {0o600}

    for one in found:
        os.utime(one, (0, 0))
    with old.locked():
        command("run", str(path))
    assert old in runs.every()
    command("run", str(path))
    assert old not in runs.every()
    assert len(runs.every()) == 2


def test_a_run_is_forgotten_by_name_or_by_age(
    llama: Start, configure: Configure, pipeline: Write, command: Command
) -> None:
    """With every text of it."""
    configure(first=llama("said").url)
    path = pipeline('  - {id: a, target: first/tiny, prompt: "x"}')
    for _ in range(3):
        command("run", str(path))
    first, second, third = runs.every()
    assert command("forget", first.id).code == 0
    for one in (second.folder, *second.folder.rglob("*")):
        os.utime(one, (0, 0))
    assert command("forget", "--older", "1d", "--json").json["forgotten"] == [second.id]
    assert runs.every() == (third,)
    assert command("forget", "--older", "1d").out == "No run is that old.\n"
    assert command("forget", first.id).code == 1

"""Files that a pipeline writes: asked for, whole, below the folder, and put back."""

from __future__ import annotations

import json
import os
import pty
import stat
import sys
from pathlib import Path

import pytest
from claude_tier.pipelines import runs
from llama_server import Start

from .conftest import Command, Configure, Done, Write

APPLY = """
  - {id: plan, target: one/tiny, output: json, prompt: x}
  - id: apply
    for_each: steps.plan.json
    write: {path: "{{ item.path }}", content: "{{ item.content }}"}
"""


@pytest.fixture
def apply(llama: Start, configure: Configure, pipeline: Write, command: Command) -> Applying:
    return Applying(llama, configure, pipeline, command)


class Applying:
    """A model that plans files, and a step that writes them."""

    def __init__(
        self, llama: Start, configure: Configure, pipeline: Write, command: Command
    ) -> None:
        self.llama, self.configure, self.command = llama, configure, command
        self.path = pipeline(APPLY)

    def plan(self, **files: str) -> None:
        """What the model says: each file by its path."""
        said = [{"path": path, "content": content} for path, content in files.items()]
        self.configure(one=self.llama(json.dumps(said)).url)

    def run(self, *arguments: str) -> Done:
        return self.command("run", str(self.path), *arguments)


def test_files_are_written_with_yes_and_put_back_by_undo(apply: Applying, work: Path) -> None:
    """New ones go, others are what they were, with their mode."""
    (work / "old.sh").write_text("before\n")
    (work / "old.sh").chmod(0o755)
    apply.plan(**{"old.sh": "after\n", "new/a.py": "x = 1\n"})
    done = apply.run("--yes")
    assert done.code == 0
    assert (work / "old.sh").read_text() == "after\n"
    assert stat.S_IMODE((work / "old.sh").stat().st_mode) == 0o755
    assert (work / "new/a.py").read_text() == "x = 1\n"
    assert f"apply: written {work / 'old.sh'}, {work / 'new/a.py'}" in done.err

    (run,) = runs.every()
    undone = apply.command("undo", run.id)
    assert undone.code == 0
    assert (work / "old.sh").read_text() == "before\n"
    assert not (work / "new/a.py").exists()
    assert apply.command("undo", run.id).out == "Nothing to put back.\n"


def test_what_was_changed_since_is_not_put_back(apply: Applying, work: Path) -> None:
    """Somebody's work is worth more; the exit code says that something was left."""
    (work / "a.txt").write_text("before")
    apply.plan(**{"a.txt": "after"})
    apply.run("--yes")
    (work / "a.txt").write_text("mine")
    (run,) = runs.every()
    undone = apply.command("undo", run.id)
    assert (undone.code, (work / "a.txt").read_text()) == (1, "mine")
    assert "left: it was changed since" in undone.out


def test_without_a_terminal_or_yes_nothing_is_even_asked(apply: Applying) -> None:
    """The run would fail after it was paid for."""
    apply.plan(a="x")
    done = apply.run()
    assert done.code == 1
    assert "the pipeline p writes files (apply)" in done.err
    assert runs.every() == ()


@pytest.mark.parametrize(
    "path", ["../out", "/tmp/out", ".git/hooks/pre-commit", ".bashrc", "a/.env", "link/x", "link"]
)
def test_one_bad_path_and_none_is_written(path: str, apply: Applying, work: Path) -> None:
    """What a model says is where an attack would come from."""
    (work / "link").symlink_to(work.parent)
    apply.plan(**{"good.txt": "x", path: "bad"})
    done = apply.run("--yes")
    assert done.code == 1
    assert "apply: " in done.err
    assert not (work / "good.txt").exists()
    assert not (work.parent / "x").exists()


def test_a_file_is_written_once_in_a_step(apply: Applying, work: Path) -> None:
    """By whatever spelling: which of two would hold?"""
    apply.plan(**{"a.txt": "1", "./a.txt": "2"})
    done = apply.run("--yes")
    assert done.code == 1
    assert not (work / "a.txt").exists()


def test_a_resumed_run_writes_nothing_twice(apply: Applying, work: Path) -> None:
    """What was edited after it was written stays so."""
    apply.plan(**{"a.txt": "after"})
    run = apply.run("--yes", "--json").json["run"]
    (work / "a.txt").write_text("mine")
    done = apply.command("run", "--resume", run, "--yes")
    assert done.code == 0
    assert (work / "a.txt").read_text() == "mine"


def test_a_run_that_was_undone_writes_again(apply: Applying, work: Path) -> None:
    """What a file holds by then is what the next undo puts back."""
    (work / "old.txt").write_text("before")
    apply.plan(**{"old.txt": "after", "new.txt": "x"})
    run = apply.run("--yes", "--json").json["run"]
    apply.command("undo", run)
    shown = apply.command("show", run, "--json").json["outcomes"]
    assert [one["status"] for one in shown if one["step"].startswith("apply")] == ["undone"] * 2

    (work / "old.txt").write_text("mine")
    done = apply.command("run", "--resume", run, "--yes")
    assert f"apply: written {work / 'old.txt'}, {work / 'new.txt'}" in done.err
    assert (work / "old.txt").read_text() == "after"
    assert (work / "new.txt").read_text() == "x"

    apply.command("undo", run)
    assert (work / "old.txt").read_text() == "mine"
    assert not (work / "new.txt").exists()


@pytest.mark.parametrize(("typed", "held"), [("y\n", "after\n"), ("n\n", "before\n")])
def test_on_a_terminal_the_difference_is_shown_first(
    typed: str, held: str, apply: Applying, work: Path
) -> None:
    """And nothing is written without a yes."""
    (work / "a.txt").write_text("before\n")
    apply.plan(**{"a.txt": "after\n"})
    code, shown = on_terminal(["run", str(apply.path)], typed, until="[y/N]")
    assert "-before" in shown
    assert "+after" in shown
    assert (work / "a.txt").read_text() == held
    assert code == (0 if typed == "y\n" else 1)


def test_an_interrupt_at_the_question_ends_the_run(apply: Applying, work: Path) -> None:
    """Though it waits for a line."""
    apply.plan(**{"a.txt": "after\n"})
    code, shown = on_terminal(["run", str(apply.path)], "\x03", until="[y/N]")
    assert code == 130
    assert "--resume" in shown
    assert not (work / "a.txt").exists()


def on_terminal(arguments: list[str], typed: str, *, until: str) -> tuple[int, str]:
    """A real command on a terminal of its own: what it showed, after that was typed."""
    child, terminal = pty.fork()
    if child == 0:
        os.environ["PYTHONPATH"] = os.pathsep.join(entry for entry in sys.path if entry)
        os.execv(sys.executable, [sys.executable, "-m", "claude_tier", "pipeline", *arguments])
    shown = b""
    try:
        while until.encode() not in shown:
            shown += os.read(terminal, 65536)
        os.write(terminal, typed.encode())
        while True:
            shown += os.read(terminal, 65536)
    except OSError:  # the other side has gone
        pass
    finally:
        os.close(terminal)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), shown.decode(errors="replace")

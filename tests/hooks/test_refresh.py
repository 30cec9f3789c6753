"""Compiling from a hook: it runs nothing of the folder a session works in, and costs little."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from claude_tier.config import compile_user_policy

from .process import sample, script, transcript


@pytest.fixture
def state(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A compiled state folder, and a checkout that the recorded command finds."""
    path = os.pathsep.join(entry for entry in sys.path if entry)
    monkeypatch.setenv("PYTHONPATH", path)
    transcript(home)
    folder = home / ".claude/claude-tier"
    compile_user_policy(folder)
    return folder


@pytest.fixture
def clone(home: Path) -> Path:
    """A cloned repository with a project file to compile."""
    origin, folder = home / "origin", home / "clone"
    git("init", "-q", str(origin))
    (origin / ".claude").mkdir()
    (origin / ".claude/claude-tier.yaml").write_text("assign: {Plan: haiku}\n")
    hostile = f"open({str(home / 'ran')!r}, 'a').write(__file__)\n"
    for name in ("click.py", "pydantic.py", "yaml.py", "json.py", "sitecustomize.py"):
        (origin / name).write_text(hostile)
    (origin / "claude_tier").mkdir()
    for name in ("__init__.py", "__main__.py", "cli.py"):
        (origin / "claude_tier" / name).write_text(hostile)
    git("-C", str(origin), "add", "-A")
    git("-C", str(origin), "-c", "user.name=x", "-c", "user.email=x@y", "commit", "-qm", "x")
    git("clone", "-q", str(origin), str(folder))
    return folder


def git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], check=True, stdin=subprocess.DEVNULL)


def prompt(home: Path, folder: Path, event: str = "UserPromptSubmit", **more: object) -> str:
    """What the user is told at an event of a session that works in that folder."""
    done = subprocess.run(
        [sys.executable, "-S", "-E", script(event)],
        input=json.dumps(sample(event, home, cwd=str(folder), **more)),
        capture_output=True,
        text=True,
        cwd=folder,
        check=True,
    )
    return str(json.loads(done.stdout or "{}").get("systemMessage", ""))


@pytest.mark.parametrize("recorded", ["", "-m"])
def test_nothing_of_a_clone_is_run_by_compiling_for_it(
    state: Path, home: Path, clone: Path, recorded: str
) -> None:
    """Modules named like ours, and like those we import, lie in the folder the hook starts in."""
    if recorded:
        compiled = json.loads((state / "policy.json").read_text())
        compiled["command"] = [sys.executable, "-m", "claude_tier"]
        (state / "policy.json").write_text(json.dumps(compiled))

    prompt(home, clone)

    assert not (home / "ran").exists()
    assert len(list((state / "policies").glob("*.json"))) == 1


def test_the_recorded_command_looks_for_nothing_where_it_is_started(
    state: Path, home: Path, clone: Path
) -> None:
    """Also when somebody starts it by hand in a clone."""
    command = json.loads((state / "policy.json").read_text())["command"]

    subprocess.run([*command, "compile", "--quiet"], cwd=clone, check=True)

    assert not (home / "ran").exists()


def recorded(state: Path, *command: str) -> None:
    """Let policy.json name that compiler, and config.yaml wait for it."""
    compiled = json.loads((state / "policy.json").read_text())
    (state / "policy.json").write_text(json.dumps({**compiled, "command": list(command)}))
    (state / "config.yaml").write_text("preset: budget\n")


def counting(state: Path, then: str) -> str:
    """A compiler that leaves a mark each time it is started."""
    program = state / "compiler"
    program.write_text(f"#!/bin/sh\necho x >> {state / 'marks'}\n{then}\n")
    program.chmod(0o755)
    return str(program)


@pytest.mark.parametrize(
    ("then", "why"),
    [
        ("exit 7", "it ended with exit code 7"),
        ("exit 0", "it changed nothing"),
        ("exec sleep 60", "it did not end in time"),
    ],
)
def test_a_compiler_that_fails_is_started_once_and_told_once(
    state: Path, home: Path, clone: Path, then: str, why: str
) -> None:
    """Neither at the next prompt nor for the project's file: a prompt waits for it only once."""
    program = counting(state, then)
    recorded(state, program)

    told = [prompt(home, clone) for _ in range(3)]

    assert [why in one for one in told] == [True, False, False]
    assert (state / "marks").read_text() == "x\n"
    recorded(state, program, "another")
    prompt(home, clone)
    assert (state / "marks").read_text() == "x\nx\n"


def test_a_command_that_is_gone_is_told_once(state: Path, home: Path, clone: Path) -> None:
    """A virtual environment was removed; the log gets one line, not one a prompt."""
    recorded(state, "/nowhere/python")

    told = [prompt(home, clone) for _ in range(3)]

    assert "/nowhere/python cannot be started (No such file or directory)" in told[0]
    assert told[1:] == ["", ""]
    assert len((state / "hooks.log").read_text().splitlines()) == 1


def test_what_was_noted_is_over_with_the_next_compilation(
    state: Path, home: Path, clone: Path
) -> None:
    """Done by hand, say."""
    recorded(state, "/nowhere/python")
    prompt(home, clone)
    compile_user_policy(state)

    assert prompt(home, clone, session_id="22222222-2222-4222-8222-222222222222") == ""


@pytest.mark.parametrize("damage", [None, "{"])
def test_a_policy_that_is_lost_is_told_once(
    state: Path, home: Path, clone: Path, damage: str | None
) -> None:
    """The budgets in config.yaml do not apply, and the user does not know."""
    (state / "config.yaml").write_text("preset: budget\n")
    (state / "policy.json").unlink()
    if damage:
        (state / "policy.json").write_text(damage)

    told = [prompt(home, clone) for _ in range(2)]

    assert told[0].startswith(f"claude-tier: {state / 'config.yaml'} is not in force")
    assert told[1] == ""


def test_a_projects_mistake_says_that_nothing_of_it_applies(
    state: Path, home: Path, clone: Path
) -> None:
    """Also when it was in force before: its overlay is gone. The key is named."""
    prompt(home, clone)
    file = clone / ".claude/claude-tier.yaml"
    file.write_text("asign: {Plan: haiku}\n")

    told = prompt(home, clone)

    assert told.startswith(f"claude-tier: {file}, line 1: asign: unknown key; did you mean assign?")
    assert told.endswith("Nothing of that file applies; your own configuration does.")
    assert not [f for f in (state / "policies").iterdir() if "error" not in f.name]


def test_a_mistake_of_the_users_names_the_key(state: Path, home: Path, clone: Path) -> None:
    """And what holds meanwhile."""
    (state / "config.yaml").write_text("budgts: []\n")

    told = prompt(home, clone)

    assert "config.yaml, line 1: budgts: unknown key; did you mean budgets?" in told
    assert told.endswith("The policy before it stays in force.")

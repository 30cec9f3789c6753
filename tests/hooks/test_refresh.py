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

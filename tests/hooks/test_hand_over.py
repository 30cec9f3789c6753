"""Two copies of the runtime on one machine: the newer does the work."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from claude_tier_hooks import protocol

ROOT = Path(__file__).parents[2]


@pytest.fixture
def state(home: Path) -> Path:
    """A state folder whose copy of one hook says that it ran."""
    folder = home / ".claude/claude-tier"
    (folder / "hooks").mkdir(parents=True)
    (folder / "hooks/stop.py").write_text("import sys; print('ran with', sys.stdin.read())\n")
    return folder


def run(script: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-S", "-E", str(script)]
    return subprocess.run(command, input="{}", capture_output=True, text=True, check=False)


def record(state: Path, version: object) -> None:
    (state / "manifest.json").write_text(json.dumps({"runtime_version": version}))


@pytest.mark.parametrize("version", ["0.1.1", "0.10", "1.0.0"])
def test_an_older_copy_hands_over_to_the_installed_one(state: Path, version: str) -> None:
    """The event is still on stdin for it."""
    record(state, version)

    assert run(ROOT / "hooks/stop.py").stdout == "ran with {}\n"


@pytest.mark.parametrize("version", ["0.0.9", "0.1.0", "", None, 7, "x.y"])
def test_a_copy_as_new_works_itself(state: Path, version: object) -> None:
    """Also where the record says nothing that makes sense."""
    record(state, version)

    ended = run(ROOT / "hooks/stop.py")

    assert (ended.returncode, ended.stdout) == (0, "")


def test_a_missing_script_is_not_handed_to(state: Path) -> None:
    """An install that lost its files does not take the other one down."""
    record(state, "9.0.0")
    (state / "hooks/stop.py").unlink()

    assert run(ROOT / "hooks/stop.py").returncode == 0


def test_the_installed_copy_does_not_hand_over_to_itself(state: Path) -> None:
    """A record newer than the files, as a killed upgrade leaves it, makes no circle."""
    shutil.rmtree(state / "hooks")
    shutil.copytree(ROOT / "hooks", state / "hooks")
    record(state, "9.0.0")

    ended = run(state / "hooks/stop.py")

    assert (ended.returncode, ended.stdout) == (0, "")


def test_a_script_that_cannot_be_read_blocks_nothing(state: Path) -> None:
    """Python exits 2 for one, which Claude Code takes for a refusal; a folder stands for it here.

    (A test may run as root, who reads everything.)
    """
    record(state, "9.0.0")
    (state / "hooks/stop.py").unlink()
    (state / "hooks/stop.py").mkdir()

    assert run(ROOT / "hooks/stop.py").returncode == 0


def test_a_script_that_vanishes_at_the_last_moment_blocks_nothing(state: Path) -> None:
    """Uninstall may be at work: what starts it fails with 1, which only shows."""
    missing = state / "hooks/gone.py"

    ended = subprocess.run(
        [sys.executable, "-S", "-E", "-c", protocol.START, missing],
        capture_output=True,
        check=False,
    )

    assert ended.returncode == 1


def test_the_newer_copy_runs_as_if_started_itself(state: Path) -> None:
    """Its own package, and not the one of the older copy."""
    shutil.rmtree(state / "hooks")
    shutil.copytree(ROOT / "hooks", state / "hooks")
    (state / "hooks/claude_tier_hooks/protocol.py").write_text(
        "import sys\ndef run(name): print(name, sys.argv, __file__)\n"
    )
    record(state, "9.0.0")

    script = state / "hooks/stop.py"
    own = state / "hooks/claude_tier_hooks/protocol.py"
    assert run(ROOT / "hooks/stop.py").stdout == f"Stop {[str(script)]} {own}\n"

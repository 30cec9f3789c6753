"""hooks.json, the table of events: each entry started as the client starts it, as a process."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TABLE = json.loads((ROOT / "hooks/hooks.json").read_bytes())["hooks"]
HANDLERS = {event: group["hooks"][0] for event, (group,) in TABLE.items()}
NO_EVENTS = {"status_line.py", "subagent_line.py", "heartbeat_tick.py"}
OLD_PYTHON = """#!{python}
import os, sys
sys.version_info = (3, 6, 8)
sys.argv = sys.argv[3:]  # less -S -E
sys.path.insert(0, os.path.dirname(sys.argv[0]))
exec(open(sys.argv[0]).read())
"""


def start(event: str, *, root: Path, path: Path) -> subprocess.CompletedProcess[str]:
    """Run the handler of an event: exec form, the placeholder substituted in each argument."""
    handler = HANDLERS[event]
    command = [handler["command"], *handler["args"]]
    command = [word.replace("${CLAUDE_PLUGIN_ROOT}", str(root)) for word in command]
    environment = {"PATH": str(path), "HOME": os.environ["HOME"]}
    return subprocess.run(
        command, input="{}", capture_output=True, text=True, env=environment, check=False
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A PATH with a shell and nothing else."""
    folder = tmp_path / "bin"
    folder.mkdir()
    shell = shutil.which("sh")
    assert shell
    (folder / "sh").symlink_to(shell)
    return folder


@pytest.mark.parametrize("event", HANDLERS)
def test_a_hook_starts_with_python3_from_the_path(event: str, path: Path) -> None:
    """An empty event has no answer, and is no fault."""
    (path / "python3").symlink_to(sys.executable)

    ended = start(event, root=ROOT, path=path)

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


@pytest.mark.parametrize("event", HANDLERS)
def test_without_python3_only_the_start_of_a_session_says_so(event: str, path: Path) -> None:
    """Nothing is blocked and no error is shown at each event."""
    ended = start(event, root=ROOT, path=path)

    assert (ended.returncode, ended.stderr) == (0, "")
    said = json.loads(ended.stdout)["systemMessage"] if ended.stdout else ""
    assert ("no python3 on PATH" in said) is (event == "SessionStart")


@pytest.mark.parametrize("event", HANDLERS)
def test_an_old_python3_is_told_once_a_session(event: str, path: Path) -> None:
    """A python3 that cannot read the runtime stops at its first file."""
    program = path / "python3"
    program.write_text(OLD_PYTHON.format(python=sys.executable))
    program.chmod(0o755)

    ended = start(event, root=ROOT, path=path)

    assert (ended.returncode, ended.stderr) == (0, "")
    said = json.loads(ended.stdout)["systemMessage"] if ended.stdout else ""
    assert ("needs Python 3.9" in said) is (event == "SessionStart")


@pytest.mark.parametrize("event", HANDLERS)
def test_a_plugin_folder_that_vanished_blocks_nothing(
    event: str, path: Path, tmp_path: Path
) -> None:
    """Python's exit code for a missing script is 2, which would block the call."""
    (path / "python3").symlink_to(sys.executable)

    ended = start(event, root=tmp_path / "gone", path=path)

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_the_first_file_is_readable_to_an_old_python() -> None:
    """What tells an old Python that it is too old must not fail there itself."""
    for file in ("hooks/claude_tier_hooks/__init__.py", "hooks/session_start.py"):
        ast.parse((ROOT / file).read_text("utf-8"), feature_version=(3, 4))


def test_every_event_has_its_script_and_every_script_its_event() -> None:
    """The table and the folder agree; the lines in a session are no events."""
    scripts = {Path(handler["args"][-1]).name for handler in HANDLERS.values()}

    assert scripts == {path.name for path in (ROOT / "hooks").glob("*.py")} - NO_EVENTS


def test_only_events_nobody_waits_for_are_asynchronous() -> None:
    """An asynchronous hook cannot decide; SessionEnd is the last chance to see the figures."""
    waits = {event for event, handler in HANDLERS.items() if not handler.get("async")}

    assert HANDLERS.keys() - waits == {"SubagentStop", "Stop", "StopFailure"}
    assert all(handler["timeout"] <= 30 for handler in HANDLERS.values())  # seconds


def test_spawns_are_matched_under_both_names_of_the_tool() -> None:
    """The client renamed Task to Agent, and both are still sent."""
    (before,), (after,) = TABLE["PreToolUse"], TABLE["PostToolUse"]

    assert before["matcher"].split("|") == ["Agent", "Task", "Workflow", "SendMessage"]
    assert after["matcher"].split("|") == ["Agent", "Task"]

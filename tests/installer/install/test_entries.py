"""The commands in the settings run our hooks from any path, stay silent when they cannot, and are
recognised again."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from claude_tier import bundle
from claude_tier.errors import UserError
from claude_tier.install import entries
from claude_tier.install.entries import Runtime, own_runtime, project_runtime

ODD = ["plain", "with space", "quo'te", 'dou"ble', "new\nline", "naïve ✓", "$HOME `id` $(id)", "-x"]


def _hooks_in(folder: Path) -> Path:
    """A hooks folder whose scripts print their name, their input and their flags."""
    hooks = folder / "claude-tier" / "hooks"
    hooks.mkdir(parents=True)
    shown = "print(__file__.rpartition('/')[2], sys.stdin.read(), sys.flags.no_site, sep='|')"
    for script in ("session_start.py", "pre_tool_use.py", "status_line.py"):
        (hooks / script).write_text(f"import sys\n{shown}\n")
    return hooks


def _sh(command: str, **environ: str) -> tuple[int, str, str]:
    done = subprocess.run(
        ["sh", "-c", command],
        input="event",
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environ},
    )
    return done.returncode, done.stdout, done.stderr


def _hook(runtime: Runtime, script: str = "pre_tool_use.py") -> str:
    return runtime.hook(script)


@pytest.mark.parametrize("name", ODD)
def test_a_hook_starts_from_any_path(tmp_path: Path, name: str) -> None:
    """Spaces, quotes, newlines, other scripts and shell syntax in both paths are only names."""
    hooks = _hooks_in(tmp_path / name)
    python = hooks.parent / "python 3"
    python.symlink_to(sys.executable)
    assert _sh(_hook(own_runtime(str(python), hooks))) == (0, "pre_tool_use.py|event|1\n", "")


@pytest.mark.parametrize("name", ODD)
def test_a_committed_hook_starts_from_any_clone(tmp_path: Path, name: str) -> None:
    """The project's hooks are found through the folder that the client names."""
    _hooks_in(tmp_path / name / ".claude")
    command = _hook(project_runtime())
    assert str(tmp_path) not in command
    project = str(tmp_path / name)
    assert _sh(command, CLAUDE_PROJECT_DIR=project) == (0, "pre_tool_use.py|event|1\n", "")


@pytest.mark.parametrize(
    "script", ["pre_tool_use.py", "session_start.py", "status_line.py", "subagent_line.py"]
)
def test_a_missing_script_is_silent(tmp_path: Path, script: str) -> None:
    """Python's exit code for a missing script is 2, which would block the session's tools."""
    runtime = own_runtime(sys.executable, tmp_path)
    line = script.endswith("_line.py")
    command = runtime.line(script, None) if line else _hook(runtime, script)
    assert _sh(command) == (0, "", "")
    assert _sh(_hook(project_runtime(), script), CLAUDE_PROJECT_DIR=str(tmp_path)) == (0, "", "")


def test_a_missing_interpreter_is_told_once_a_session(tmp_path: Path) -> None:
    """Only SessionStart says that Python is gone, as one line for the user."""
    runtime = own_runtime(str(tmp_path / "gone"), _hooks_in(tmp_path))
    assert _sh(_hook(runtime)) == (0, "", "")
    code, said, _ = _sh(_hook(runtime, "session_start.py"))
    assert code == 0
    assert "`claude-tier install`" in json.loads(said)["systemMessage"]


def test_a_project_without_python_says_so(tmp_path: Path) -> None:
    """A machine without python3 on PATH hears it at the start of a session."""
    _hooks_in(tmp_path / ".claude")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "sh").symlink_to(shutil.which("sh") or "")
    environ = {"CLAUDE_PROJECT_DIR": str(tmp_path), "PATH": str(tmp_path / "bin")}
    assert _sh(_hook(project_runtime()), **environ) == (0, "", "")
    code, said, _ = _sh(_hook(project_runtime(), "session_start.py"), **environ)
    assert code == 0
    assert "python3" in json.loads(said)["systemMessage"]


@pytest.mark.parametrize("theirs", ["cat; echo ' mine'", "printf %s 'é # \"x\"' # comment", ""])
def test_the_users_status_line_outlives_our_python(tmp_path: Path, theirs: str) -> None:
    """With our interpreter gone the user's own line is shown as before."""
    runtime = own_runtime(str(tmp_path / "gone"), _hooks_in(tmp_path))
    assert _sh(runtime.line("status_line.py", theirs)) == _sh(theirs)
    assert entries.chained(runtime.line("status_line.py", theirs)) == theirs


def test_our_status_line_runs_where_it_can(tmp_path: Path) -> None:
    """With everything in place our own script runs, whatever it chains."""
    runtime = own_runtime(sys.executable, _hooks_in(tmp_path))
    assert _sh(runtime.line("status_line.py", "false"))[1] == "status_line.py|event|1\n"
    assert entries.chained(runtime.line("status_line.py", None)) is None


@pytest.mark.parametrize(
    "command",
    [
        _hook(own_runtime("/usr/bin/python3", Path("/home/x y/.claude/claude-tier/hooks"))),
        _hook(own_runtime("/usr/bin/python3", Path("/h/claude-tier/hooks")), "session_start.py"),
        _hook(project_runtime()),
        own_runtime("/p/python3.12", Path("/s/claude-tier/hooks")).line("status_line.py", "x 'y'"),
        "python3 ~/.claude/claude-tier/hooks/stop.py",
        "/usr/bin/env python3 -S -E claude-tier/hooks/stop.py",
    ],
)
def test_commands_that_run_our_hooks_are_ours(command: str) -> None:
    """Whatever interpreter and folder an older version wrote, its entry is recognised."""
    assert entries.is_ours({"type": "command", "command": command})


@pytest.mark.parametrize(
    "handler",
    [
        {"type": "command", "command": "cat ~/.claude/claude-tier/hooks/stop.py | wc"},
        {"type": "command", "command": "python3 other/hooks/stop.py"},
        {"type": "command", "command": "python3 my-claude-tier/hooks/stop.py"},
        {"type": "command", "command": "python3 claude-tier/hooks/stop.py.bak"},
        {"type": "command", "command": "unclosed 'claude-tier/hooks/stop.py"},
        {"type": "command", "command": 7},
        {"type": "http", "url": "http://localhost/claude-tier/hooks/stop.py"},
        "python3 claude-tier/hooks/stop.py",
        None,
    ],
)
def test_other_peoples_handlers_are_not_ours(handler: object) -> None:
    """A command that only names our files, or files like ours, is left alone."""
    assert not entries.is_ours(handler)


def test_exec_form_is_recognised() -> None:
    """The plugin's own spelling of a handler is ours as well."""
    args = ["-S", "-E", "/home/x/.claude/claude-tier/hooks/stop.py"]
    assert entries.is_ours({"type": "command", "command": "python3", "args": args})


def test_settings_follow_the_plugins_table() -> None:
    """Every event, matcher and option of hooks.json arrives; commands are in shell form."""
    table = entries.load_table(bundle.root() / "hooks" / "hooks.json")
    made = entries.settings_hooks(
        table, own_runtime("/usr/bin/python3", Path("/claude-tier/hooks"))
    )
    assert made.keys() == table.keys()
    for event, groups in made.items():
        for group, source in zip(groups, table[event], strict=True):
            assert group.get("matcher") == source.get("matcher")
            for handler, plain in zip(
                entries.handlers(group), entries.handlers(source), strict=True
            ):
                assert handler.keys() == plain.keys() - {"args"}
                assert entries.is_ours(handler)
                assert (bundle.root() / "hooks" / _script(plain)).is_file()


def _script(handler: dict[str, object]) -> str:
    args = handler["args"]
    assert isinstance(args, list)
    return str(args[-1]).rpartition("/")[2]


def test_a_broken_table_is_said(tmp_path: Path) -> None:
    """A package that lost its table is reported, not a traceback."""
    with pytest.raises(UserError, match=r"hooks\.json"):
        entries.load_table(tmp_path / "hooks.json")

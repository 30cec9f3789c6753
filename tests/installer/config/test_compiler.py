"""config.yaml to policy.json: at once, under a lock, and never worse than before."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from claude_tier.config import (
    CompileResult,
    ConfigError,
    Loaded,
    compile_user_policy,
    compiler,
    load,
)
from claude_tier_hooks import __version__, policy


@pytest.fixture
def state(home: Path) -> Path:
    """The state folder that both the compiler and the hooks use in this test."""
    return home / ".claude" / "claude-tier"


def write(state: Path, text: str) -> Path:
    state.mkdir(parents=True, exist_ok=True)
    file = state / "config.yaml"
    file.write_text(text)
    return file


def test_without_a_file_the_defaults_are_compiled(state: Path) -> None:
    """The file's absence is recorded, so that its appearance makes the policy stale."""
    result = compile_user_policy(state)
    assert result == CompileResult(state / "policy.json", result.policy, changed=True)
    written = json.loads((state / "policy.json").read_bytes())
    assert written == result.policy
    assert written["version"] == 1
    assert written["runtime"] == {"version": __version__, "hooks": str(state / "hooks")}
    assert written["command"][:2] == [sys.executable, "-c"]
    assert written["status_line"] == {"chain": None}
    assert written["sources"] == [
        {"path": str(state / "config.yaml"), "size": -1, "mtime_ns": 0, "crc32": 0}
    ]


def test_the_source_is_recorded_as_it_was_read(state: Path) -> None:
    """Size, time and checksum are what the hooks compare."""
    file = write(state, "preset: budget\n")
    compile_user_policy(state)
    [source] = json.loads((state / "policy.json").read_bytes())["sources"]
    assert source["size"] == file.stat().st_size
    assert source["mtime_ns"] == file.stat().st_mtime_ns
    assert source["crc32"] == zlib.crc32(b"preset: budget\n")


def test_the_hooks_read_what_was_compiled(state: Path) -> None:
    """The hooks' own loader finds the user's words and the whole price table."""
    write(state, "preset: budget\nexempt: [a]\nprices: {m: {input: 1, output: 2}}\n")
    compile_user_policy(state)
    rules = policy.load()
    assert rules["exempt"] == ["a"]
    assert rules["models"].keys() >= {"m", "claude-opus-5-5"}


def test_the_users_own_status_line_is_chained(state: Path) -> None:
    """The installer notes the command in the manifest."""
    write(state, "")
    chains = {"status_line_chain": "my line", "subagent_line_chain": "my rows"}
    (state / "manifest.json").write_text(json.dumps(chains))
    made = compile_user_policy(state).policy
    assert made
    assert made["status_line"] == {"chain": "my line"}
    assert made["subagent_line"] == {"chain": "my rows"}


def test_compiling_again_writes_nothing(state: Path) -> None:
    """Not even the time of the file changes."""
    compile_user_policy(state)
    before = (state / "policy.json").stat()
    assert not compile_user_policy(state).changed
    assert (state / "policy.json").stat() == before


def test_everything_is_the_owners_alone(state: Path) -> None:
    """Folder 0700, files 0600, whatever the umask."""
    old = os.umask(0)
    try:
        compile_user_policy(state)
        (state / "config.yaml").write_text("x: 1")
        with pytest.raises(ConfigError):
            compile_user_policy(state)
    finally:
        os.umask(old)
    assert state.stat().st_mode & 0o777 == 0o700
    written = {file.name: file.stat().st_mode & 0o777 for file in state.iterdir()}
    del written["config.yaml"]
    assert written == dict.fromkeys(("compile.lock", "compile-error.json", "policy.json"), 0o600)


def test_a_mistake_leaves_the_old_policy_and_says_where(state: Path) -> None:
    """The note has what a hook shows, and the version of the file not to try again."""
    write(state, "preset: budget\n")
    compile_user_policy(state)
    before = (state / "policy.json").read_bytes()
    file = write(state, "preset: budget\nexempt: x\nasign: {}\n")
    with pytest.raises(ConfigError) as caught:
        compile_user_policy(state)
    assert (state / "policy.json").read_bytes() == before
    assert json.loads((state / "compile-error.json").read_bytes()) == {
        "path": str(file),
        "size": file.stat().st_size,
        "mtime_ns": file.stat().st_mtime_ns,
        "crc32": zlib.crc32(file.read_bytes()),
        "line": 2,
        "key": "exempt",
        "message": "exempt: must be a list, not 'x'",
        "faults": [str(fault) for fault in caught.value.faults],
    }


def test_success_takes_the_note_away(state: Path) -> None:
    """The next compilation that works leaves no word of the one that did not."""
    write(state, "x: 1")
    with pytest.raises(ConfigError):
        compile_user_policy(state)
    write(state, "")
    compile_user_policy(state)
    assert not (state / "compile-error.json").exists()


def test_a_folder_that_is_no_file_is_a_mistake_with_its_version(state: Path) -> None:
    """What cannot be read is not tried again either until it changes."""
    (state / "config.yaml").mkdir(parents=True)
    with pytest.raises(ConfigError):
        compile_user_policy(state)
    note = json.loads((state / "compile-error.json").read_bytes())
    assert note["mtime_ns"] == (state / "config.yaml").stat().st_mtime_ns


def test_files_are_read_under_the_lock(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else an older version of the file could be written over a newer one's policy."""

    def watched(path: Path) -> Loaded:
        with (state / "compile.lock").open() as other, pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return load(path)

    monkeypatch.setattr(compiler, "load", watched)
    assert compile_user_policy(state).changed


def test_many_at_once_leave_one_whole_policy(state: Path) -> None:
    """Eight real processes compile while the file changes; the last word is the last file's."""
    write(state, "preset: premium\n")
    command = [sys.executable, "-m", "claude_tier", "compile", "--quiet"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    running = [subprocess.Popen(command, env=environment) for _ in range(8)]
    write(state, "preset: budget\n")
    assert [process.wait() for process in running] == [0] * 8
    compile_user_policy(state)
    assert json.loads((state / "policy.json").read_bytes())["preset"] == "budget"
    assert not list(state.glob("*.tmp"))


def test_a_state_folder_that_is_not_utf8_is_written_all_the_same(tmp_path: Path) -> None:
    """Its path stands in the policy and reads back as the same bytes."""
    state = tmp_path / os.fsdecode(b"caf\xe9")
    compile_user_policy(state)
    hooks = json.loads((state / "policy.json").read_bytes())["runtime"]["hooks"]
    assert os.fsencode(hooks) == os.fsencode(state / "hooks")


def test_only_the_folder_that_is_compiled_is_made(tmp_path: Path, home: Path) -> None:
    """Also where it is not the one of whoever runs it."""
    compile_user_policy(tmp_path / "other/claude-tier")
    assert (tmp_path / "other/claude-tier/policy.json").exists()
    assert not (home / ".claude").exists()

"""Compiles configuration files into the policies that the hooks read, under one lock.

A mistake leaves the old policy standing and is noted beside it, with the version of the file that
holds it, so that nobody tries that version again.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from claude_tier_hooks import policy as runtime
from claude_tier_hooks import state

from claude_tier.config import policy, project
from claude_tier.config.faults import ConfigError
from claude_tier.config.load import Loaded, Policy, load

CONFIG = "config.yaml"
FAILURE = "compile-error.json"


@dataclass(frozen=True)
class CompileResult:
    """What was compiled: the file (None where a project has nothing of its own) and its content."""

    path: Path | None
    policy: Policy | None
    changed: bool
    notes: tuple[str, ...] = ()


def compile_user_policy(state_dir: Path) -> CompileResult:
    """config.yaml to policy.json; raises ConfigError, and then the old policy.json stands."""
    with _locked(state_dir):
        return _compile_user(state_dir)[1]


def compile_project_policy(state_dir: Path, project_root: Path) -> CompileResult:
    """The user's policy and that project's own file to policies/<crc32 of the root>.json.

    The project's file comes with a clone: when it says more than it may, no part of it applies,
    ConfigError is raised and the user's policy alone stands.
    """
    with _locked(state_dir):
        loaded, _ = _compile_user(state_dir)
        target = state_dir / "policies" / Path(runtime.overlay_file(str(project_root))).name
        failure = target.with_suffix(".error.json")
        file = project_root / runtime.PROJECT_FILE
        if not os.path.lexists(file):
            _settle(failure)
            return CompileResult(None, None, changed=_remove(target))
        try:
            overlay, notes = project.overlaid(loaded, file, state_dir)
        except ConfigError as error:
            error.hint = "Nothing in it applies; your own configuration does."
            _remove(target)
            _note_failure(failure, error)
            raise
        _settle(failure)
        return CompileResult(target, overlay, _write(target, overlay), notes)


def _compile_user(state_dir: Path) -> tuple[Loaded, CompileResult]:
    target = state_dir / "policy.json"
    try:
        loaded = load(state_dir / CONFIG)
    except ConfigError as error:
        error.hint = "Nothing was changed; the previous configuration stays in effect."
        _note_failure(state_dir / FAILURE, error)
        raise
    made = policy.whole(loaded.config, state_dir, [loaded.document.source])
    result = CompileResult(target, made, _write(target, made))
    _settle(state_dir / FAILURE)
    return loaded, result


def _settle(failure: Path) -> None:
    """Forget the mistake that was in that file, and that a hook could not have it compiled."""
    _remove(failure)
    _remove(failure.with_name(failure.name.replace("error.json", "attempt.json")))


def _note_failure(file: Path, error: ConfigError) -> None:
    """Keep the first fault and the failed file's version; the next success removes the note."""
    first = error.faults[0]
    note: dict[str, object] = {
        **error.source.record(),
        "line": first.line,
        "key": first.key,
        "message": f"{first.key}: {first.message}" if first.key else first.message,
        "faults": [str(fault) for fault in error.faults],
    }
    _settle(file)
    _write(file, note)


@contextmanager
def _locked(state_dir: Path) -> Iterator[None]:
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(state_dir / "compile.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _write(path: Path, content: dict[str, object]) -> bool:
    """Replace the file where its content differs; whether it did."""
    text = _one_key_a_line(content)
    if path.is_file() and path.read_bytes() == text.encode():
        return False
    path.parent.mkdir(mode=0o700, exist_ok=True)
    state.write_private(str(path), text)
    return True


def _one_key_a_line(content: dict[str, object]) -> str:
    lines = [f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in content.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _remove(path: Path) -> bool:
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    return True

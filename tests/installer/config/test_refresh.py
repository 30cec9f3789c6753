"""The hooks and the compiler agree: what is stale, what failed, and what is not tried again."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from claude_tier.config import compile_user_policy
from claude_tier_hooks import policy, refresh


@pytest.fixture
def state(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A compiled state folder; the recorded command finds the checkout."""
    path = os.pathsep.join(entry for entry in sys.path if entry)
    monkeypatch.setenv("PYTHONPATH", path)
    folder = home / ".claude" / "claude-tier"
    compile_user_policy(folder)
    return folder


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    (tmp_path / ".claude").mkdir()
    return tmp_path


def compiles(state: Path, root: Path) -> bool:
    """Whether a hook in that project has something compiled: the lock is made anew."""
    (state / "compile.lock").unlink(missing_ok=True)
    refresh.run(str(root))
    return (state / "compile.lock").exists()


def test_an_edit_takes_effect_at_the_next_hook(state: Path, clone: Path) -> None:
    """Written, changed and removed; each once."""
    assert not compiles(state, clone)
    for text, expected in (("preset: budget\n", "budget"), ("preset: premium\n", "premium")):
        (state / "config.yaml").write_text(text)
        assert compiles(state, clone)
        assert policy.load()["preset"] == expected
        assert not compiles(state, clone)
    (state / "config.yaml").unlink()
    assert compiles(state, clone)
    assert policy.load()["preset"] == "balanced"


def test_a_mistake_is_not_compiled_again_until_it_changes(state: Path, clone: Path) -> None:
    """The hook has file, line and message, and the policy before stands."""
    (state / "config.yaml").write_text("\npreset: x\n")
    assert compiles(state, clone)
    fault = refresh.fault()
    assert fault
    assert (fault["path"], fault["line"]) == (str(state / "config.yaml"), 2)
    assert fault["message"] == "preset: must be 'balanced', 'budget' or 'premium', not 'x'"
    assert not compiles(state, clone)
    assert policy.load()["preset"] == "balanced"
    (state / "config.yaml").write_text("preset: budget\n")
    assert compiles(state, clone)
    assert refresh.fault() is None


def test_a_projects_mistake_is_not_compiled_again_until_it_changes(
    state: Path, clone: Path
) -> None:
    """A clone cannot make every prompt wait for a compiler."""
    file = clone / ".claude" / "claude-tier.yaml"
    file.write_text("exempt: [x]\n")
    assert compiles(state, clone)
    assert [fault["path"] for fault in refresh.faults(str(clone))] == [str(file)]
    assert not compiles(state, clone)
    file.write_text("assign: {Plan: haiku}\n")
    assert compiles(state, clone)
    assert policy.load(str(clone))["assign"]["Plan"]["tier"] == "haiku"
    assert not compiles(state, clone)


def test_a_mistake_in_each_file_is_kept_apart(state: Path, clone: Path) -> None:
    """With the user's file broken a project's is not compiled at every prompt either."""
    (state / "config.yaml").write_text("x: 1\n")
    (clone / ".claude" / "claude-tier.yaml").write_text("assign: {Plan: haiku}\n")
    assert compiles(state, clone)
    assert not compiles(state, clone)
    assert [fault["key"] for fault in refresh.faults(str(clone))] == ["x"]

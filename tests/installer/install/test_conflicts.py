"""What gets in the way is named; nothing of it is changed or makes an install fail."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from claude_tier.install import conflicts
from claude_tier.install.outcome import Outcome
from claude_tier.install.scopes import Scope, Target
from trees import write

Run = Callable[..., Outcome]
Place = Callable[[Scope], Target]
NOWHERE = {"PATH": "/nowhere"}


def _found(target: Target, values: object, **environ: str) -> list[str]:
    write(target.settings, json.dumps(values))
    return conflicts.find(target, {**NOWHERE, **environ})


def _group(**fields: object) -> dict[str, object]:
    return {"hooks": {"PreToolUse": [{**fields, "hooks": [{"type": "command", "command": "x"}]}]}}


@pytest.mark.parametrize(
    "matcher", ["", "*", "Task", "Agent|Bash", "Bash, Task", "Ag.nt", "^(Task|Bash)$"]
)
def test_another_hook_on_new_subagents_is_named(user: Target, matcher: str) -> None:
    """Of two rewrites the client takes the one that ends last."""
    (warning,) = _found(user, _group(matcher=matcher))
    assert f"{user.settings}: hooks.PreToolUse[0] " in warning
    assert len(_found(user, _group())) == 1


@pytest.mark.parametrize("matcher", ["Bash", "Tasks", "Bash|Edit", "^Tas$", "(unclosed", 7])
def test_a_hook_on_other_tools_is_no_conflict(user: Target, matcher: object) -> None:
    assert _found(user, _group(matcher=matcher)) == []


def test_our_own_hooks_are_no_conflict(user: Target, install: Run) -> None:
    install(user)
    assert conflicts.find(user, NOWHERE) == []


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"disableAllHooks": True}, "disableAllHooks is on"),
        ({"allowManagedHooksOnly": True}, "allowManagedHooksOnly is on"),
        ({"availableModels": ["opus"]}, "availableModels may send"),
        ({"env": {"CLAUDE_CODE_SUBAGENT_MODEL": "haiku"}}, "settings.json is what subagents"),
        ({"env": {"CLAUDE_CODE_SUBAGENT_MODEL_FORCE": "1"}}, "no subagent's model can be set"),
        ({"enabledPlugins": {"model-tier@claude-tier": True}}, "plugin is enabled too"),
    ],
)
def test_settings_in_the_way_are_named(user: Target, values: dict[str, object], words: str) -> None:
    (warning,) = _found(user, values)
    assert words in warning
    assert str(user.settings) in warning


@pytest.mark.parametrize(
    "values",
    [
        {"disableAllHooks": False, "availableModels": [], "env": {"X": 1}, "hooks": 7},
        {"enabledPlugins": {"model-tier@x": False, "other": True}, "hooks": {"PreToolUse": {}}},
        {"env": {"CLAUDE_CODE_SUBAGENT_MODEL_FORCE": "0"}},
    ],
)
def test_settings_that_are_off_are_no_conflict(user: Target, values: object) -> None:
    assert _found(user, values) == []


def test_the_environment_is_looked_at(user: Target) -> None:
    """The variables that decide a subagent's model are found in the shell, too."""
    (warning,) = conflicts.find(user, {**NOWHERE, "CLAUDE_CODE_SUBAGENT_MODEL": "opus"})
    assert "in the environment" in warning


def test_a_second_install_is_named(place: Place, install: Run) -> None:
    """User and project scope may both be there; the project's install says so."""
    install(place("user"))
    (warning,) = install(place("local")).warnings
    assert str(place("user").settings) in warning
    assert "installed there too" in warning


def test_settings_nobody_can_read_are_passed_over(place: Place) -> None:
    """A broken file of another scope is not ours to judge."""
    write(place("user").settings, "{broken")
    assert conflicts.find(place("project"), NOWHERE) == []


@pytest.mark.parametrize(
    ("says", "warned"),
    [
        ("2.1.250 (Claude Code)", True),
        ("1.9.999", True),
        ("2.1.251 (Claude Code)", False),
        ("2.2.0", False),
        ("nonsense", False),
    ],
)
def test_an_old_client_is_named(user: Target, tmp_path: Path, says: str, warned: bool) -> None:
    """Only the version decides; a client that does not tell is not judged."""
    client = write(tmp_path / "bin" / "claude", f"#!/bin/sh\necho '{says}'\n")
    client.chmod(0o755)
    found = conflicts.find(user, {"PATH": str(client.parent)})
    assert bool(found) is warned
    assert all("older than 2.1.251" in warning for warning in found)


def test_a_client_that_does_not_start_is_passed_over(user: Target, tmp_path: Path) -> None:
    client = write(tmp_path / "bin" / "claude", "#!/nowhere\n")
    client.chmod(0o755)
    assert conflicts.find(user, {"PATH": str(client.parent)}) == []

"""A small bundle, and places to install it into."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from claude_tier.install import installing, scopes, uninstalling
from claude_tier.install.outcome import Outcome
from claude_tier.install.scopes import Scope, Target
from trees import handler, write

PYTHON = "/usr/bin/python3"


@pytest.fixture(autouse=True)
def _path(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A python3 and the system's own programs, and no client that would be asked its version."""
    folder = tmp_path_factory.mktemp("bin")
    (folder / "python3").symlink_to(sys.executable)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A killed process loses nothing the kernel has; only a power cut does."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture
def config(home: Path) -> Path:
    """Claude Code's own folder, not made yet."""
    return home / ".claude"


@pytest.fixture
def state(config: Path) -> Path:
    return config / "claude-tier"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """What a package ships, in small; litter of editors and Python included."""
    root = tmp_path / "bundle"
    table = {
        "Stop": [{"hooks": [handler("stop.py", timeout=5)]}],
        "PreToolUse": [{"matcher": "Agent|Task", "hooks": [handler("pre_tool_use.py")]}],
    }
    write(root / "hooks" / "hooks.json", json.dumps({"hooks": table}))
    write(root / "hooks" / "stop.py", "from claude_tier_hooks import stop\n")
    write(root / "hooks" / "claude_tier_hooks" / "stop.py", "print()\n")
    write(root / "hooks" / "claude_tier_hooks" / "__pycache__" / "stop.pyc", "litter")
    write(root / "agents" / "explorer.md", "explore\n")
    write(root / "agents" / ".DS_Store", "litter")
    write(root / "skills" / "budget" / "SKILL.md", "count\n")
    return root


@pytest.fixture
def place(config: Path, project: Path) -> Callable[[Scope], Target]:
    """The target of a scope; the project is always the same."""
    return lambda scope: scopes.target(scope, config, None if scope == "user" else project)


@pytest.fixture
def user(place: Callable[[Scope], Target]) -> Target:
    return place("user")


@pytest.fixture
def install(bundle: Path) -> Callable[..., Outcome]:
    """Install into a target, with more fields of the request by keyword."""

    def run(target: Target, *, dry_run: bool = False, **more: object) -> Outcome:
        fields = {"python": PYTHON, "now": 1.8e9, **more}
        request = installing.Request(target, bundle, **fields)  # type: ignore[arg-type]
        return installing.install(request, dry_run=dry_run)

    return run


@pytest.fixture
def uninstall() -> Callable[..., Outcome]:
    def run(target: Target, *, dry_run: bool = False, purge: bool = False) -> Outcome:
        request = uninstalling.Request(target, purge=purge, now=1.8e9)
        return uninstalling.uninstall(request, dry_run=dry_run)

    return run

"""A user with everything in order; each test breaks one thing."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from claude_tier import bundle
from claude_tier.install import installing, scopes
from claude_tier.install.doctor import CHECKS, Machine, examine
from claude_tier.install.doctor.report import Finding

Diagnose = Callable[[], dict[str, list[Finding]]]


@pytest.fixture
def state(home: Path) -> Path:
    return home / ".claude/claude-tier"


@pytest.fixture
def settings(home: Path) -> Path:
    return home / ".claude/settings.json"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A PATH on which `claude` says its version."""
    folder = tmp_path / "bin"
    folder.mkdir()
    client = folder / "claude"
    client.write_text("#!/bin/sh\necho '2.1.329 (Claude Code)'\n")
    client.chmod(0o755)
    return folder


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """The folder the doctor is asked in: the root of a project."""
    folder = tmp_path / "work"
    (folder / ".git").mkdir(parents=True)
    return folder


@pytest.fixture
def install(home: Path) -> Callable[..., None]:
    """`claude-tier install` for the user, or with a scope and a folder."""

    def _install(scope: scopes.Scope = "user", root: Path | None = None) -> None:
        target = scopes.target(scope, home / ".claude", root)
        installing.install(installing.Request(target, bundle.root()))

    return _install


@pytest.fixture
def diagnose(work: Path, path: Path) -> Diagnose:
    """All findings by name."""

    def _diagnose() -> dict[str, list[Finding]]:
        environ = {"PATH": f"{path}:/usr/bin:/bin"}
        machine = Machine(cwd=work, environ=environ, now=time.time())
        found: dict[str, list[Finding]] = {}
        for finding in examine(machine, CHECKS).findings:
            found.setdefault(finding.name, []).append(finding)
        return found

    return _diagnose


def change(file: Path, **values: object) -> None:
    """Set keys of a settings file as the client does: parsed and written anew."""
    settings = json.loads(file.read_bytes())
    file.write_text(json.dumps({**settings, **values}, indent=2) + "\n")


def remove(file: Path, event: str) -> None:
    settings = json.loads(file.read_bytes())
    del settings["hooks"][event]
    file.write_text(json.dumps(settings))

"""An agent of the user's own launchd."""

from __future__ import annotations

import os
import plistlib
import shutil
from collections.abc import Collection
from pathlib import Path

from claude_tier.errors import UserError
from claude_tier.heartbeat.schedulers import entry_files, programs
from claude_tier.heartbeat.schedulers.job import Added, Job

EVERY = 60  # seconds


def missing() -> str | None:
    return None if shutil.which("launchctl") else "no `launchctl` on PATH"


def preview(job: Job) -> str:
    return entry_files.shown({_path(job.name): _content(job)})


def add(job: Job) -> Added:
    path = _path(job.name)
    before, wanted = path.exists(), {path: _content(job)}
    lines = entry_files.said(wanted)
    made = entry_files.write(wanted)
    if before:
        _unload(job.name)
    try:
        programs.require("launchctl", "bootstrap", _domain(), str(path))
    except UserError:
        if not before:
            entry_files.remove([path], made)
        raise
    return Added((*lines, f"Loaded {job.name}."), tuple(made))


def remove(name: str, made: Collection[str]) -> list[str]:
    if place(name) is None:
        return []
    lines = []
    if missing() is None:
        _unload(name)
        lines = [f"Unloaded {name}."]
    return [*lines, *(f"Removed {path}" for path in entry_files.remove([_path(name)], made))]


def place(name: str) -> str | None:
    return str(_path(name)) if _path(name).exists() else None


def look(name: str) -> str:
    return f"`launchctl print {_domain()}/{name}` says more."


def _path(name: str) -> Path:
    return Path.home() / f"Library/LaunchAgents/{name}.plist"


def _domain() -> str:
    """That of the user who is logged in at the screen, whose keychain `claude` needs."""
    return f"gui/{os.getuid()}"


def _unload(name: str) -> None:
    """One that is not loaded is just as well."""
    programs.run("launchctl", "bootout", f"{_domain()}/{name}")


def _content(job: Job) -> bytes:
    return plistlib.dumps(
        {
            "Label": job.name,
            "ProgramArguments": list(job.words),
            "EnvironmentVariables": dict(job.environment),
            "StartInterval": EVERY,
            "RunAtLoad": True,
            "ProcessType": "Background",
            "Nice": 10,
            "StandardOutPath": os.devnull,
            "StandardErrorPath": os.devnull,
        }
    )

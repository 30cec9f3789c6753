"""A timer of the user's own systemd, and the service that it starts."""

from __future__ import annotations

import os
import pwd
import shutil
from collections.abc import Collection
from pathlib import Path

from claude_tier.errors import UserError
from claude_tier.heartbeat.schedulers import entry_files, programs
from claude_tier.heartbeat.schedulers.job import Added, Job

# systemd's own lines about every start would fill the journal; a fault is still in it.
SERVICE = """\
[Unit]
Description=What is due of the heartbeat of claude-tier

[Service]
Type=oneshot
{environment}
ExecStart={command}
Nice=10
LogLevelMax=notice
"""
TIMER = """\
[Unit]
Description=Every minute for the heartbeat of claude-tier

[Timer]
OnCalendar=minutely
AccuracySec=5s
Persistent=false

[Install]
WantedBy=timers.target
"""


def missing() -> str | None:
    if not shutil.which("systemctl"):
        return "no `systemctl` on PATH"
    try:
        said = programs.run("systemctl", "--user", "show", "--property=Version")
    except UserError as error:
        return error.message
    return f"no systemd of yours runs ({said.err or said.code})" if said.code else None


def preview(job: Job) -> str:
    return entry_files.shown(_units(job))


def add(job: Job) -> Added:
    units, before = _units(job), place(job.name)
    lines = entry_files.said(units)
    made = entry_files.write(units)
    try:
        programs.require("systemctl", "--user", "daemon-reload")
        programs.require("systemctl", "--user", "enable", "--now", f"{job.name}.timer")
    except UserError:
        if before is None:
            remove(job.name, made)
        raise
    return Added((*lines, f"Started {job.name}.timer.", *_advice()), tuple(made))


def remove(name: str, made: Collection[str]) -> list[str]:
    if place(name) is None:
        return []
    lines = []
    if missing() is None:
        programs.run("systemctl", "--user", "disable", "--now", f"{name}.timer")
        lines = [f"Stopped {name}.timer."]
    _unlinked(name)
    gone = entry_files.remove(_paths(name), made)
    if lines:
        programs.run("systemctl", "--user", "daemon-reload")
    return [*lines, *(f"Removed {path}" for path in gone)]


def place(name: str) -> str | None:
    there = [path for path in _paths(name) if path.exists()]
    return str(there[-1]) if there else None


def look(name: str) -> str:
    return f"`systemctl --user status {name}.timer {name}.service` says more."


def _paths(name: str) -> tuple[Path, Path]:
    return _folder() / f"{name}.service", _folder() / f"{name}.timer"


def _folder() -> Path:
    configured = os.environ.get("XDG_CONFIG_HOME", "")
    own = Path(configured) if configured.startswith("/") else Path.home() / ".config"
    return own / "systemd/user"


def _units(job: Job) -> dict[Path, bytes]:
    service, timer = _paths(job.name)
    if set(job.python) & set("\\\"'"):
        raise UserError(
            f"systemd starts no program whose path has quotes or a \\: {job.python}",
            "Rename that folder, or use `--scheduler cron`.",
        )
    variables = (f"Environment={quoted(f'{k}={v}')}" for k, v in job.environment.items())
    # systemd looks for variables in every word but the first, which is the program's path.
    program, *words = (quoted(word) for word in job.words)
    command = " ".join([program, *(word.replace("$", "$$") for word in words)])
    text = SERVICE.format(environment="\n".join(variables), command=command)
    return {service: text.encode(), timer: TIMER.encode()}


def quoted(word: str) -> str:
    """By the rules of systemd.syntax(7): one word, and no specifier in it."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'


def _unlinked(name: str) -> None:
    """`disable` does this, where a systemd runs."""
    wants = _folder() / "timers.target.wants"
    (wants / f"{name}.timer").unlink(missing_ok=True)
    if wants.is_dir() and not any(wants.iterdir()):
        wants.rmdir()


def _advice() -> list[str]:
    """A user's systemd ends with the last login unless it lingers."""
    user = pwd.getpwuid(os.getuid()).pw_name
    try:
        said = programs.run("loginctl", "show-user", user, "--property=Linger")
    except UserError:
        return []
    if said.out.strip() != b"Linger=no":
        return []
    return ["It runs while you are logged in; `loginctl enable-linger` lets it run always."]

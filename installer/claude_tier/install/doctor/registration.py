"""Whether Claude Code knows our hooks, and whether what they start is there."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from claude_tier.errors import UserError
from claude_tier.install import entries
from claude_tier.install.doctor.machine import Machine, Registered, parsed, values
from claude_tier.install.doctor.report import Finding, fault, ok, warning
from claude_tier.install.json_text import JsonError
from claude_tier.install.scopes import Target

OLDEST_PYTHON = (3, 9)
ASK = "import sqlite3, sys; print('%d.%d.%d' % sys.version_info[:3])"
ASK_SECONDS = 10
SWITCHES = {
    "disableAllHooks": "so no hook runs",
    "allowManagedHooksOnly": "so only hooks of your organization run",
}


class Start(NamedTuple):
    """What one hook starts: an interpreter and a script."""

    python: str
    script: Path


def settings_files(machine: Machine) -> Iterator[Finding]:
    """Every settings file in effect can be read, and leaves hooks on."""
    found = [finding for target in machine.targets for finding in _settings_file(target)]
    yield from found or [ok("settings", "every settings file can be read")]


def _settings_file(target: Target) -> Iterator[Finding]:
    path = target.settings
    try:
        parsed(path)
    except UserError as error:
        yield fault("settings", error.message)
    except JsonError as error:
        yield _unreadable(path, f"{path}:{error.line}:{error.column}: {error}")
    for key, effect in SWITCHES.items():
        if values(path).get(key) is True:
            yield fault("settings", f"{path}: {key} is on, {effect}", f"Remove {key} from it.")


def _unreadable(path: Path, what: str) -> Finding:
    try:
        is_object = isinstance(json.loads(path.read_bytes().decode("utf-8-sig")), dict)
    except ValueError:
        is_object = False
    if not is_object:
        return fault("settings", f"{what}; Claude Code drops the whole file", "Mend the file.")
    return warning("settings", f"{what}; `claude-tier install` would refuse it", "Mend the file.")


def hooks(machine: Machine) -> Iterator[Finding]:
    """Every event of the table is registered, and the scripts are there."""
    if not machine.registered:
        yield _unregistered(machine)
    for registered in machine.registered:
        yield from _registered(machine, registered)


def _unregistered(machine: Machine) -> Finding:
    if machine.has_plugin:
        return ok("hooks", "registered by the plugin model-tier")
    return fault("hooks", "no hook of claude-tier is registered", "Run `claude-tier install`.")


def _registered(machine: Machine, registered: Registered) -> Iterator[Finding]:
    path, todo = registered.target.settings, f"Run `{install_command(registered.target)}`."
    table = entries.load_table(machine.bundle / "hooks" / "hooks.json")
    missing = [event for event in table if event not in registered.hooks]
    gone = sorted({str(s.script) for s in starts(registered) if not s.script.is_file()})
    if missing:
        yield fault("hooks", f"{path} lacks {', '.join(missing)}", todo)
    if gone:
        yield fault("hooks", f"{path} names files that are not there: {', '.join(gone)}", todo)
    if not missing and not gone:
        yield ok("hooks", f"{len(table)} events in {path}")


def interpreter(machine: Machine) -> Iterator[Finding]:
    """Each Python that a hook starts is there, new enough, and has SQLite."""
    found = {s.python: each for each in machine.registered for s in starts(each)}
    for python, registered in sorted(found.items()):
        yield _interpreter(python, registered, machine)


def _interpreter(python: str, registered: Registered, machine: Machine) -> Finding:
    shared = registered.target.is_shared
    todo = (
        "Install Python 3.9 or later as python3."
        if shared
        else f"Run `{install_command(registered.target)}`."
    )
    program = shutil.which(python, path=machine.environ.get("PATH"))
    if program is None:
        return fault("interpreter", f"{python} is not there, so no hook runs", todo)
    said = _ask(program)
    version = re.fullmatch(r"(\d+)\.(\d+)\.\d+", said)
    if version is None:
        return fault("interpreter", f"{program} does not work: {said}", todo)
    if tuple(map(int, version.groups())) < OLDEST_PYTHON:
        return fault("interpreter", f"{program} is Python {said}; the hooks need 3.9", todo)
    return ok("interpreter", f"{program} is Python {said}")


def _ask(program: str) -> str:
    """Its version, or the last line of what went wrong."""
    command = [program, "-S", "-E", "-c", ASK]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=ASK_SECONDS, check=False,
            stdin=subprocess.DEVNULL, errors="replace",
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)
    lines = (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines()
    return lines[-1] if lines else f"exit code {done.returncode}"


def double_install(machine: Machine) -> Iterator[Finding]:
    """One install is enough; more of them decide each subagent once all the same."""
    places = [str(each.target.settings) for each in machine.registered]
    if machine.has_plugin:
        places.append("the plugin model-tier")
    if len(places) > 1:
        yield warning(
            "installs",
            f"installed {len(places)} times: {', '.join(places)}",
            "One is enough; each subagent is decided once.",
        )


def starts(registered: Registered) -> set[Start]:
    """What the hooks of one settings file start."""
    groups = [group for event in registered.hooks.values() for group in event]
    commands = [str(each.get("command")) for group in groups for each in entries.handlers(group)]
    found = (_start(command, registered.target) for command in commands)
    return {start for start in found if start is not None}


def _start(command: str, target: Target) -> Start | None:
    """The interpreter and script at the end of `… exec python3 -S -E …/hooks/stop.py`."""
    *words, script = shlex.split(command)
    programs = [word for word in words if not word.startswith("-")]
    if not programs:
        return None
    root = str(target.root or "")
    return Start(programs[-1], Path(script.replace("$CLAUDE_PROJECT_DIR", root)))


def install_command(target: Target) -> str:
    """The command that puts this install right."""
    if target.scope == "user":
        return "claude-tier install"
    folder = shlex.quote(str(target.root))
    local = " --scope local" if target.scope == "local" else ""
    return f"claude-tier install {folder}{local}"

"""Whether the copied runtime and the compiled policy are current, and when a hook last ran."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import cast

from claude_tier_hooks import __version__, ingest, places, refresh, state
from claude_tier_hooks import policy as ladder

from claude_tier.errors import UserError
from claude_tier.install import files, payload, transaction
from claude_tier.install.doctor.machine import Machine
from claude_tier.install.doctor.registration import install_command
from claude_tier.install.doctor.report import Finding, fault, ok, warning
from claude_tier.install.scopes import Target

RECENT = 7 * 86400  # seconds a fault in hooks.log is worth a warning
SHOWN = 3  # lines of hooks.log
NEWEST = 20  # sessions looked at for one that our hooks did not see
SLACK = 60  # seconds between the start of a session and its first row


def unfinished(machine: Machine) -> Iterator[Finding]:
    """No install or uninstall was killed half-way."""
    if transaction.is_pending(machine.state):
        todo = "Run `claude-tier install` again: it completes what was begun."
        yield fault("install", "a command was killed half-way", todo)


def copy(machine: Machine) -> Iterator[Finding]:
    """The runtime that the hooks run is the one of this version."""
    for registered in machine.registered:
        target, folder = registered.target, registered.target.owner / "hooks"
        stale = _stale(target, payload.runtime(machine.bundle))
        if stale:
            what = f"{folder} is not version {__version__} (differing files: {stale})"
            yield warning("runtime", what, f"Run `{install_command(target)}`.")
        else:
            yield ok("runtime", f"{folder} is version {__version__}")


def _stale(target: Target, wanted: dict[str, bytes]) -> int:
    return sum(_content(target.owner / name) != content for name, content in wanted.items())


def _content(path: Path) -> bytes | None:
    try:
        return files.read(path)
    except UserError:
        return None


def policy(machine: Machine) -> Iterator[Finding]:
    """policy.json is what the configuration says now."""
    for mistake in refresh.faults(str(machine.root)):
        end = "what was in force before still is"
        if mistake["path"] == str(machine.root / ladder.PROJECT_FILE):
            end = "nothing of that file applies"
        line = f":{mistake['line']}" if mistake.get("line") else ""
        what = f"{mistake['path']}{line}: {mistake.get('message')}; {end}"
        yield fault("policy", what, "Mend the file; the next prompt reads it again.")
    if refresh.fault():
        return
    path = machine.state / "policy.json"
    compiled = state.read_json(str(path))
    if compiled is None:
        yield _uncompiled(machine, path)
    elif _is_stale(compiled.get("sources")):
        what = "config.yaml was changed and not compiled yet"
        yield warning("policy", what, "The next prompt does it, or `claude-tier compile` now.")
    else:
        yield ok("policy", f"{path} is current (preset {compiled.get('preset')})")
    yield from _compiler((compiled or {}).get("command"))


def _is_stale(sources: object) -> bool:
    try:
        return refresh.stale(cast("list[dict[str, object]]", sources or []))
    except (TypeError, KeyError):  # not what a compiler of ours wrote
        return True


def _uncompiled(machine: Machine, path: Path) -> Finding:
    if not machine.registered:
        return ok("policy", "none compiled: the defaults are in force")
    return warning("policy", f"{path} is missing: the defaults hold", "Run `claude-tier compile`.")


def _compiler(command: object) -> Iterator[Finding]:
    """The hooks start that program when config.yaml has changed."""
    program = command[0] if isinstance(command, list) and command else None
    if isinstance(program, str) and not os.access(program, os.X_OK):
        what = f"{program} is gone, so changes of config.yaml are not compiled"
        yield warning("policy", what, "Run `claude-tier install`.")


def switch(machine: Machine) -> Iterator[Finding]:
    """Nothing is decided while claude-tier is off."""
    until = state.off_until(machine.now)
    if until is None:
        return
    end = "" if until == float("inf") else time.strftime(" until %F %H:%M", time.localtime(until))
    yield warning("switch", f"claude-tier is off{end}", "Turn it on with `claude-tier on`.")


def last_run(machine: Machine) -> Iterator[Finding]:
    """A hook has run, and no session started since without one."""
    try:
        at = float((machine.state / "live").read_text())
    except (OSError, ValueError):
        at = 0.0
    unseen = _unseen(max(at, _installed_at(machine)))
    if unseen and (machine.registered or machine.has_plugin):
        what = f"a session began at {_clock(unseen)} without our hooks"
        todo = "Look for an untrusted folder, --bare or --safe-mode, and at `claude doctor`."
        yield warning("last run", what, todo)
    elif at:
        yield ok("last run", f"a session started with our hooks at {_clock(at)}")
    else:
        yield ok("last run", "no session has started since the install")


def _installed_at(machine: Machine) -> float:
    """When the settings in effect last changed; a session before that says nothing."""
    paths = [each.target.settings for each in machine.registered]
    return max((path.stat().st_mtime for path in paths), default=machine.now)


def _unseen(since: float) -> float | None:
    """When the latest session began that is younger than that; None if there is none."""
    found = [(mtime, path) for path, _, mtime in places.walk(ingest.projects())]
    newest = (path for _, path in sorted(found, reverse=True) if not places.place(path)[1])
    began = (_began(path) for path in islice(newest, NEWEST))
    late = [at for at in began if at is not None and at > since + SLACK]
    return max(late, default=None)


def _began(path: str) -> float | None:
    """The time of the first row that has one."""
    try:
        with open(path, "rb") as stream:  # noqa: PTH123 - any bytes the file system allows
            for line in islice(stream, 20):
                stamp = _stamp(line)
                if stamp is not None:
                    return stamp
    except OSError:
        return None
    return None


def _stamp(line: bytes) -> float | None:
    try:
        row = json.loads(line)
        return datetime.fromisoformat(row["timestamp"].replace("Z", "+00:00")).timestamp()
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def faults(machine: Machine) -> Iterator[Finding]:
    """What the hooks wrote down when they failed open."""
    try:
        lines = (machine.state / "hooks.log").read_text(errors="replace").splitlines()
    except OSError:
        lines = []
    since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(machine.now - RECENT))
    recent = [line for line in lines if line >= since]
    if not recent:
        yield ok("faults", "no hook has failed in the last 7 days")
        return
    last = "; ".join(recent[-SHOWN:])
    what = f"{len(recent)} times in 7 days a hook failed and stood aside: {last}"
    yield warning("faults", what, f"All of it is in {machine.state / 'hooks.log'}.")


def _clock(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))

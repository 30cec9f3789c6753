"""`uninstall`: every file back to what it was, entry by entry, also after others edited it."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path

from claude_tier.errors import UserError
from claude_tier.heartbeat import scheduling
from claude_tier.install import (
    backups,
    files,
    manifest,
    payload,
    settings_file,
    tool_server,
    transaction,
)
from claude_tier.install.installing import RECOVERED, carry_out, is_fresh
from claude_tier.install.manifest import Install, Manifest
from claude_tier.install.outcome import Outcome
from claude_tier.install.plan import Call, Plan
from claude_tier.install.scopes import Target

# What an uninstall leaves in the state folder and somebody might not think of.
KEPT = {
    "config.yaml": "your configuration",
    "ledger.db": "the ledger",
    "backups": "backups",
    "pipelines": "pipelines and their runs with what was typed and answered",
    "heartbeat/files.json": "which beats may run",
    "heartbeat/alerts": "alerts",
    "dashboard.token": "the token of the dashboard",
    "metrics.token": "the token of its metrics",
    "off": "the switch of `claude-tier off`",
    "emergency": "the switch of emergency mode",
}


@dataclass(frozen=True)
class Request:
    """One uninstall as asked for; `purge` also removes the state folder, the ledger with it."""

    target: Target
    purge: bool = False
    now: float = field(default_factory=time.time)


def uninstall(request: Request, *, dry_run: bool = False) -> Outcome:
    """Uninstall, or say what it would do; raises UserError, and then nothing was changed."""
    target = request.target
    if dry_run:
        goes = _contents(target.state) if request.purge else []
        plan = draft(request)
        if _is_last(target) and scheduling.places():
            plan.calls.append(Call(("claude-tier", "heartbeat", "uninstall")))
        return Outcome.of("uninstall", plan, dry_run=True, purged=goes)
    unused, fresh = not target.state.exists(), is_fresh(target)
    goes = _contents(target.state) if request.purge else []
    with transaction.locked(target.state):
        recovered = transaction.recover(target.state)
        # First, because without the manifest nobody would know that it has to be done.
        calls = draft(request).calls
        faults = tool_server.carry_out(calls)
        taken, missed = _unscheduled() if _is_last(target) else ([], [])
        plan = carry_out(target, lambda: draft(request))
        plan.calls[:] = [] if faults else calls
        plan.notes += taken
        plan.notes += [RECOVERED] if recovered else []
        backups.prune(target.state)
        if request.purge or unused:
            _purge(target, config_too=fresh)
    _tell(plan, request, unused=unused)
    return Outcome.of("uninstall", plan, warnings=faults + missed, purged=goes)


def _is_last(target: Target) -> bool:
    """Whether the runtime goes with this install; then a scheduler has nothing to start."""
    path = target.locate(target.manifest)
    known = manifest.load(path, files.read(path))
    return not target.is_shared and all(each.place == target.place for each in known.installs)


def _unscheduled() -> tuple[list[str], list[str]]:
    """Take the heartbeat's entry out of the scheduler: what was done, and what did not work."""
    try:
        return scheduling.uninstall(), []
    except UserError as error:
        return [], [f"{error.message}; run `claude-tier heartbeat uninstall`"]


def _contents(state: Path) -> list[Path]:
    """The state folder and what is in it, the ledger among it."""
    return [state, *sorted(state.iterdir())] if state.is_dir() else []


def draft(request: Request) -> Plan:
    """Everything an uninstall changes, as one plan; reads files, writes nothing."""
    target, plan = request.target, Plan(request.target)
    path = target.locate(target.manifest)
    before = files.read(path)
    known = manifest.load(path, before)
    old = known.find(target.place)
    remaining = tuple(each for each in known.installs if each is not old)
    if request.purge:
        _check_last(target, old)
    settings_file.unmerge(plan, old, request.now)
    tool_server.unregister(plan, old, request.now)
    if old:
        payload.take_back(plan, old, old.files)
    if old and not remaining:
        payload.drop_runtime(plan, known.runtime)
    plan.replace(path, before, _left(known, remaining, target), "record")
    if target.is_shared:
        plan.drop_folder(target.owner)
    payload.drop_folders(plan, old.folders if old else ())
    return plan


def _tell(plan: Plan, request: Request, *, unused: bool) -> None:
    state = request.target.state
    if request.purge and not unused:
        plan.notes.append(f"Removed {state}")
    elif plan.changes and not request.target.is_shared:
        plan.notes += _staying(state)
    elif not plan.changes and not plan.calls:
        plan.notes.append("Nothing of claude-tier is installed here.")


def _staying(state: Path) -> list[str]:
    """What is still there, by what it is to its user, and how to be rid of it."""
    found = [what for name, what in KEPT.items() if _holds(state / name)]
    if not found:
        return []
    way = "`claude-tier uninstall --purge` removes all of it."
    return [f"{state} keeps {', '.join(found)}; {way}"]


def _holds(path: Path) -> bool:
    """Whether that is a file, or a folder with anything in it; one that is closed to us counts."""
    try:
        return any(path.iterdir())
    except FileNotFoundError:
        return False
    except OSError:
        return True


def _left(known: Manifest, remaining: tuple[Install, ...], target: Target) -> bytes | None:
    """The manifest without this install; None where it has nothing left to say."""
    if remaining:
        return known.model_copy(update={"installs": remaining}).with_chain().dump()
    if known.config_created and not target.is_shared:
        return Manifest(config_created=True).dump()
    return None


def _check_last(target: Target, old: Install | None) -> None:
    """A purge takes the runtime away from every install that uses it."""
    path = target.state / "manifest.json"
    others = [each for each in manifest.load(path, files.read(path)).installs if each != old]
    if others:
        where = ", ".join(each.root or f"{each.scope} scope" for each in others)
        raise UserError(
            f"claude-tier is also installed elsewhere: {where}",
            "Uninstall there first, then purge.",
        )


def _purge(target: Target, *, config_too: bool) -> None:
    """Remove the state folder; what says how it came about goes last, in case we are killed."""
    state = files.target(target.state)
    record = state / "manifest.json"
    created = config_too or manifest.load(record, files.read(record)).config_created
    last = [record, state / transaction.LOCK]
    try:
        for entry in state.iterdir():
            if entry not in last:
                _remove(entry)
        for entry in last:
            entry.unlink(missing_ok=True)
        state.rmdir()
        if target.state.is_symlink():
            target.state.unlink()
    except OSError as error:
        raise UserError(f"{error.filename} cannot be removed: {error.strerror}") from error
    if created:
        transaction.remove_if_empty(target.config)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()

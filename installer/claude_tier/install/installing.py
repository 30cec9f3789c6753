"""`install`: one plan, one transaction, then the compiled policy and what to look out for."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from claude_tier_hooks import __version__

from claude_tier.config import ConfigError, compile_user_policy, project_policy_for_commit
from claude_tier.errors import UserError
from claude_tier.install import (
    backups,
    conflicts,
    entries,
    files,
    manifest,
    payload,
    preset,
    settings_file,
    tool_server,
    transaction,
)
from claude_tier.install.interpreter import own_python
from claude_tier.install.manifest import Install, Manifest
from claude_tier.install.outcome import Outcome
from claude_tier.install.plan import Plan
from claude_tier.install.scopes import Target
from claude_tier.install.settings import Wanted

ATTEMPTS = 5
RECOVERED = "Completed what an interrupted command had left behind."


@dataclass(frozen=True)
class Request:
    """One install as asked for."""

    target: Target
    bundle: Path
    preset: manifest.Preset | None = None
    force: bool = False
    mcp: bool = False  # register the MCP server, too
    python: str = field(default_factory=own_python)
    now: float = field(default_factory=time.time)


def install(request: Request, *, dry_run: bool = False) -> Outcome:
    """Install, or say what it would do; raises UserError, and then nothing was changed."""
    target = request.target
    if dry_run:
        return Outcome.of("install", draft(request), dry_run=True)
    fresh = is_fresh(target) and not target.is_shared
    with transaction.locked(target.state):
        recovered = transaction.recover(target.state)
        plan = carry_out(target, lambda: draft(request, fresh=fresh))
        plan.notes += [RECOVERED] if recovered else []
        backups.prune(target.state)
        faults = [] if target.is_shared else _compile(target.state)
        missed = tool_server.carry_out(plan.calls)
    if missed and request.mcp:
        raise UserError(missed[0], "Everything else is installed.")
    faults += missed
    return Outcome.of("install", plan, warnings=faults + conflicts.find(target))


def carry_out(target: Target, make: Callable[[], Plan]) -> Plan:
    """Plan and do it; anew from the start when somebody else wrote a file meanwhile."""
    for _ in range(ATTEMPTS):
        plan = make()
        try:
            transaction.run(target.state, plan.steps)
        except transaction.ChangedMeanwhileError:
            continue
        return plan
    raise UserError(
        f"something keeps writing to {target.settings.parent}",
        "Nothing was changed. Close other sessions, then run the command again.",
    )


def is_fresh(target: Target) -> bool:
    """Whether Claude Code's own folder is there only for us."""
    try:
        alone = list(target.config.iterdir()) == [target.state]
    except OSError:
        return not target.config.exists()
    return alone and not (target.state / "manifest.json").exists()


def draft(request: Request, *, fresh: bool = False) -> Plan:
    """Everything an install changes, as one plan; reads files, writes nothing."""
    target, plan = request.target, Plan(request.target)
    path = target.locate(target.manifest)
    before = files.read(path)
    known = manifest.load(path, before)
    old = known.find(target.place)
    placement = payload.Placement(
        plan, old or Install(scope=target.scope), force=request.force, now=request.now
    )
    placement.place(payload.shipped(request.bundle))
    chosen = _preset(request, old)
    runtime = _runtime(request, chosen)
    payload.place_runtime(plan, runtime, known.runtime)
    if not target.is_shared:
        preset.plan_config(plan, request.preset)
    record = Install(
        scope=target.scope,
        root=target.recorded_root,
        preset=chosen,
        settings=settings_file.merge(plan, _wanted(request), old, request.now),
        files=placement.files,
        displaced=tuple(sorted(placement.displaced)),
        folders=tuple(sorted(placement.folders)),
        tool_server=tool_server.register(plan, old, request.now, asked=request.mcp),
    )
    plan.replace(path, before, _updated(known, record, runtime, fresh=fresh).dump(), "record")
    return plan


def _preset(request: Request, old: Install | None) -> manifest.Preset | None:
    """The preset a project was installed with; elsewhere config.yaml says it."""
    if not request.target.is_shared:
        return None
    return request.preset or (old.preset if old else None) or preset.DEFAULT


def _runtime(request: Request, chosen: manifest.Preset | None) -> dict[str, bytes]:
    files_by_name = payload.runtime(request.bundle)
    root = request.target.root
    if chosen is None or root is None:
        return files_by_name
    policy = json.dumps(project_policy_for_commit(root, chosen), indent=1) + "\n"
    ignored = f"{payload.CACHE}/\n"
    return {**files_by_name, "policy.json": policy.encode(), ".gitignore": ignored.encode()}


def _wanted(request: Request) -> Wanted:
    table = entries.load_table(request.bundle / "hooks" / "hooks.json")
    if request.target.is_shared:
        return Wanted(entries.settings_hooks(table, entries.project_runtime()))
    runtime = entries.own_runtime(request.python, request.target.state / "hooks")
    line = runtime if request.target.scope == "user" else None
    return Wanted(entries.settings_hooks(table, runtime), line)


def _updated(
    known: Manifest, record: Install, runtime: dict[str, bytes], *, fresh: bool
) -> Manifest:
    others = [each for each in known.installs if each.place != record.place]
    installs = sorted([*others, record], key=lambda each: each.place)
    return Manifest(
        runtime_version=__version__,
        runtime=tuple(runtime),
        config_created=known.config_created or fresh,
        installs=tuple(installs),
    ).with_chain()


def _compile(state: Path) -> list[str]:
    """Compile policy.json; a mistake in config.yaml leaves the old one standing and is said."""
    try:
        compile_user_policy(state)
    except ConfigError as error:
        return [error.message]
    return []

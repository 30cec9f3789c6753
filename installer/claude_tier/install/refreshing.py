"""After `pip install -U` the copied hook runtime is stale; any command brings it up to date.

Only the runtime: settings, agents and skills change when `install` is asked to.
"""

from __future__ import annotations

from pathlib import Path

from claude_tier_hooks import __version__, state

from claude_tier.errors import UserError
from claude_tier.install import files, manifest, payload, transaction
from claude_tier.install.plan import Plan
from claude_tier.install.scopes import Target


def is_stale(folder: Path) -> bool:
    """Whether the state folder holds the runtime of an older version; cheap enough for anyone."""
    recorded = (state.read_json(str(folder / "manifest.json")) or {}).get("runtime_version")
    return isinstance(recorded, str) and _number(recorded) < _number(__version__)


def refresh(config: Path, bundle: Path) -> bool:
    """Replace the runtime if it is stale; whether it was. Never raises: the hooks go on as old."""
    target = Target("user", config)
    if not is_stale(target.state):
        return False
    try:
        with transaction.locked(target.state, seconds=0):
            transaction.recover(target.state)
            transaction.run(target.state, _draft(target, bundle).steps)
    except (UserError, OSError, transaction.ChangedMeanwhileError):
        return False
    return True


def _draft(target: Target, bundle: Path) -> Plan:
    plan = Plan(target)
    before = files.read(target.manifest)
    known = manifest.load(target.manifest, before)
    runtime = payload.runtime(bundle)
    payload.place_runtime(plan, runtime, known.runtime)
    fields = {"runtime": tuple(runtime), "runtime_version": __version__}
    plan.replace(target.manifest, before, known.model_copy(update=fields).dump(), "record")
    return plan


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())

"""The settings file as part of a plan: read, changed as text, backed up, refused with its place."""

from __future__ import annotations

from pathlib import Path

from claude_tier.install import files, settings, status_line
from claude_tier.install.json_file import JsonFile
from claude_tier.install.manifest import Install, Settings
from claude_tier.install.plan import Plan
from claude_tier.install.settings import Wanted

_HINT = (
    "Claude Code ignores settings it cannot read, in part or as a whole. Nothing was changed; "
    "mend the file, then run the command again."
)


def merge(plan: Plan, wanted: Wanted, old: Install | None, now: float) -> Settings:
    """Plan our entries into the settings; how to take them out again."""
    record = old.settings if old else None
    file = _file(plan)
    with file.placed():
        merged = settings.merge(file.text, wanted, record)
    file.replace(merged.text, now)
    _tell(plan, wanted, record, merged.record)
    return merged.record


def unmerge(plan: Plan, old: Install | None, now: float) -> None:
    """Plan our entries out of the settings."""
    record = old.settings if old else None
    file = _file(plan)
    if file.text is None:
        return
    with file.placed():
        text = settings.unmerge(file.text, record)
    file.replace(text, now)
    for line in status_line.LINES:
        theirs = status_line.chain_of(record, line)
        if theirs is not None and plan.changes:
            plan.notes.append(f"Your {line.words} is as it was: {theirs}")


def read_text(path: Path) -> str | None:
    """The text of a settings file; raises JsonError, or UserError where it is no file."""
    content = files.read(path)
    return None if content is None else settings.decode(content)


def _file(plan: Plan) -> JsonFile:
    return JsonFile.read(plan, plan.target.settings, kind="settings", hint=_HINT)


def _tell(plan: Plan, wanted: Wanted, old: Settings | None, new: Settings) -> None:
    for line in status_line.LINES:
        theirs = status_line.chain_of(new, line)
        if theirs is not None and theirs != status_line.chain_of(old, line):
            plan.notes.append(f"Your {line.words} still runs, before ours: {theirs}")
    if wanted.status_line and new.status_line is None:
        plan.notes.append("Your status line runs ours already; it was left alone")
    if wanted.status_line and new.subagent_line is None:
        plan.notes.append("Your line of subagents was left alone: ours already, or no command")

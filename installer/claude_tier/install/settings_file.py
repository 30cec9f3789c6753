"""The settings file as part of a plan: read, changed as text, backed up, refused with its place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from claude_tier.errors import UserError
from claude_tier.install import backups, files, settings, status_line
from claude_tier.install.json_text import JsonError
from claude_tier.install.manifest import Install, Settings
from claude_tier.install.plan import Plan
from claude_tier.install.settings import Wanted

Result = TypeVar("Result")

_HINT = (
    "Claude Code ignores settings it cannot read, in part or as a whole. Nothing was changed; "
    "mend the file, then run the command again."
)


def merge(plan: Plan, wanted: Wanted, old: Install | None, now: float) -> Settings:
    """Plan our entries into the settings; how to take them out again."""
    record = old.settings if old else None
    path, content, text = _read(plan)
    merged = _placed(plan, lambda: settings.merge(text, wanted, record))
    _change(plan, path, content, merged.text, now)
    _tell(plan, wanted, record, merged.record)
    return merged.record


def unmerge(plan: Plan, old: Install | None, now: float) -> None:
    """Plan our entries out of the settings."""
    record = old.settings if old else None
    path, content, text = _read(plan)
    if text is None:
        return
    _change(plan, path, content, _placed(plan, lambda: settings.unmerge(text, record)), now)
    for line in status_line.LINES:
        theirs = status_line.chain_of(record, line)
        if theirs is not None and plan.changes:
            plan.notes.append(f"Your {line.words} is as it was: {theirs}")


def read_text(path: Path) -> str | None:
    """The text of a settings file; raises JsonError, or UserError where it is no file."""
    content = files.read(path)
    return None if content is None else settings.decode(content)


def _read(plan: Plan) -> tuple[Path, bytes | None, str | None]:
    path = plan.target.locate(plan.target.settings)
    content = files.read(path)
    text = None if content is None else _placed(plan, lambda: settings.decode(content))
    return path, content, text


def _placed(plan: Plan, work: Callable[[], Result]) -> Result:
    """Do the work; its JsonError becomes a message with file, line and column."""
    try:
        return work()
    except JsonError as error:
        where = f"{plan.target.settings}:{error.line}:{error.column}"
        raise UserError(f"{where}: {error}", _HINT) from error


def _change(plan: Plan, path: Path, before: bytes | None, text: str | None, now: float) -> None:
    after = None if text is None else text.encode()
    if before is not None and before != after:
        backups.add(plan, path, before, now)
    plan.replace(path, before, after, "settings")


def _tell(plan: Plan, wanted: Wanted, old: Settings | None, new: Settings) -> None:
    for line in status_line.LINES:
        theirs = status_line.chain_of(new, line)
        if theirs is not None and theirs != status_line.chain_of(old, line):
            plan.notes.append(f"Your {line.words} still runs, before ours: {theirs}")
    if wanted.status_line and new.status_line is None:
        plan.notes.append("Your status line runs ours already; it was left alone")
    if wanted.status_line and new.subagent_line is None:
        plan.notes.append("Your line of subagents was left alone: ours already, or no command")

"""What a command did: lines for people, or the same as JSON."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from claude_tier.install.plan import QUIET, Call, Change, Plan

Action = Literal["install", "uninstall"]
INFINITIVE = {"wrote": "write", "updated": "update", "removed": "remove"}


@dataclass(frozen=True)
class Outcome:
    """The changes of one command (planned ones for a dry run), and what was left as it was."""

    action: Action
    scope: str
    root: Path | None
    dry_run: bool
    changes: tuple[Change, ...]
    kept: tuple[tuple[Path, str], ...]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    purged: tuple[Path, ...] = ()  # whole folders and files that go with --purge
    calls: tuple[Call, ...] = ()  # what Claude Code was told

    @classmethod
    def of(
        cls,
        action: Action,
        plan: Plan,
        *,
        dry_run: bool = False,
        warnings: Sequence[str] = (),
        purged: Sequence[Path] = (),
    ) -> Outcome:
        shown = tuple(change for change in plan.changes if change.kind not in QUIET)
        return cls(
            action=action,
            scope=plan.target.scope,
            root=plan.target.root,
            dry_run=dry_run,
            changes=shown,
            kept=tuple(plan.kept),
            notes=tuple(plan.notes),
            warnings=tuple(warnings),
            purged=tuple(purged),
            calls=tuple(plan.calls),
        )

    def lines(self) -> list[str]:
        """What was done, for people; nothing where nothing was."""
        return [*self._changed(), *(f"Ran {_line(call)}" for call in self.calls), *self.notes]

    def remarks(self) -> list[str]:
        """What was left alone and what to look out for, for people."""
        kept = [f"Kept {path}: {why}." for path, why in self.kept]
        return kept + [f"Warning: {warning}" for warning in self.warnings]

    def fields(self) -> dict[str, object]:
        """The same as one JSON object."""
        shown = {"diff": self.diff()} if self.dry_run else {}
        return {
            "action": self.action,
            "scope": self.scope,
            "root": str(self.root) if self.root else None,
            "dry_run": self.dry_run,
            "changes": [
                {"change": self._verb(change), "kind": change.kind, "path": str(change.path)}
                for change in self.changes
            ],
            "kept": [{"path": str(path), "reason": why} for path, why in self.kept],
            "notes": list(self.notes),
            "warnings": list(self.warnings),
            "purged": [str(path) for path in self.purged],
            "commands": [list(call.words) for call in self.calls],
            **shown,
        }

    def preview(self) -> list[str]:
        """What a dry run would change, for people: files that are all ours in a line each."""
        return self._planned(lambda change: [self._named(change)] if _is_ours(change) else None)

    def diff(self) -> list[str]:
        """The same with the content of every file but those of the runtime."""
        return self._planned(lambda _: None)

    def _planned(self, short: Callable[[Change], list[str] | None]) -> list[str]:
        """Whole removals first, then the rest file by file: as `short` has it, else its diff."""
        ordered = sorted(self.changes, key=lambda change: change.after is not None)
        lines = [line for change in ordered for line in short(change) or self._diff(change)]
        lines += [f"would run {_line(call)}" for call in self.calls]
        return lines + [f"would remove {path}" for path in self.purged]

    def _named(self, change: Change) -> str:
        """would write ~/.claude/agents/explorer.md (1,204 bytes, new)"""
        content = change.before if change.after is None else change.after
        new = ", new" * (change.before is None)
        return f"{self._verb(change)} {change.path} ({len(content or b''):,} bytes{new})"

    def _verb(self, change: Change) -> str:
        return f"would {INFINITIVE[change.verb]}" if self.dry_run else change.verb

    def _diff(self, change: Change) -> Iterator[str]:
        if change.kind == "runtime":
            yield f"{self._verb(change)} {change.path}"
            return
        yield from difflib.unified_diff(
            _lines(change.before),
            _lines(change.after),
            fromfile=str(change.path) if change.before is not None else "/dev/null",
            tofile=str(change.path) if change.after is not None else "/dev/null",
            lineterm="",
        )

    def _changed(self) -> Iterator[str]:
        """A line a file; the runtime's many files are one thing to people."""
        runtime = [change for change in self.changes if change.kind == "runtime"]
        for change in self.changes:
            if change.kind != "runtime":
                yield f"{change.verb.capitalize()} {change.path}"
            elif change is runtime[0]:
                yield f"{change.verb.capitalize()} {_common(runtime)} ({len(runtime)} files)"


def _is_ours(change: Change) -> bool:
    """Whether the whole file is ours, and comes or goes; of the runtime also what is renewed."""
    if change.kind in ("settings", "mcp"):
        return False
    return change.kind == "runtime" or None in (change.before, change.after)


def _common(changes: list[Change]) -> Path:
    """The folder that holds all of them."""
    parents = [set(change.path.parents) for change in changes]
    return max(set.intersection(*parents), key=lambda path: len(path.parts))


def _line(call: Call) -> str:
    return shlex.join(call.words)


def _lines(content: bytes | None) -> list[str]:
    return (content or b"").decode(errors="backslashreplace").splitlines()

"""What a command is going to do, before it does any of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from claude_tier.install import files
from claude_tier.install.scopes import Target
from claude_tier.install.transaction import DropFolder, MakeFolder, Replace, Step

Kind = Literal[
    "settings", "mcp", "agent", "skill", "runtime", "policy", "config", "record", "backup"
]
QUIET: frozenset[Kind] = frozenset({"record", "backup"})  # our own bookkeeping


@dataclass(frozen=True)
class Change:
    """One file that was, or would be, written or removed."""

    kind: Kind
    path: Path
    before: bytes | None
    after: bytes | None

    @property
    def verb(self) -> str:
        if self.after is None:
            return "removed"
        return "wrote" if self.before is None else "updated"


@dataclass(frozen=True)
class Call:
    """One command of the client, run in that folder: what it keeps for itself, it alone writes."""

    words: tuple[str, ...]
    folder: Path | None = None


@dataclass
class Plan:
    """Steps of one transaction, and what to tell about them."""

    target: Target
    steps: list[Step] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    kept: list[tuple[Path, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)

    def replace(self, path: Path, before: bytes | None, after: bytes | None, kind: Kind) -> None:
        """Change a file whose content was read as `before`; nothing to do where both agree."""
        if before == after:
            return
        self.steps.append(Replace(path, before, after, self._is_private(path)))
        self.changes.append(Change(kind, path, before, after))

    def make_folder(self, path: Path) -> bool:
        """Make a folder that is missing; whether it is."""
        if path.is_dir():
            return False
        step = MakeFolder(path, self._is_private(path))
        if step not in self.steps:
            self.steps.append(step)
        return True

    def make_parents(self, path: Path, top: Path) -> None:
        """Make the missing folders between `top` and the file."""
        for parent in reversed(path.relative_to(top).parents):
            self.make_folder(top / parent)

    def drop_folder(self, path: Path, *, whole: bool = False) -> None:
        if path.is_dir():
            self.steps.append(DropFolder(path, whole))

    def keep(self, path: Path, why: str) -> None:
        self.kept.append((path, why))

    def _is_private(self, path: Path) -> bool:
        state = self.target.state
        return path.is_relative_to(state) or path.is_relative_to(files.target(state))

"""A JSON file of others as part of a plan: read, changed as text, refused with its place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from claude_tier.errors import UserError
from claude_tier.install import backups, files, settings
from claude_tier.install.json_text import JsonError
from claude_tier.install.plan import Kind, Plan


@dataclass(frozen=True)
class JsonFile:
    """One as it was read: `name` is what its owner calls it, `path` where that leads.

    `hint` goes with what is wrong in it.
    """

    plan: Plan
    kind: Kind
    hint: str
    name: Path
    path: Path
    content: bytes | None

    @classmethod
    def read(cls, plan: Plan, name: Path, *, kind: Kind, hint: str) -> JsonFile:
        """Raises UserError where it is no file, or leads out of a project."""
        path = plan.target.locate(name)
        return cls(plan, kind, hint, name, path, files.read(path))

    @property
    def text(self) -> str | None:
        """What it says; None where there is none. Raises UserError where that is no text."""
        with self.placed():
            return None if self.content is None else settings.decode(self.content)

    @contextmanager
    def placed(self) -> Iterator[None]:
        """A JsonError inside becomes a message with file, line and column."""
        try:
            yield
        except JsonError as error:
            where = f"{self.name}:{error.line}:{error.column}"
            raise UserError(f"{where}: {error}", self.hint) from error

    def replace(self, text: str | None, now: float) -> None:
        """Plan that text in its place, and a copy of what was there; None removes the file."""
        after = None if text is None else text.encode()
        if self.content is not None and self.content != after:
            backups.add(self.plan, self.path, self.content, now)
        self.plan.replace(self.path, self.content, after, self.kind)

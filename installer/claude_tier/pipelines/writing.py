"""Files that a step writes: shown first, written whole or not at all, and put back by `undo`."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from claude_tier.errors import UserError
from claude_tier.install import files
from claude_tier.pipelines import confined, template
from claude_tier.pipelines.model import Step
from claude_tier.pipelines.runs import Run
from claude_tier.pipelines.template import Scope


class Change(NamedTuple):
    """A file as it is (None: not there) and as a step wants it."""

    name: str
    path: Path
    before: bytes | None
    after: bytes

    @property
    def is_one(self) -> bool:
        return self.before != self.after

    def difference(self) -> str:
        """What changes, as a unified diff."""
        old, new = (_lines(content) for content in (self.before or b"", self.after))
        names = (self.name if self.before is not None else "/dev/null", self.name)
        return "\n".join(difflib.unified_diff(old, new, *names, lineterm=""))


class Undone(NamedTuple):
    """A file of a run, and what `undo` did with it."""

    path: str
    what: str


def change(step: Step, scope: Scope, folder: Path) -> Change:
    """What a step would write; UserError where no pipeline may."""
    assert step.write is not None
    name = template.render(step.write.path, scope, fence=False).text.strip()
    content = template.render(step.write.content, scope, fence=False).text.encode()
    if len(content) > confined.LARGEST:
        raise UserError(f"{name} would be larger than {confined.LARGEST} bytes")
    path = confined.writable(folder, name)
    return Change(name, path, files.read(path), content)


def write(change: Change, run: Run) -> None:
    """Put the file in its place at once; what it held is kept first."""
    run.keep_before(change.path, change.before, digest(change.after))
    if change.is_one:
        change.path.parent.mkdir(parents=True, exist_ok=True)
        files.write(change.path, change.after, private=False)


def undo(run: Run) -> tuple[Undone, ...]:
    """Put back every file of a run that nobody changed since."""
    with run.locked():
        return tuple(_undo(run))


def _undo(run: Run) -> Iterator[Undone]:
    for kept in run.befores():
        current = files.read(kept.path)
        if current == kept.content:
            continue
        if current is None or digest(current) != kept.wrote:
            yield Undone(str(kept.path), "left: it was changed since")
        elif kept.content is None:
            files.remove(kept.path)
            yield Undone(str(kept.path), "removed: there was none before")
        else:
            files.write(kept.path, kept.content, private=False)
            yield Undone(str(kept.path), "put back")


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _lines(content: bytes) -> list[str]:
    return content.decode("utf-8", "replace").splitlines()

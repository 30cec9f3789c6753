"""Files that a step writes: shown first, written whole or not at all, and put back by `undo`."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from claude_tier.errors import UserError
from claude_tier.install import files
from claude_tier.pipelines import confined, keeping, request, template
from claude_tier.pipelines.keeping import Part
from claude_tier.pipelines.model import Step
from claude_tier.pipelines.outcome import Outcome
from claude_tier.pipelines.runs import Before, Run
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

    @property
    def text(self) -> str:
        return self.after.decode()

    def difference(self) -> str:
        """What changes, as a unified diff."""
        old, new = (_lines(content) for content in (self.before or b"", self.after))
        names = (self.name if self.before is not None else "/dev/null", self.name)
        return "\n".join(difflib.unified_diff(old, new, *names, lineterm=""))


class Undone(NamedTuple):
    """A file of a run, and what `undo` did with it."""

    path: str
    what: str
    done: bool = True

    def fields(self) -> dict[str, object]:
        """The JSON of it."""
        return self._asdict()


Confirm = Callable[[Sequence[Change]], Awaitable[bool]]


class Place(NamedTuple):
    """Below which folder is written, what for, and who is asked before."""

    folder: Path
    run: Run
    confirm: Confirm


async def write(
    step: Step, scope: Scope, parts: Sequence[Part | None], *, place: Place
) -> tuple[Outcome, ...]:
    """Write the files of a step: all of them or, where the user says no, none."""
    scopes = [{**scope, "item": part.item.value} if part else scope for part in parts]
    wanted = [change(step, each, place.folder) for each in scopes]
    _refuse_twice(wanted)
    units = [keeping.unit(step, part) for part in parts]
    prints = [request.fingerprint(step, str(one.path), one.text) for one in wanted]
    kept = [
        keeping.reusable(place.run, unit, each) for unit, each in zip(units, prints, strict=True)
    ]
    new = [one for one, done in zip(wanted, kept, strict=True) if done is None and one.is_one]
    if new and not await place.confirm(new):
        raise UserError("nothing was written, as you said")
    return tuple(
        done or _put(one, place.run, unit=unit, fingerprint=each)
        for one, done, unit, each in zip(wanted, kept, units, prints, strict=True)
    )


def change(step: Step, scope: Scope, folder: Path) -> Change:
    """What a step would write; UserError where no pipeline may."""
    assert step.write is not None
    name = template.render(step.write.path, scope, fence=False).text.strip()
    content = template.render(step.write.content, scope, fence=False).text.encode()
    path = confined.writable(folder, name)
    before = files.read(path)
    if max(len(content), len(before or b"")) > confined.LARGEST:
        raise UserError(f"{name} is larger than {confined.LARGEST} bytes")
    return Change(name, path, before, content)


def _put(change: Change, run: Run, *, unit: str, fingerprint: str) -> Outcome:
    """Put the file in its place at once; what it held is kept first."""
    if change.is_one:
        run.keep_before(change.path, change.before, digest(change.after))
        _replace(change)
    done = Outcome("written", fingerprint, item=change.name, path=str(change.path))
    run.keep(unit, done.fields())
    return done


def _replace(change: Change) -> None:
    try:
        change.path.parent.mkdir(parents=True, exist_ok=True)
        files.write(change.path, change.after, private=False)
    except OSError as error:
        raise UserError(f"{change.path} cannot be written: {error.strerror}") from error


def _refuse_twice(wanted: Sequence[Change]) -> None:
    paths = [one.path for one in wanted]
    twice = next((one.name for one in wanted if paths.count(one.path) > 1), None)
    if twice is not None:
        raise UserError(f"{twice} would be written twice in one step")


def undo(run: Run) -> tuple[Undone, ...]:
    """Put back every file of a run that nobody changed since."""
    with run.locked():
        return tuple(_undo(run))


def _undo(run: Run) -> Iterator[Undone]:
    for kept in run.befores():
        current = files.read(kept.path)
        is_back = current == kept.content
        if not is_back and (current is None or digest(current) != kept.wrote):
            yield Undone(str(kept.path), "left: it was changed since", done=False)
            continue
        _unwrite(run, kept.path)
        if not is_back:
            yield _put_back(kept)
        run.drop_before(kept.path)  # what the file holds when it is written again is kept then


def _unwrite(run: Run, path: Path) -> None:
    """The run wrote it no longer, so that one that goes on writes it again."""
    for unit, kept in run.outcomes().items():
        if kept.get("status") == "written" and kept.get("path") == str(path):
            run.keep(unit, {**kept, "status": "undone"})


def _put_back(kept: Before) -> Undone:
    if kept.content is None:
        files.remove(kept.path)
        return Undone(str(kept.path), "removed: there was none before")
    files.write(kept.path, kept.content, private=False)
    return Undone(str(kept.path), "put back")


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _lines(content: bytes) -> list[str]:
    return content.decode("utf-8", "replace").splitlines()

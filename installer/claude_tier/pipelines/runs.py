"""Runs that are kept, so that one that was ended can go on: a folder each, of their user alone.

A step's outcome is in place before the next step begins. Runs go a week after their last change,
when the next one starts.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from claude_tier_hooks import state

from claude_tier import paths
from claude_tier.errors import UserError
from claude_tier.pipelines.load import FOLDER

KEPT = 7 * 86_400  # seconds
RECORD = "run.json"
ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{4}\Z")


class Before(NamedTuple):
    """A file before a run wrote it (None: it was not there), and the digest of what was written."""

    path: Path
    content: bytes | None
    wrote: str


@dataclass(frozen=True)
class Run:
    """One run, by its folder."""

    folder: Path

    @property
    def id(self) -> str:
        return self.folder.name

    @property
    def record(self) -> dict[str, object]:
        """What was asked for, when, and how it ended: {} where that cannot be read."""
        return dict(state.read_json(str(self.folder / RECORD)) or {})

    @property
    def touched(self) -> float:
        """When it was last changed; epoch seconds."""
        found = [self.folder, *self.folder.glob("*.json"), *self.folder.glob("steps/*.json")]
        return max((path.stat().st_mtime for path in found if path.exists()), default=0.0)

    def note(self, **fields: object) -> None:
        """Put fields into the record."""
        _write(self.folder / RECORD, {**self.record, **fields})

    def keep(self, unit: str, fields: Mapping[str, object]) -> None:
        """Keep what became of a step, or of one of its items."""
        _write(self.folder / "steps" / f"{unit}.json", fields)

    def drop(self, unit: str) -> None:
        """Keep it no longer."""
        (self.folder / "steps" / f"{unit}.json").unlink(missing_ok=True)

    def kept(self, unit: str) -> dict[str, object] | None:
        """What became of it; None where that is not known."""
        found = state.read_json(str(self.folder / "steps" / f"{unit}.json"))
        return None if found is None else dict(found)

    def outcomes(self) -> dict[str, dict[str, object]]:
        """Everything that was kept, by unit, in the order in which the steps ended."""
        files = sorted((self.folder / "steps").glob("*.json"))
        ended: dict[str, int] = {}
        for file in files:
            step = file.stem.partition(".")[0]
            ended[step] = max(ended.get(step, 0), file.stat().st_mtime_ns)
        names = sorted((one.stem for one in files), key=lambda name: ended[name.partition(".")[0]])
        return {name: found for name in names if (found := self.kept(name)) is not None}

    def keep_before(self, path: Path, content: bytes | None, wrote: str) -> None:
        """Keep what a file holds before it is written; what was kept first stays."""
        place = self._before(path)
        held = None if content is None else base64.b64encode(content).decode()
        first = state.read_json(str(place)) or {"path": str(path), "content": held}
        _write(place, {**first, "wrote": wrote})

    def befores(self) -> Iterator[Before]:
        """Every file that was written, as it was before."""
        for place in sorted((self.folder / "before").glob("*.json")):
            kept = state.read_json(str(place))
            if kept is not None:
                held = kept["content"]
                content = None if held is None else base64.b64decode(held)
                yield Before(Path(kept["path"]), content, kept["wrote"])

    def drop_before(self, path: Path) -> None:
        """Keep it no longer: the file holds it again."""
        self._before(path).unlink(missing_ok=True)

    def _before(self, path: Path) -> Path:
        name = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
        return self.folder / "before" / f"{name}.json"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the run; UserError where another process does."""
        descriptor = os.open(self.folder / "lock", os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise UserError(f"the run {self.id} is at work in another process") from None
        try:
            yield
        finally:
            os.close(descriptor)

    @property
    def is_at_work(self) -> bool:
        try:
            with self.locked():
                return False
        except UserError:
            return True

    @property
    def standing(self) -> str:
        """done, failed, running or interrupted."""
        ended = self.record.get("ended")
        if isinstance(ended, str):
            return ended
        return "running" if self.is_at_work else "interrupted"


def _write(path: Path, fields: Mapping[str, object]) -> None:
    """Put a file in its place at once; UserError where that cannot be: a full disk."""
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        state.write_private(str(path), json.dumps(fields))
    except OSError as error:
        raise UserError(f"the run cannot be kept: {path}: {error.strerror}") from error


def _root() -> Path:
    return paths.state_dir() / FOLDER


def begin(fields: Mapping[str, object], now: float) -> Run:
    """A new run, with what was asked for."""
    state.ensure()
    _root().mkdir(mode=0o700, exist_ok=True)
    stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(now))
    while True:
        run = Run(_root() / f"{stamp}-{secrets.token_hex(2)}")
        try:
            run.folder.mkdir(mode=0o700)
        except FileExistsError:
            continue
        run.note(started=now, **fields)
        return run


def find(name: str) -> Run:
    """The run of that id, or of the beginning of one; UserError where there is none."""
    found = [run for run in every() if run.id == name] or [
        run for run in every() if run.id.startswith(name)
    ]
    if len(found) == 1 and name:
        return found[0]
    what = "names several runs" if found else "is no run that is kept"
    raise UserError(f"{name} {what}", "`claude-tier pipeline runs` shows them.")


def every() -> tuple[Run, ...]:
    """All that are kept, the newest first."""
    folders = _root().iterdir() if _root().is_dir() else ()
    found = [Run(path) for path in folders if path.is_dir() and ID.match(path.name)]
    return tuple(sorted(found, key=lambda run: run.id, reverse=True))


def forget(run: Run) -> None:
    """Remove a run; UserError where it is at work."""
    with run.locked():
        shutil.rmtree(run.folder)


def forget_older(seconds: float, now: float) -> tuple[Run, ...]:
    """Remove the runs that were not changed for so long and are not at work; those that went."""
    gone = []
    for run in every():
        if now - run.touched > seconds and not run.is_at_work:
            forget(run)
            gone.append(run)
    return tuple(gone)

"""Several files changed as one: a journal first, then the changes, then the journal away.

A process killed before the journal stands has changed nothing; one killed later is completed by
the next command. A write that fails takes the earlier ones back.
"""

from __future__ import annotations

import base64
import contextlib
import errno
import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from claude_tier.errors import UserError
from claude_tier.install import files

JOURNAL = "journal.json"
LOCK = "install.lock"
LOCK_SECONDS = 20.0


class ChangedMeanwhileError(Exception):
    """Somebody else wrote the file after it was read."""


@dataclass(frozen=True)
class MakeFolder:
    """A folder to be made; one that is there already is fine."""

    path: Path
    private: bool = False

    def apply(self) -> None:
        mode = files.PRIVATE_FOLDER if self.private else 0o777
        self.path.mkdir(mode=mode, exist_ok=True)

    def revert(self) -> None:
        remove_if_empty(self.path)


@dataclass(frozen=True)
class DropFolder:
    """A folder to be removed: if it is empty, or (whole) with what Python left in it."""

    path: Path
    whole: bool = False

    def apply(self) -> None:
        if self.whole and not self.path.is_symlink():
            shutil.rmtree(self.path, ignore_errors=True)
        remove_if_empty(self.path)

    def revert(self) -> None:
        if not self.whole:
            self.path.mkdir(exist_ok=True)


@dataclass(frozen=True)
class Replace:
    """A file's content, from `before` to `after`; None is no file."""

    path: Path
    before: bytes | None
    after: bytes | None
    private: bool = False

    def apply(self) -> None:
        self._change(self.before, self.after)

    def revert(self) -> None:
        if files.read(self.path) == self.after:
            self._change(self.after, self.before)
        files.discard(self.path)

    def _change(self, old: bytes | None, new: bytes | None) -> None:
        if new is not None and files.read(self.path) != new:
            files.stage(self.path, new, private=self.private)
        current = files.read(self.path)  # again, and as late as can be
        if current not in {old, new}:
            files.discard(self.path)
            raise ChangedMeanwhileError(self.path)
        if current == new:
            files.discard(self.path)
        elif new is None:
            files.remove(self.path)
        else:
            files.put(self.path)


Step = MakeFolder | DropFolder | Replace


def run(state: Path, steps: Sequence[Step]) -> None:
    """Do all steps or none; raises ChangedMeanwhileError (none done) or UserError."""
    if not steps:
        return
    journal = state / JOURNAL
    try:
        files.write(journal, dump(steps), private=True)
        _forward(steps, journal)
    except OSError as error:
        raise _failure(error, half_done=journal.exists()) from error


def recover(state: Path) -> bool:
    """Complete what a killed command left behind; whether there was anything.

    What somebody else has changed since stays as they left it.
    """
    journal = state / JOURNAL
    files.discard(journal)
    content = files.read(journal)
    if content is None:
        return False
    run(state, [step for step in _load(content) if not _is_overtaken(step)])
    files.remove(journal)
    return True


def is_pending(state: Path) -> bool:
    return (state / JOURNAL).exists()


@contextlib.contextmanager
def locked(state: Path, seconds: float = LOCK_SECONDS) -> Iterator[None]:
    """Hold the state folder's lock; raises UserError when another command keeps it too long."""
    descriptor = _acquire(state, time.monotonic() + seconds)
    try:
        yield
    finally:
        os.close(descriptor)


def _acquire(state: Path, deadline: float) -> int:
    while True:
        descriptor = _open_lock(state)
        if _try_lock(descriptor) and _is_still_there(descriptor, state / LOCK):
            return descriptor
        os.close(descriptor)
        if time.monotonic() > deadline:
            raise UserError("another claude-tier command is at work", "Try again when it is done.")
        time.sleep(0.05)


def _open_lock(state: Path) -> int:
    try:
        state.mkdir(mode=files.PRIVATE_FOLDER, parents=True, exist_ok=True)
        return os.open(state / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, files.PRIVATE_FILE)
    except OSError as error:
        raise _failure(error, half_done=False) from error


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_still_there(descriptor: int, path: Path) -> bool:
    """Whether the lock file is the one at that path: a purge may have taken it away."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _forward(steps: Sequence[Step], journal: Path) -> None:
    done: list[Step] = []
    try:
        for step in steps:
            done.append(step)
            step.apply()
    except BaseException:
        for step in reversed(done):
            step.revert()
        files.remove(journal)
        raise
    files.remove(journal)


def _is_overtaken(step: Step) -> bool:
    """Whether somebody else has written that file since; their content stays."""
    if not isinstance(step, Replace):
        return False
    try:
        overtaken = files.read(step.path) not in {step.before, step.after}
    except UserError:  # no longer a file
        return True
    if overtaken:
        files.discard(step.path)
    return overtaken


def _failure(error: OSError, *, half_done: bool) -> UserError:
    where = f"{error.filename} cannot be written" if error.filename else "a file cannot be written"
    hint = "It is half done: run the command again." if half_done else "Nothing was changed."
    return UserError(f"{where}: {error.strerror}", hint)


def remove_if_empty(folder: Path) -> None:
    """Remove the folder if nothing is in it; fine if it is not there."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        try:
            folder.rmdir()
        except OSError as error:
            if error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
                raise


def dump(steps: Sequence[Step]) -> bytes:
    return json.dumps({"version": 1, "steps": [_fields(step) for step in steps]}).encode()


def _fields(step: Step) -> dict[str, object]:
    fields = {"do": type(step).__name__, **vars(step)}
    return {name: _plain(value) for name, value in fields.items()}


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return str(value) if isinstance(value, Path) else value


def _load(journal: bytes) -> list[Step]:
    return [_step(fields) for fields in json.loads(journal)["steps"]]


def _step(fields: dict[str, Any]) -> Step:
    path = Path(fields["path"])
    if fields["do"] == MakeFolder.__name__:
        return MakeFolder(path, fields["private"])
    if fields["do"] == DropFolder.__name__:
        return DropFolder(path, fields["whole"])
    return Replace(path, _bytes(fields["before"]), _bytes(fields["after"]), fields["private"])


def _bytes(encoded: str | None) -> bytes | None:
    return None if encoded is None else base64.b64decode(encoded)

"""Reading and replacing files that are not ours: links followed, modes kept, never half written."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

from claude_tier.errors import UserError

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700


def read(path: Path) -> bytes | None:
    """The content of a regular file; None where nothing is. Raises UserError for anything else."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # a pipe must not hang us
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise UserError(f"{path} is not a file", "Move it away, then run the command again.")
    with os.fdopen(descriptor, "rb") as stream:
        return stream.read()


def target(path: Path) -> Path:
    """Where a write to that path really goes: a linked settings file stays a link."""
    try:
        real = path.resolve()
    except (OSError, RuntimeError) as error:  # before Python 3.13 a loop is a RuntimeError
        raise UserError(f"{path} cannot be followed: {error}") from error
    if real.is_symlink():
        raise UserError(f"{path} is a link that leads back to itself")
    try:
        str(real).encode()
    except UnicodeEncodeError as error:
        raise UserError(f"the path {real} is not valid UTF-8") from error
    return real


def beside(path: Path) -> Path:
    """The temporary file of a write: one fixed name, so that a killed write is found again."""
    return path.with_name(f".{path.name}.claude-tier-new")


def stage(path: Path, content: bytes, *, private: bool) -> None:
    """Write the content beside the path, on disk, with the mode and owner of the file there."""
    new = beside(path)
    new.unlink(missing_ok=True)
    mode = PRIVATE_FILE if private else 0o666  # less the user's umask
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    descriptor = os.open(new, flags, mode)
    try:
        _fill(descriptor, content, like=path)
    except BaseException:  # a full disk, Ctrl-C: half a file is no use to anyone
        discard(path)
        raise


def _fill(descriptor: int, content: bytes, *, like: Path) -> None:
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        _take_after(stream.fileno(), like)
        stream.flush()
        os.fsync(stream.fileno())


def put(path: Path) -> None:
    """Put the staged file in its place at once."""
    beside(path).replace(path)
    sync_folder(path.parent)


def remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    discard(path)
    sync_folder(path.parent)


def discard(path: Path) -> None:
    """Take away what was staged; a folder of that name is not ours and stays."""
    with contextlib.suppress(OSError):
        beside(path).unlink()


def write(path: Path, content: bytes, *, private: bool) -> None:
    stage(path, content, private=private)
    put(path)


def sync_folder(folder: Path) -> None:
    with contextlib.suppress(OSError):  # not every file system lets a folder be synced
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _take_after(descriptor: int, path: Path) -> None:
    try:
        old = path.stat()
    except FileNotFoundError:
        return
    if (old.st_uid, old.st_gid) != (os.geteuid(), os.getegid()):
        with contextlib.suppress(PermissionError):
            os.fchown(descriptor, old.st_uid, old.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(old.st_mode))

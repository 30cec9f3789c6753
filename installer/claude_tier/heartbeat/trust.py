"""Which HEARTBEAT.md may run on this machine, and what each of its beats was allowed to do.

A file may come with a clone, or be written by Claude: nothing of it runs before its user adds it.
What a beat may do is its check, its tools, the models it names, and, because a text tells a model
what to do with its tools, the text of a beat that has some. A beat that asks for more than that, or
for anything else, waits until the file is added again; the others go on.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from claude_tier_hooks import state

from claude_tier.heartbeat.beat import Beat

FOLDER = "heartbeat"  # in the state folder
FILE = "files.json"
VERSION = 1


@dataclass(frozen=True)
class Added:
    """One file that was added: its real path, when, and the fingerprint of each beat, by name."""

    path: Path
    at: float
    beats: Mapping[str, str]

    def allows(self, beat: Beat) -> bool:
        """Whether that beat does what it did when the file was added, and nothing else."""
        return self.standing(beat) == "allowed"

    def standing(self, beat: Beat) -> Literal["allowed", "changed", "new"]:
        """Whether that beat may run, or what keeps it from it."""
        if beat.file != self.path or beat.name not in self.beats:
            return "new"  # also where the path became a link to another file
        return "allowed" if self.beats[beat.name] == fingerprint(beat) else "changed"


def fingerprint(beat: Beat) -> str:
    """Of all that lets a beat do something; another one has to be allowed anew."""
    powers = {
        "check": beat.check,
        "tools": beat.tools,
        "models": beat.named,
        "prompt": beat.prompt if beat.tools else None,
    }
    text = json.dumps(powers, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def real_path(path: Path) -> Path:
    """What a file is known by, however it was named."""
    return Path(os.path.realpath(path.expanduser()))


def files() -> tuple[Added, ...]:
    """Those that were added, by path; none where that is not known."""
    found = (state.read_json(state.path(FOLDER, FILE)) or {}).get("files")
    entries = found if isinstance(found, dict) else {}
    return tuple(filter(None, (_read(path, entries[path]) for path in sorted(entries))))


def added(path: Path) -> Added | None:
    """That file, if it was added."""
    real = real_path(path)
    return next((one for one in files() if one.path == real), None)


def add(path: Path, beats: Iterable[Beat], now: float) -> Added:
    """Let these beats of that file run as they are now; what was allowed before is forgotten."""
    new = Added(real_path(path), now, {beat.name: fingerprint(beat) for beat in beats})
    with _locked():
        _write([*(one for one in files() if one.path != new.path), new])
    return new


def remove(path: Path) -> bool:
    """Let nothing of that file run; whether it was added before."""
    real = real_path(path)
    with _locked():
        known = files()
        left = [one for one in known if one.path != real]
        if len(left) < len(known):
            _write(left)
    return len(left) < len(known)


def _read(path: str, entry: object) -> Added | None:
    """An entry as it was written; None for anything else, which then allows nothing."""
    if not isinstance(entry, dict):
        return None
    at, beats = entry.get("at"), entry.get("beats")
    if not isinstance(at, int | float) or not isinstance(beats, dict):
        return None
    return Added(Path(path), at, cast("dict[str, str]", beats))


def _write(entries: Iterable[Added]) -> None:
    known = {str(one.path): {"at": one.at, "beats": dict(one.beats)} for one in entries}
    text = json.dumps({"version": VERSION, "files": known}, indent=2) + "\n"
    state.write_private(str(_folder() / FILE), text)


def _folder() -> Path:
    state.ensure()
    folder = Path(state.path(FOLDER))
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


@contextmanager
def _locked() -> Iterator[None]:
    descriptor = os.open(_folder() / "files.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)

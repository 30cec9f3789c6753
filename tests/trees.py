"""Folders and files of a test: written, and compared as a whole."""

from __future__ import annotations

import stat
from pathlib import Path

Tree = dict[str, tuple[str, int, bytes]]  # kind, mode, content or link target


def snapshot(folder: Path, *, without: Path | None = None) -> Tree:
    """Everything below the folder, links not followed, `without` left out."""
    found: Tree = {}
    for path in sorted(folder.rglob("*")):
        if without is None or not path.is_relative_to(without):
            found[str(path.relative_to(folder))] = _entry(path)
    return found


def times(folder: Path) -> dict[str, int]:
    """When each file below the folder was written last."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path): path.stat().st_mtime_ns for path in files}


def write(path: Path, text: str) -> Path:
    """A file with that text, to the byte, and the folders it needs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    return path


def handler(script: str, **more: object) -> dict[str, object]:
    """An entry of a plugin's hooks.json that starts that script."""
    args = ["-S", "-E", "${CLAUDE_PLUGIN_ROOT}/hooks/" + script]
    return {"type": "command", "command": "python3", "args": args, **more}


def _entry(path: Path) -> tuple[str, int, bytes]:
    status = path.lstat()
    mode = stat.S_IMODE(status.st_mode)
    if stat.S_ISLNK(status.st_mode):
        return "link", mode, str(path.readlink()).encode()
    if stat.S_ISDIR(status.st_mode):
        return "folder", mode, b""
    return "file", mode, path.read_bytes()

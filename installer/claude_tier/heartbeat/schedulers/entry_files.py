"""Files that a scheduler reads, and the folders that had to be made for them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path

from claude_tier.install import files


def write(wanted: Mapping[Path, bytes]) -> list[str]:
    """Write them, with the folders they need; the folders that were not there before."""
    made: list[str] = []
    for path, content in wanted.items():
        missing = [folder for folder in path.parents if not folder.exists()]
        for folder in reversed(missing):
            folder.mkdir()
        made += map(str, missing)
        files.write(files.target(path), content, private=False)
    return made


def said(wanted: Mapping[Path, bytes]) -> list[str]:
    """What writing them comes to, in sentences, before it is done."""
    return [_said(path, content) for path, content in wanted.items()]


def _said(path: Path, content: bytes) -> str:
    stands = path.is_file() and path.read_bytes() == content
    return f"{path} stands already." if stands else f"Wrote {path}"


def remove(paths: Collection[Path], made: Collection[str]) -> list[Path]:
    """Remove those that are there, then the folders made for them that are empty; what went."""
    there = [path for path in paths if path.exists() or path.is_symlink()]
    for path in there:
        path.unlink()
    for folder in sorted(map(Path, made), key=lambda path: len(path.parts), reverse=True):
        with suppress(OSError):  # somebody else uses it now
            folder.rmdir()
    return there


def shown(wanted: Mapping[Path, bytes]) -> str:
    """Each file below its place."""
    return "\n\n".join(f"# {path}\n{text.decode().rstrip()}" for path, text in wanted.items())

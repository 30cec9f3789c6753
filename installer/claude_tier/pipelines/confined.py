"""Files that a pipeline names: below one folder, and nothing hidden.

A pipeline may come with a clone. No path of it leads out of the folder, through a link either, and
none has a part that begins with a dot: .git, .claude, .bashrc, .env, .ssh.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path, PurePosixPath

from claude_tier import paths
from claude_tier.config.faults import printable
from claude_tier.errors import UserError
from claude_tier.install import files

LARGEST = 1024 * 1024  # bytes of one file
WORKTREES = "worktrees"  # of Claude Code: whole projects in .claude/worktrees


def fault_in(name: str) -> str | None:
    """What is wrong with a path by its spelling alone; None where it may be looked at."""
    path = PurePosixPath(name)
    if not name or not name.isprintable() or "\\" in name:
        return "must be the path of a file"
    if path.is_absolute() or ".." in path.parts or name.startswith("~"):
        return "must be a path below the folder that the pipeline is run in"
    if any(part.startswith(".") for part in path.parts) or not path.parts:
        return "must have no part that begins with a dot"
    return None


def locate(folder: Path, name: str) -> Path:
    """Where that file is, or would be; UserError where it may not be."""
    fault = fault_in(name)
    if fault:
        raise UserError(f"{printable(name)}: {fault}")
    root = folder.resolve()
    real = files.target(root / name)
    if not real.is_relative_to(root):
        raise UserError(f"{printable(name)} leads out of {root}")
    if any(part.startswith(".") for part in real.relative_to(root).parts):
        raise UserError(f"{printable(name)} leads to a hidden file: {real}")
    return real


def writable(folder: Path, name: str) -> Path:
    """Where that file would be written; UserError where no pipeline may write."""
    root = folder.resolve()
    if _is_guarded(root):
        raise UserError(f"no pipeline writes in {root}", "Run it in the folder of your project.")
    path = locate(folder, name)
    if (root / name).is_symlink():
        raise UserError(f"{printable(name)} is a link, and no pipeline writes through one")
    if path.is_dir():
        raise UserError(f"{printable(name)} is a folder")
    return path


def _is_guarded(root: Path) -> bool:
    """Whether what lies there is Git's, the client's or ours: a repository, settings, agents."""
    if ".git" in root.parts or root.is_relative_to(paths.config_dir().resolve()):
        return True
    inside = [after for part, after in pairwise([*root.parts, ""]) if part == ".claude"]
    return any(after != WORKTREES for after in inside)


def read(folder: Path, name: str) -> str:
    """The text of a file below that folder; UserError where it may not be read."""
    return text_of(locate(folder, name))


def text_of(path: Path) -> str:
    """The text of a file; UserError where it is missing, too large or no text."""
    too_large = path.is_file() and path.stat().st_size > LARGEST  # it may not even fit the memory
    content = b"" if too_large else files.read(path)
    if content is None:
        raise UserError(f"there is no file {path}")
    if too_large or len(content) > LARGEST:
        raise UserError(f"{path} is larger than {LARGEST} bytes")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise UserError(f"{path} is not UTF-8 text") from None

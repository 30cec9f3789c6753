"""Which project a folder belongs to: the root of its main worktree, else the folder itself."""

from __future__ import annotations

import os


def root(folder: str) -> str:
    """The main worktree's root of that folder; never raises, and follows no link."""
    at = os.path.abspath(folder)
    while True:
        git = os.path.join(at, ".git")
        if os.path.isdir(git):
            return at
        if os.path.isfile(git):
            return _main_worktree(git) or at
        above = os.path.dirname(at)
        if above == at:
            return os.path.abspath(folder)
        at = above


def _main_worktree(file: str) -> str | None:
    """A linked worktree's .git is a file: `gitdir: /repo/.git/worktrees/name`."""
    try:
        with open(file, encoding="utf-8", errors="replace") as stream:
            line = stream.readline().strip()
    except OSError:
        return None
    target = os.path.join(os.path.dirname(file), line.partition("gitdir:")[2].strip())
    main, found, _ = os.path.abspath(target).partition("/.git/worktrees/")
    return main if found else None

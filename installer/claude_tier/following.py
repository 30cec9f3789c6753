"""Brings the policy up to date before a command shows anything of it, as the hooks do.

With the plugin alone this is how config.yaml comes into force at all: the hooks find the command
that compiles in policy.json. Looking costs nothing; only a changed file pays for pydantic.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import click
from claude_tier_hooks import policy, project, refresh, state


def follow(*, quiet: bool = False, quiet_project: bool = False) -> None:
    """Compile what has changed; the old policy holds where there is a mistake.

    Mistakes are warned of on stderr: those of config.yaml unless `quiet`, those of the project's
    file unless `quiet_project`.
    """
    user = state.read_json(state.path("policy.json"))
    if user is None and not os.path.exists(state.path("config.yaml")):  # noqa: PTH110 - as hooks do
        return
    due = _is_due(user) or refresh.outlived(None)
    if due and not _compiled(None, _silent if quiet else _warn):
        return
    root = project.root(str(Path.cwd()))
    file = Path(root, policy.PROJECT_FILE)
    due = file.is_file() and _is_due(state.read_json(policy.overlay_file(root)))
    if due or refresh.outlived(root):
        _compiled(root, _silent if quiet_project else _warn)


def _is_due(made: dict[str, object] | None) -> bool:
    try:
        return made is None or refresh.stale(made.get("sources") or [])  # type: ignore[arg-type]
    except (TypeError, KeyError):  # not what a compiler of ours wrote
        return True


def _compiled(root: str | None, warn: Callable[[str], None]) -> bool:
    """Whether it could be; a version known to be faulty is not read again."""
    note = refresh.fault(root)
    if note and refresh.stands(note) and isinstance(note.get("faults"), list):
        warn("\n".join(map(str, note["faults"])))
        return False
    from claude_tier import config

    folder = Path(state.state_dir()).absolute()
    try:
        if root is None:
            config.compile_user_policy(folder)
        else:
            config.compile_project_policy(folder, Path(root))
    except config.ConfigError as error:
        warn(error.message)
        return False
    except OSError as error:  # a folder that is not ours to write: showing goes on
        warn(f"{error.filename}: {error.strerror}")
        return False
    return True


def _silent(_text: str) -> None:
    """Whoever shows it in another place."""


def _warn(text: str) -> None:
    click.echo(f"Warning: the configuration does not hold as it is written:\n{text}", err=True)

"""Brings the policy up to date before a command shows anything of it, as the hooks do.

With the plugin alone this is how config.yaml comes into force at all: the hooks find the command
that compiles in policy.json. Looking costs nothing; only a changed file pays for pydantic.
"""

from __future__ import annotations

import os
from pathlib import Path

from claude_tier_hooks import policy, project, refresh, state


def follow() -> str | None:
    """Compile what has changed; the mistakes for which that cannot be, None where there are none.

    The old policy holds then. A project's file is only looked at where the user's has no mistake.
    """
    user = state.read_json(state.path("policy.json"))
    if user is None and not os.path.exists(state.path("config.yaml")):  # noqa: PTH110 - as hooks do
        return None
    due = _is_due(user) or refresh.outlived(None)
    if due and (mistakes := _compiled(None)):
        return mistakes
    root = project.root(str(Path.cwd()))
    file = Path(root, policy.PROJECT_FILE)
    due = file.is_file() and _is_due(state.read_json(policy.overlay_file(root)))
    return _compiled(root) if due or refresh.outlived(root) else None


def _is_due(made: dict[str, object] | None) -> bool:
    try:
        return made is None or refresh.stale(made.get("sources") or [])  # type: ignore[arg-type]
    except (TypeError, KeyError):  # not what a compiler of ours wrote
        return True


def _compiled(root: str | None) -> str | None:
    """What is wrong with it, if anything; a version known to be faulty is not read again."""
    note = refresh.fault(root)
    if note and refresh.stands(note) and isinstance(note.get("faults"), list):
        return "\n".join(map(str, note["faults"]))
    from claude_tier import config

    folder = Path(state.state_dir()).absolute()
    try:
        if root is None:
            config.compile_user_policy(folder)
        else:
            config.compile_project_policy(folder, Path(root))
    except config.ConfigError as error:
        return error.message
    except OSError as error:  # a folder that is not ours to write: showing goes on
        return f"{error.filename}: {error.strerror}"
    return None

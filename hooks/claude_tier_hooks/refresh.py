"""A stale policy is compiled by the recorded `claude-tier`; a faulty source is said once."""

from __future__ import annotations

import os
import zlib

from . import ledger, policy, state

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3

    from .shapes import Json

TIMEOUT = 5  # seconds the compiler may take


def stale(sources: list[Json]) -> bool:
    """Whether a source differs from what was compiled: by size, else by content."""
    return any(_differs(one) for one in sources)


def _differs(source: Json) -> bool:
    try:
        now = os.stat(source["path"])
    except OSError:
        return bool(source["size"] != -1)
    if now.st_size != source["size"]:
        return True
    if now.st_mtime_ns == source["mtime_ns"]:
        return False
    data = state.read(source["path"])
    return data is None or bool(zlib.crc32(data) != source["crc32"])


def run(root: str) -> None:
    """Compile what is stale. A source that failed is not tried again until it changes."""
    user = state.read_json(state.path("policy.json"))
    if not user or not isinstance(user.get("command"), list):
        return
    if stale(user.get("sources") or []):
        _compile(user["command"], None)
    if not os.path.exists(os.path.join(root, policy.PROJECT_FILE)):
        return
    overlay = state.read_json(policy.overlay_file(root))
    if overlay is None or stale(overlay.get("sources") or []):
        _compile(user["command"], root)


def _compile(command: list[str], root: str | None) -> None:
    import subprocess  # 11 ms, paid only when a source has changed

    if any(_differs(failed) is False for failed in faults(root)):
        return
    more = ["--project", root] if root else []
    try:
        subprocess.run(
            [*command, "compile", "--quiet", *more],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=TIMEOUT,
            check=False,
            cwd=state.state_dir(),
            env=_environment(),
        )
    except (OSError, subprocess.SubprocessError) as problem:
        state.log_fault("compile", problem)


def _environment() -> dict[str, str]:
    """Nothing is imported from the folder the session works in, which may be somebody's clone."""
    environment = dict(os.environ, PYTHONSAFEPATH="1")
    if environment.get("CLAUDE_CONFIG_DIR"):
        environment["CLAUDE_CONFIG_DIR"] = os.path.abspath(state.config_dir())
    return environment


def fault(root: str | None = None) -> Json | None:
    """The first mistake in the user's configuration, or that project's: path, line, message."""
    return state.read_json(policy.failure_file(root))


def faults(root: str | None) -> list[Json]:
    """The mistakes that stand in this project: the user's first."""
    notes = [fault(), fault(root) if root else None]
    return [one for one in notes if one]


def message(db: sqlite3.Connection, session: int, root: str) -> str | None:
    """The mistakes, once a session; nothing of those files took effect."""
    texts = [
        "%s, line %s: %s. The policy before it stays in force."
        % (found.get("path"), found.get("line"), found.get("message"))
        for found in faults(root)
    ]
    return "\n".join(t for t in texts if ledger.once(db, session, "compile " + t)) or None

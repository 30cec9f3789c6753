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
    with open(source["path"], "rb") as stream:
        return bool(zlib.crc32(stream.read()) != source["crc32"])


def run(root: str) -> None:
    """Compile what is stale. A source that failed is not tried again until it changes."""
    user = state.read_json(state.path("policy.json"))
    if not user or not isinstance(user.get("command"), list):
        return
    here = os.path.join(root, policy.PROJECT_FILE)
    if stale(user.get("sources") or []):
        _compile(user["command"], [])
    if not os.path.exists(here):
        return
    overlay = state.read_json(policy.overlay_file(root))
    if overlay is None or stale(overlay.get("sources") or []):
        _compile(user["command"], ["--project", root])


def _compile(command: list[str], more: list[str]) -> None:
    import subprocess  # 11 ms, paid only when a source has changed

    failed = fault()
    if failed and not _differs(failed) and bool(more) == bool(failed.get("project")):
        return
    try:
        subprocess.run(
            [*command, "compile", "--quiet", *more],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as problem:
        state.log_fault("compile", problem)


def fault() -> Json | None:
    """The mistake the last compilation found: path, line, key, message, and its source."""
    return state.read_json(state.path("compile-error.json"))


def message(db: sqlite3.Connection, session: int) -> str | None:
    """The mistake, once a session; nothing of the file took effect."""
    found = fault()
    if not found:
        return None
    text = "%s, line %s: %s. The policy before it stays in force." % (
        found.get("path"), found.get("line"), found.get("message"),
    )  # fmt: skip
    return text if ledger.once(db, session, "compile", text) else None

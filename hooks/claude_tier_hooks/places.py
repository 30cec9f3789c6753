"""Where transcripts lie, and what that says of them.

projects/<slug>/<session>.jsonl is a conversation, and those of its subagents are
projects/<slug>/<session>/subagents/[…/]agent-<id>.jsonl, each with a .meta.json beside it; before
2.1.39 agent-<id>.jsonl beside the session, whose rows name it.
"""

from __future__ import annotations

import os

from . import state

TAIL = 256 * 1024  # bytes at the end of a file in which what was just written is looked for


def place(path: str) -> tuple[str, str | None]:
    """(session, agent id) as the file's place says; the agent id is None for the main one."""
    name = os.path.basename(path).partition(".jsonl")[0]
    parts = _below_projects(path.split(os.sep))
    if "subagents" in parts:
        at = len(parts) - 1 - parts[::-1].index("subagents")
        return parts[at - 1], name.partition("agent-")[2] or name
    if name.startswith("agent-"):
        return "", name[6:]
    return name, None


def _below_projects(parts: list[str]) -> list[str]:
    """What comes after the folder of all projects; the user's own folders may have any name."""
    for at in range(len(parts) - 3, -1, -1):
        if parts[at] == "projects":
            return parts[at + 1 :]
    return parts


def stem(path: str) -> str:
    """The path without .jsonl and what may follow it: of a session, its folder."""
    folder, name = os.path.split(path)
    return os.path.join(folder, name.partition(".jsonl")[0])


def of_session(main: str) -> list[str]:
    """The session's own file and those of its subagents, as far as they exist."""
    found = [main] if os.path.isfile(main) else []
    return found + [path for path, _, _ in walk(stem(main))]


def mentions(main: str, agent_id: str | None, text: str) -> bool:
    """Whether the end of that conversation's file holds a text; False when it is not there."""
    path = main
    if agent_id:
        path = os.path.join(stem(main), "subagents", "agent-%s.jsonl" % agent_id)
    try:
        with open(path, "rb") as stream:
            stream.seek(max(0, os.fstat(stream.fileno()).st_size - TAIL))
            return text.encode("utf-8", "replace") in stream.read(TAIL)
    except OSError:
        return False


def walk(folder: str, closed: list[str] | None = None) -> list[tuple[str, int, int]]:
    """(path, size, mtime_ns) of every transcript below a folder.

    A folder that is there and cannot be read is left, and put into `closed`.
    """
    found: list[tuple[str, int, int]] = []
    try:
        with os.scandir(folder) as entries:
            for one in entries:
                if one.is_dir(follow_symlinks=False):
                    if one.name != "tool-results":
                        found.extend(walk(one.path, closed))
                elif is_transcript(one.name) and one.is_file():
                    stat = one.stat()
                    found.append((one.path, stat.st_size, stat.st_mtime_ns))
    except FileNotFoundError:
        pass
    except OSError:
        if closed is not None:
            closed.append(folder)
    return found


def is_transcript(name: str) -> bool:
    """x.jsonl and the x.jsonl.orphaned-… the client leaves after a crash; its names are UTF-8."""
    return (
        ".jsonl" in name
        and (name.endswith(".jsonl") or ".jsonl.orphaned-" in name)
        and state.storable(name) == name
    )

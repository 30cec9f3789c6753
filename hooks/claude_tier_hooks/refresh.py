"""A stale policy is compiled by the recorded `claude-tier`; a faulty source is said once."""

from __future__ import annotations

import json
import os
import time
import zlib

from . import ledger, policy, state

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3

    from .shapes import Json

PATIENCE = 3.0  # seconds that all compiling at one event may take together


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
    """Compile what is stale. What failed is not tried again until a source or the command changes.

    A project is compiled over the user's policy, so it waits for that one.
    """
    user = state.read_json(state.path("policy.json"))
    command = user.get("command") if user else None
    if not user or not isinstance(command, list) or not all(isinstance(c, str) for c in command):
        return
    deadline = time.monotonic() + PATIENCE
    due = stale(user.get("sources") or []) or outlived(None)
    if due and not _compile(command, None, deadline):
        return
    has_own = os.path.exists(os.path.join(root, policy.PROJECT_FILE))
    if outlived(root) or (has_own and not _is_made(root)):
        _compile(command, root, deadline)


def _compile(command: list[str], root: str | None, deadline: float) -> bool:
    """Whether the compiler did its work; what kept it from that is noted."""
    attempt = _attempt(command, root)
    tried = state.read_json(_attempt_file(root)) or {}
    if any(stands(failed) for failed in faults(root)):
        return False
    if {key: tried.get(key) for key in attempt} == attempt:
        return False
    more = ["--project", root] if root else []
    left = max(0.1, deadline - time.monotonic())
    problem = _problem([*command, "compile", "--quiet", *more], left)
    if problem is None and not _is_made(root):
        problem = "it changed nothing"
    if problem is None:
        _forget(root)
        return True
    if not any(stands(failed) for failed in faults(root)):
        _note(root, dict(attempt, problem=problem))
    return False


def _is_made(root: str | None) -> bool:
    made = state.read_json(policy.overlay_file(root) if root else state.path("policy.json"))
    return made is not None and not stale(made.get("sources") or [])


def _problem(arguments: list[str], seconds: float) -> str | None:
    """Run the compiler; why it did not do its work, None when it did."""
    import subprocess  # 11 ms, paid only when a source has changed

    try:
        done = subprocess.run(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=seconds,
            check=False,
            cwd=state.state_dir(),
            env=_environment(),
        )
    except subprocess.TimeoutExpired:
        return "it did not end in time"
    except (OSError, ValueError) as fault:
        return "%s cannot be started (%s)" % (arguments[0], getattr(fault, "strerror", fault))
    return "it ended with exit code %d" % done.returncode if done.returncode else None


def _attempt(command: list[str], root: str | None) -> Json:
    """What a compilation depends on: each source's version, and the program's own."""
    files = [state.path("config.yaml")]
    files += [os.path.join(root, policy.PROJECT_FILE)] if root else []
    return {"command": command, "versions": [_version(file) for file in [*command[:1], *files]]}


def _version(file: str) -> list[int] | None:
    try:
        now = os.stat(file)
    except OSError:
        return None
    return [now.st_size, now.st_mtime_ns]


def _attempt_file(root: str | None) -> str:
    return policy.failure_file(root).replace("error.json", "attempt.json")


def _note(root: str | None, note: Json) -> None:
    state.log_fault("compile", RuntimeError(note["problem"]))
    file = _attempt_file(root)
    try:
        os.makedirs(os.path.dirname(file), mode=0o700, exist_ok=True)
        state.write_private(file, json.dumps(note))
    except OSError as fault:
        state.log_fault("compile", fault)


def _forget(root: str | None) -> None:
    try:
        os.unlink(_attempt_file(root))
    except OSError:
        return


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
    return [one for one in notes if one and isinstance(one.get("path"), str)]


def stands(mistake: Json) -> bool:
    """Whether the file still is the version that the mistake was found in.

    Permission can be given without changing the file: what could not be read is tried again.
    """
    try:
        if mistake.get("unread") and os.access(mistake["path"], os.R_OK):
            return False
        return not _differs(mistake)
    except (KeyError, TypeError):  # a note of another version of ours
        return False


def outlived(root: str | None) -> bool:
    """Whether a mistake is noted whose file is no longer as it was."""
    note = fault(root)
    return note is not None and not stands(note)


def uncompiled() -> bool:
    """Whether there is a config.yaml and no policy made of it, so that nothing of it applies."""
    made = state.read_json(state.path("policy.json"))
    return made is None and os.path.exists(state.path("config.yaml"))


def message(db: sqlite3.Connection, session: int, root: str) -> str | None:
    """What of the configuration is not in force, and why: each thing once a session."""
    texts = [*_mistakes(root), *_unmade(root)]
    return "\n".join(t for t in texts if ledger.once(db, session, "compile " + t)) or None


def _mistakes(root: str) -> list[str]:
    texts = []
    for found in faults(root):
        line = ", line %s" % found["line"] if found.get("line") else ""
        end = "The policy before it stays in force."
        if found["path"] == os.path.join(root, policy.PROJECT_FILE):
            end = "Nothing of that file applies; your own configuration does."
        texts.append("%s%s: %s. %s" % (found["path"], line, found.get("message"), end))
    return texts


def _unmade(root: str) -> list[str]:
    texts = []
    if uncompiled():
        texts.append(
            "%s is not in force, because no policy is compiled of it: the shipped defaults hold."
            " Run `claude-tier compile` in a terminal." % state.path("config.yaml")
        )
    for place, file in ((None, state.path("config.yaml")), (root, policy.PROJECT_FILE)):
        note = state.read_json(_attempt_file(place))
        if note and (place is None or os.path.exists(os.path.join(root, file))):
            texts.append(
                "%s was changed and could not be compiled: %s. What was compiled before stays in"
                " force. Run `claude-tier compile` in a terminal." % (file, note.get("problem"))
            )
    return texts

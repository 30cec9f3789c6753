"""The state folder: what claude-tier keeps, and where.

Nothing here raises for a missing file; a folder that cannot be written is the caller's fault to
report, because a hook must go on without it.
"""

from __future__ import annotations

import json
import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .shapes import Json

# What this process has to tell the user beside its answer.
notices: list[str] = []

LARGE = 16 * 1024 * 1024  # bytes; no file of ours, and no settings file, comes near
LOG_LIMIT = 256 * 1024  # bytes; one older log is kept beside it


def config_dir() -> str:
    """Claude Code's own folder: CLAUDE_CONFIG_DIR as one raw path, else ~/.claude.

    Other counters take a list with commas there, of which the first is the client's.
    """
    named = os.environ.get("CLAUDE_CONFIG_DIR")
    if named and "," in named and not os.path.isdir(named):
        named = named.partition(",")[0].strip()
    return named or os.path.join(os.path.expanduser("~"), ".claude")


def state_dir() -> str:
    return os.path.join(config_dir(), "claude-tier")


def path(*names: str) -> str:
    return os.path.join(state_dir(), *names)


def ensure() -> None:
    """Make the state folder, readable by its owner only; raises OSError."""
    os.makedirs(state_dir(), mode=0o700, exist_ok=True)


def storable(text: str) -> str:
    """The text without half surrogate pairs, which JSON can name and no database keeps."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def read(file: str, limit: int = LARGE) -> bytes | None:
    """The start of a regular file; None for anything else, which could keep a reader for ever."""
    try:
        if not os.path.isfile(file):
            return None
        with open(file, "rb") as stream:
            return stream.read(limit)
    except OSError:
        return None


def read_json(file: str) -> Json | None:
    """The object in that file; None when it is missing or holds anything else."""
    try:
        value = json.loads(read(file) or b"null")
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def write_private(file: str, text: str) -> None:
    """Replace a file of ours at once, mode 0600, in a folder of ours; raises OSError."""
    os.makedirs(os.path.dirname(file), mode=0o700, exist_ok=True)
    beside = "%s.%d.tmp" % (file, os.getpid())
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
    os.replace(beside, file)


def off_until(now: float) -> float | None:
    """The time `claude-tier off` ends (infinity when it has no end); None when on."""
    switch = read_json(path("off"))
    if switch is None:
        return None
    until = switch.get("until")
    if not isinstance(until, (int, float)):
        return float("inf")
    return float(until) if until > now else None


def log_fault(where: str, fault: BaseException) -> None:
    """One line for `claude-tier doctor`: when, where, what; never an event's content."""
    text = " ".join(str(fault).split())[:200]
    line = "%s %s %s: %s\n" % (
        time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        where,
        type(fault).__name__,
        text,
    )
    try:
        ensure()
        log = path("hooks.log")
        if os.path.exists(log) and os.path.getsize(log) > LOG_LIMIT:
            os.replace(log, log + ".1")
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as stream:
            stream.write(line)
    except OSError:
        return


def first_time(session: str, fault: str) -> bool:
    """Whether this session has not been told of this fault yet; False when that cannot be kept."""
    name = "".join(c if c.isalnum() or c in "-_" else "-" for c in session + "." + fault)[:120]
    try:
        os.makedirs(path("told"), mode=0o700, exist_ok=True)
        os.close(os.open(path("told", name), os.O_CREAT | os.O_EXCL, 0o600))
    except OSError:
        return False
    return True

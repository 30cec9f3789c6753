"""The file that a bug leaves behind: version, platform and traceback, ready for an issue."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import time
import traceback
from pathlib import Path

from claude_tier_hooks import __version__, state

LONGEST = 300  # characters of the summary
LONGEST_LINE = 2000  # of the log: an answer of a megabyte may be part of a message
SPEAKING = ("ask", "route", "pipeline")  # commands whose arguments are what somebody asks


def summary(error: BaseException) -> str:
    """The error in one line that a terminal can be shown: ValueError: what it said first."""
    said = next(filter(str.strip, str(error).splitlines()), "")
    line = f"{type(error).__name__}: {_without_keys(said[:LONGEST_LINE])}" if said else ""
    shown = "".join(each if each.isprintable() else " " for each in line)
    return shown[:LONGEST].strip() or type(error).__name__


def write(error: BaseException) -> Path | None:
    """Write the log (mode 0600) into the state folder or, failing that, the temporary folder."""
    text = _text(error)
    return _write_in(state.state_dir(), text) or _write_in(tempfile.gettempdir(), text)


def _write_in(folder: str, text: str) -> Path | None:
    prefix = time.strftime("bug-%Y%m%dT%H%M%SZ-", time.gmtime())
    try:
        Path(folder).mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, path = tempfile.mkstemp(prefix=prefix, suffix=".log", dir=folder)
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as log:
            log.write(text)
    except OSError:
        return None
    return Path(path)


def _text(error: BaseException) -> str:
    lines = [
        f"claude-tier {__version__}",
        f"python {platform.python_version()} at {sys.executable}",
        f"platform {platform.platform()}",
        f"arguments {_arguments(sys.argv[1:])}",
        "",
        *traceback.format_exception(error),
    ]
    short = (line[:LONGEST_LINE] for part in lines for line in part.rstrip("\n").split("\n"))
    return _without_keys("\n".join(short)) + "\n"


def _arguments(given: list[str]) -> list[str]:
    """The command line; of what is asked only which options were used."""
    if given[:1] not in ([name] for name in SPEAKING):
        return given
    return given[:1] + [one.partition("=")[0] if one[:1] == "-" else "…" for one in given[1:]]


def _without_keys(text: str) -> str:
    try:
        from claude_tier.routing import keys
    except ImportError:  # that is the bug itself, and no key was read
        return text
    return keys.redacted(text)

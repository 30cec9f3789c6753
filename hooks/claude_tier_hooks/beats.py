"""What heartbeats had to tell, for the user at the start of a session; Claude is not told."""

from __future__ import annotations

import os

from . import state

SHOWN = 160  # characters of an alert


def line() -> str:
    """The newest alert that no session has shown, and how many more there are; each once."""
    new = unseen()
    if not new:
        return ""
    passed = _passed()
    more = len(new) - 1 + passed
    state.write_private(_told(), "".join(name + "\n" for name in [*_seen(), *new]))
    if passed:
        state.write_private(passed_file(), "")
    alert = state.read_json(state.path("heartbeat", "alerts", new[-1])) or {}
    named = "heartbeat %s" % _short(alert.get("beat") or "")
    text = "%s: %s" % (named.rstrip(), _short(alert.get("text") or ""))
    if more:
        text += " (and %d more)" % more
    return text + "; `claude-tier heartbeat history` shows what became of each beat"


def count() -> int:
    """How many alerts no session has shown, those that are kept no longer included.

    Where nothing is left to show, as when the user removed them, there is nothing to count either.
    """
    new = len(unseen())
    return new + _passed() if new else 0


def passed_file() -> str:
    """A byte for each alert that made room for newer ones before a session showed it."""
    return state.path("heartbeat", "passed")


def _passed() -> int:
    try:
        return os.stat(passed_file()).st_size
    except OSError:
        return 0


def unseen() -> list[str]:
    """The files of alerts that no session has shown, oldest first."""
    seen = _seen()
    return [name for name in _names() if name not in seen]


def _seen() -> set[str]:
    """Those that are still there and were shown: by name, since a clock may have been set back."""
    shown = (state.read(_told()) or b"").decode("utf-8", "replace").split()
    return set(shown).intersection(_names())


def _told() -> str:
    return state.path("heartbeat", "told")


def _names() -> list[str]:
    """Of the files of alerts, oldest first."""
    try:
        names = os.listdir(state.path("heartbeat", "alerts"))
    except OSError:
        return []
    return sorted(name for name in names if name.endswith(".json"))


def _short(value: object) -> str:
    """On one line, without what a terminal would obey: a model wrote it."""
    clean = "".join(c if c.isprintable() else " " for c in str(value))
    words = " ".join(clean.split())
    return words if len(words) <= SHOWN else words[: SHOWN - 1] + "…"

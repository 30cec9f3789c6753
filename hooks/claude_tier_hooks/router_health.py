"""How the router is: what it keeps out after failures, and whether it asks this machine alone."""

from __future__ import annotations

import os
import sqlite3

from . import columns, cooldowns, pace, state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .shapes import Json

SWITCH = "emergency"  # the file of emergency mode, as far as it is on by hand


def query(db: sqlite3.Connection, now: float) -> Json:
    """{cooldowns: rows as `cooldowns.listed` has them, emergency: {since, until} or None}."""
    return {"cooldowns": cooldowns.listed(db, now), "emergency": emergency(now)}


def emergency(now: float) -> Json | None:
    """When the switch was set and ends, None each where not known; None while it is off.

    A file that cannot be read is on: whoever made it wants nothing to leave.
    """
    file = state.path(SWITCH)
    switch = state.read_json(file)
    if switch is None:
        return {"since": None, "until": None} if os.path.lexists(file) else None
    since, until = (_time(switch.get(name)) for name in ("since", "until"))
    if until is not None and until <= now:
        return None
    return {"since": since, "until": until}


def keeps_out(row: Json, now: float) -> bool:
    """Whether that cooldown holds; one that is over only waits for the next request."""
    return row["until"] is None or row["until"] > now or cooldowns.is_tried(row, now)


def words(found: Json, now: float) -> str:
    """local only until 14:30, openrouter cooling; "" while there is nothing to say.

    In emergency mode it does not matter what is cooling: nothing else is asked.
    """
    on = found["emergency"]
    if on:
        return "local only" + (" until " + pace.moment(on["until"], now) if on["until"] else "")
    rows = (row for row in found["cooldowns"] if keeps_out(row, now))
    names = list(dict.fromkeys(columns.plain(row["provider"]) for row in rows))
    if len(names) > 1:
        return "%d providers cooling" % len(names)
    return "%s cooling" % names[0] if names else ""


def _time(value: object) -> float | None:
    """A moment that a calendar knows; None for anything else in that file."""
    return float(value) if isinstance(value, (int, float)) and 0 <= value < 1e11 else None

"""Whether the heartbeat lives, from what its ticks leave behind: for lines and screens in a hurry.

No HEARTBEAT.md is read: a beat that was taken out of its file is forgotten after a week.
"""

from __future__ import annotations

import os

from . import beats, state, tick

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3

    from .shapes import Json

ALIVE, DEAD, NONE = "alive", "dead", "none"
SILENT = 180  # seconds without a tick, of which there is one a minute
FORGOTTEN = 7 * 86400
_TROUBLED = (
    "SELECT n.text, b.disabled IS NOT NULL FROM beat b JOIN name n"
    " ON n.id = b.beat WHERE (b.failures > 0 OR b.disabled IS NOT NULL) AND EXISTS"
    " (SELECT 1 FROM receipt r WHERE r.beat = b.beat AND r.last > ?) ORDER BY n.text"
)


def standing(db: sqlite3.Connection, now: float) -> Json | None:
    """How the heartbeat stands; None where no HEARTBEAT.md may run on this machine."""
    files = (state.read_json(state.path("heartbeat", "files.json")) or {}).get("files")
    if not isinstance(files, dict) or not files:
        return None
    found = [one for one in db.execute(_TROUBLED, (now - FORGOTTEN,)) if _file(one[0]) in files]
    return {
        "scheduler": scheduler(now),
        "last_tick": last_tick(),
        "alerts": beats.count(),
        "failing": [_name(beat) for beat, off in found if not off],
        "disabled": [_name(beat) for beat, off in found if off],
    }


def scheduler(now: float) -> str:
    """Whether ticks come: alive, dead, or none where nothing was ever installed to bring them."""
    # A scheduler that was installed just now has its first minute yet to come.
    heard = [at for at in (last_tick(), _changed(state.path("heartbeat", "scheduler.json"))) if at]
    if not heard:
        return NONE
    return DEAD if now - max(heard) > SILENT else ALIVE


def last_tick() -> float | None:
    return _changed(tick.alive_file())


def said(found: Json) -> str:
    """What is wrong, in a few words; "" where nothing is."""
    words = ["dead"] if found["scheduler"] == DEAD else []
    words += [_plural(found["alerts"], "alert")] if found["alerts"] else []
    words += ["%d failing" % len(found["failing"])] if found["failing"] else []
    words += ["%d off" % len(found["disabled"])] if found["disabled"] else []
    return ", ".join(words)


def _plural(number: int, word: str) -> str:
    return "%d %s%s" % (number, word, "" if number == 1 else "s")


def _file(beat: str) -> str:
    return beat.rpartition("#")[0]


def _name(beat: str) -> str:
    return beat.rpartition("#")[2]


def _changed(file: str) -> float | None:
    try:
        return os.stat(file).st_mtime
    except OSError:
        return None

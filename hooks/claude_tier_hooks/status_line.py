"""The status line: the user's own first, then ours; and the one local feed of plan windows.

Claude Code cancels a status line that is slow, so this reads sums only and scans no transcript.
Whatever fails, the user's own line is printed as it was.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
import time

from . import budget, decision, ledger, policy, project, state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .shapes import Json

WINDOWS = ("five_hour", "seven_day")
JITTER = 60  # seconds; the end of one window is not told to the second
SIGPIPE = 13
# An idle session repaints with what it last heard: only a later window, or more of the same, is
# news. A window that claims to end later than any can is not believed for long.
_KEEP_WINDOW = (
    "INSERT INTO plan_window (name, used, resets_at, at) VALUES (?1, ?2, ?3, ?4)"
    " ON CONFLICT DO UPDATE SET used = ?2, resets_at = ?3, at = ?4"
    " WHERE ?3 > resets_at + ?5 OR (?3 >= resets_at - ?5 AND ?2 > used)"
    " OR resets_at > ?4 + 8 * 86400"
)


def run() -> None:
    """Read the status JSON on stdin, print the lines, end the process."""
    data = sys.stdin.buffer.read()
    lines = []
    try:
        event = json.loads(data.decode("utf-8", "replace"))
        rules = policy.load(project.root(_folder(event)))
        chained = (rules.get("status_line") or {}).get("chain")
        if chained:
            lines.append(_chained(chained, data))
        lines.append(_ours(event, rules))
    except Exception as fault:
        state.log_fault("status line", fault)
    sys.stdout.write("\n".join(line.rstrip("\n") for line in lines if line))
    sys.stdout.flush()
    os._exit(0)


def _folder(event: Json) -> str:
    workspace = event.get("workspace")
    named = workspace.get("current_dir") if isinstance(workspace, dict) else None
    return str(event.get("cwd") or named or os.getcwd())


def _chained(command: str, data: bytes) -> str:
    """What the user's own status line prints for the same input; "" when it cannot be run."""
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    actions = [
        (os.POSIX_SPAWN_DUP2, theirs_in, 0),
        (os.POSIX_SPAWN_DUP2, theirs_out, 1),
        *((os.POSIX_SPAWN_CLOSE, one) for one in (theirs_in, ours_out, ours_in, theirs_out)),
    ]
    child = os.posix_spawn(
        "/bin/sh",
        ["sh", "-c", command],
        os.environ,
        file_actions=actions,
        setsigdef=[SIGPIPE],  # Python ignores it, and a child would too
    )
    os.close(theirs_in)
    os.close(theirs_out)
    try:
        os.write(ours_out, data)
    except BrokenPipeError:
        data = b""  # a command that reads nothing
    os.close(ours_out)
    with os.fdopen(ours_in, "rb") as stream:
        said = stream.read()
    os.waitpid(child, 0)
    return said.decode("utf-8", "replace")


def _ours(event: Json, rules: Json) -> str:
    now = time.time()
    off = state.off_until(now)
    db = ledger.connect()
    _keep_windows(db, event.get("rate_limits"), now)
    session = ledger.known_id(db, str(event.get("session_id")))
    here = {"session": session, "project": _project(db, session, event)}
    parts = [_model(event), "today $%.2f" % _today(db, rules, now)]
    if off is not None:
        end = time.strftime(" until %H:%M", time.localtime(off)) if off < float("inf") else ""
        return "tier " + " · ".join([*parts, "off" + end])
    standings = [one for one in budget.standing(db, rules, here, now) if one["used"] is not None]
    if standings:
        tightest = max(standings, key=lambda one: (budget.LEVELS.index(one["level"]), one["used"]))
        text = "%s %s" % (tightest["budget"]["name"], decision.share(tightest))
        parts.append(text if tightest["level"] == "ok" else "%s %s" % (text, tightest["level"]))
    return "tier " + " · ".join(parts)


def _model(event: Json) -> str:
    model = event.get("model")
    named = model.get("id") if isinstance(model, dict) else None
    return policy.family(named) or str(named or "unknown")


def _project(db: sqlite3.Connection, session: int, event: Json) -> int:
    row = db.execute("SELECT project FROM session WHERE id = ?", (session,)).fetchone()
    return int(row[0]) if row else ledger.known_id(db, project.root(_folder(event)))


def _today(db: sqlite3.Connection, rules: Json, now: float) -> float:
    day = {"scope": {"kind": "user"}, "period": "day", "unit": "usd"}
    return budget.spent(db, day, budget.began(db, day, now, rules["week_start"]), {})[0]


def _figure(value: object) -> float | None:
    """NaN, Infinity and 400 digits are none."""
    return float(value) if isinstance(value, (int, float)) and 0 <= value < 1e15 else None


def _keep_windows(db: sqlite3.Connection, limits: object, now: float) -> None:
    """Keep what the plan's windows say; any part may be missing, and most change nothing."""
    for name in WINDOWS:
        window = limits.get(name) if isinstance(limits, dict) else None
        if not isinstance(window, dict):
            continue
        used, resets = _figure(window.get("used_percentage")), _figure(window.get("resets_at"))
        if used is None or resets is None:
            continue
        try:
            db.execute(_KEEP_WINDOW, (name, used, resets, now, JITTER))
        except sqlite3.OperationalError as fault:  # locked: the next update says it again
            state.log_fault("status line", fault)

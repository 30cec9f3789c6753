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

from . import (
    budget,
    chain,
    columns,
    decision,
    ledger,
    pace,
    policy,
    project,
    router_health,
    state,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .shapes import Json

    Part = tuple[int, str]

WINDOWS = {"five_hour": "5h", "seven_day": "7d"}
MARGIN = 4  # columns the client keeps free beside a status line (seen with 2.1.329)
JITTER = 60  # seconds; the end of one window is not told to the second
KEPT_SAMPLES = 8 * 86400  # seconds
# An idle session repaints with what it last heard: only a later window, or more of the same, is
# news. A window that claims to end later than any can is not believed for long.
_KEEP_WINDOW = (
    "INSERT INTO plan_window (name, used, resets_at, at) VALUES (?1, ?2, ?3, ?4)"
    " ON CONFLICT DO UPDATE SET used = ?2, resets_at = ?3, at = ?4"
    " WHERE ?3 > resets_at + ?5 OR (?3 >= resets_at - ?5 AND ?2 > used)"
    " OR resets_at > ?4 + 8 * 86400"
)
_KEEP_SAMPLE = "INSERT OR REPLACE INTO plan_sample (at, name, used, resets_at) VALUES (?, ?, ?, ?)"


def run() -> None:
    """Read the status JSON on stdin, print the lines, end the process."""
    end(answer(sys.stdin.buffer.read()))


def answer(data: bytes) -> str:
    """Their lines and ours; raises nothing."""
    event = parsed(data)
    rules = rules_for(event)
    lines = [theirs(rules, "status_line", data)]
    try:
        lines.append(_ours(event, rules))
    except Exception as fault:
        state.log_fault("status line", fault)
    return "\n".join(line.rstrip("\n") for line in lines if line)


def end(text: str) -> None:
    """Print that and end at once: an open ledger is left to the next checkpoint."""
    try:
        sys.stdout.buffer.write(text.encode("utf-8", "replace"))
        sys.stdout.flush()
    except OSError as fault:  # nobody reads any more
        state.log_fault("status line", fault)
    os._exit(0)


def parsed(data: bytes) -> Json:
    """The object on stdin; {} for anything else."""
    try:
        event = json.loads(data.decode("utf-8", "replace"))
    except (ValueError, RecursionError) as fault:
        state.log_fault("status line", fault)
        return {}
    return event if isinstance(event, dict) else {}


def rules_for(event: Json) -> Json:
    """The policy in that folder; {} when not even that can be read."""
    try:
        return policy.load(project.root(folder(event)))
    except Exception as fault:
        state.log_fault("status line", fault)
        return {}


def theirs(rules: Json, key: str, data: bytes) -> str:
    """What the user's own command prints; "" without one, or when it cannot be run."""
    try:
        command = chain.command(rules, key)
        return chain.said_by(command, data) if command else ""
    except Exception as fault:
        state.log_fault("status line", fault)
        return ""


def folder(event: Json) -> str:
    workspace = event.get("workspace")
    named = workspace.get("current_dir") if isinstance(workspace, dict) else None
    return str(event.get("cwd") or named or os.getcwd())


def room(event: Json) -> int | None:
    """The columns for our line, as the client tells them; None when it does not."""
    told = event.get("columns", os.environ.get("COLUMNS"))
    try:
        wide = int(told) if isinstance(told, (int, str)) else 0
    except ValueError:
        return None
    return max(0, wide - MARGIN) if wide > 0 else None


def _ours(event: Json, rules: Json) -> str:
    now = time.time()
    db = ledger.connect()
    _keep_windows(db, event.get("rate_limits"), now)
    parts = [(0, "tier " + columns.plain(_model(event)))]
    parts += _off(now) or _budgets(db, event, rules, now)
    on_plan = _known(event.get("rate_limits"))
    spent = "today $%.2f" % _today(db, rules, now)
    if on_plan:
        parts.append((9, spent + " list price"))
    else:
        parts.insert(1, (3, spent))
    parts += [*_heartbeat(db, now), *_router(db, event, rules, now)]
    return columns.fit(parts, room(event))


def _heartbeat(db: sqlite3.Connection, now: float) -> list[Part]:
    """Only where there are beats and something is wrong with them."""
    if not os.path.exists(state.path("heartbeat", "files.json")):
        return []
    from . import liveness

    found = liveness.standing(db, now)
    wrong = liveness.said(found) if found else ""
    return [(3, "heartbeat " + wrong)] if wrong else []


def _router(db: sqlite3.Connection, event: Json, rules: Json, now: float) -> list[Part]:
    """What the router does not ask; a session can do without it first, and without why before."""
    session = ledger.known_id(db, str(event.get("session_id")))
    found = router_health.query(db, rules, _project(db, session, event), now)
    return list(enumerate(router_health.words(found, now), 10))


def _off(now: float) -> list[Part]:
    off = state.off_until(now)
    if off is None:
        return []
    return [(1, "off" + (" until " + pace.moment(off, now) if off < float("inf") else ""))]


def _budgets(db: sqlite3.Connection, event: Json, rules: Json, now: float) -> list[Part]:
    """Plan windows, the tightest budget beside them, and how long the tighter of all lasts."""
    session = ledger.known_id(db, str(event.get("session_id")))
    here = {"session": session, "project": _project(db, session, event)}
    found = [one for one in budget.standing(db, rules, here, now) if one["used"] is not None]
    shown = [(name, one) for name, one in _plan(db, event, found, now)]
    others = [one for one in found if all(one is not each for _, each in shown)]
    if others:
        tightest = max(others, key=_tightness)
        shown.append((tightest["budget"]["name"], tightest))
    worst = max((one for _, one in shown), key=_tightness, default=None)
    parts: list[Part] = []
    for name, one in shown:
        rank = 1 if one is worst else 2
        text = "%s %s" % (columns.plain(name), _percent(one))
        parts.append((rank, text if one["level"] == "ok" else "%s %s" % (text, one["level"])))
        lasts = _lasts(one, pace.forecast(db, one, here, now), now) if one is worst else ""
        if lasts:
            parts.append((4, lasts))
    return parts


def _tightness(one: Json) -> tuple[int, float]:
    return budget.LEVELS.index(one["level"]), one["used"]


def _known(limits: object) -> bool:
    """Whether this is a subscriber's session: only those are told of windows."""
    found = limits if isinstance(limits, dict) else {}
    return any(isinstance(found.get(name), dict) for name in WINDOWS)


def _plan(
    db: sqlite3.Connection, event: Json, found: list[Json], now: float
) -> list[tuple[str, Json]]:
    """Each window of a subscriber's plan, at the level of the budget over it."""
    if not _known(event.get("rate_limits")):
        return []
    windows = []
    for window in pace.windows(db, now):
        period = window["budget"]["period"]
        own = [one for one in found if one["budget"]["period"] == period and _of_plan(one)]
        if window["used"] is not None:
            windows.append((WINDOWS[period], max(own, key=_tightness) if own else window))
    return windows


def _of_plan(one: Json) -> bool:
    return bool(one["budget"]["unit"] == "plan_percent")


def _percent(one: Json) -> str:
    """The share of a budget that is used; of a plan window what the plan itself says."""
    return "%d %%" % int(one["amount"] + 1e-9) if _of_plan(one) else decision.share(one)


def _lasts(one: Json, found: Json, now: float) -> str:
    """The hour it is full (100 % at 14:30) when it will not last, else its pace (pace 0.7x)."""
    stop = found["hits"]["stop"]
    if stop["at"] is not None:
        percent = stop["share"] * (one["budget"]["limit"] if _of_plan(one) else 100)
        return ", %.0f %% at %s" % (percent, pace.moment(stop["at"], now))
    if found["pace"] is None or stop["state"] == pace.REACHED:
        return ""
    return ", pace %.1fx" % found["pace"]


def _model(event: Json) -> str:
    model = event.get("model")
    named = model.get("id") if isinstance(model, dict) else None
    return policy.family(named) or str(named or "unknown")


def _project(db: sqlite3.Connection, session: int, event: Json) -> int:
    row = db.execute("SELECT project FROM session WHERE id = ?", (session,)).fetchone()
    return int(row[0]) if row else ledger.known_id(db, project.root(folder(event)))


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
        if used is None or resets is None or _is_kept(db, name, used, resets):
            continue
        try:
            with ledger.Writing(db):
                _keep_window(db, name, used, resets, now)
        except sqlite3.OperationalError as fault:  # locked: the next update says it again
            state.log_fault("status line", fault)


def _is_kept(db: sqlite3.Connection, name: str, used: float, resets: float) -> bool:
    """Whether this is no news: most updates are not, and then no lock is taken."""
    query = "SELECT used, resets_at FROM plan_window WHERE name = ?"
    row = db.execute(query, (name,)).fetchone()
    return row is not None and row[0] >= used and abs(row[1] - resets) <= JITTER


def _keep_window(db: sqlite3.Connection, name: str, used: float, resets: float, now: float) -> None:
    """The figure, and where it changed its history."""
    if db.execute(_KEEP_WINDOW, (name, used, resets, now, JITTER)).rowcount > 0:
        db.execute(_KEEP_SAMPLE, (now, name, used, resets))
        db.execute("DELETE FROM plan_sample WHERE at < ?", (now - KEPT_SAMPLES,))

"""How fast a budget is being used, and when it reaches its levels if that goes on.

Times are epoch seconds, rates are dollars, tokens or plan percent per hour. What nobody knows is
None. Pace is the used share over the elapsed share of the period: above 1 it will not last.
"""

from __future__ import annotations

import time

from . import budget, ledger

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3

    from .shapes import Json

HOUR, DAY = 3600, 86400
# What the present pace is measured over.
LOOKBACK = {"session": HOUR, "day": HOUR, "five_hour": HOUR,
            "week": DAY, "month": DAY, "seven_day": DAY}  # fmt: skip
SHORTEST = 60  # seconds; over less than that a rate says nothing
COARSE = 900  # seconds; plan windows come in whole percents
FARTHEST = 30 * DAY  # a forecast without the end of a period to stop it
LEVELS = ("warn", "cap", "stop")
REACHED, EXPECTED, RESET, NEVER, UNKNOWN = (
    "reached", "expected", "not_before_reset", "not_at_this_pace", "unknown",
)  # fmt: skip
PLAN_WINDOWS = [
    {"name": name, "scope": {"kind": "user"}, "period": name, "unit": "plan_percent",
     "limit": 100.0, "warn": 0.8, "recover": 0.85, "cap": 0.9, "stop": 1.0}
    for name in budget.WINDOWS
]  # fmt: skip


def windows(db: sqlite3.Connection, now: float) -> list[Json]:
    """The standing of each plan window as if a budget of all of it were set."""
    rules = {"budgets": PLAN_WINDOWS, "week_start": 0}
    return budget.standing(db, rules, {}, now)


def forecast(db: sqlite3.Connection, standing: Json, here: Json, now: float) -> Json:
    """What becomes of a budget at its present pace, from its standing (`budget.standing`).

    `elapsed` and `pace` are None where the period has no end: a session, a window that rolls.
    `hits` has for warn, cap and stop the `share`, the `state` and, where that is `expected`, the
    time `at` it is reached. `method` says what `rate` was measured over, `seconds` how long.
    """
    what, used, since = standing["budget"], standing["used"], standing["since"]
    made: Json = {
        "used": used, "elapsed": None, "pace": None, "rate": None, "seconds": None,
        "method": None, "since": None, "until": None,
        "hits": {each: {"share": what[each], "at": None, "state": UNKNOWN} for each in LEVELS},
    }  # fmt: skip
    if used is None or _elsewhere(what, here):
        return made
    rolls = _rolls(what, since, now)
    until = None if rolls else budget.reset_at(what, since, now)
    made.update(since=since or None, until=until)
    if until is not None:
        made["elapsed"] = (now - since) / (until - since)
        made["pace"] = used / made["elapsed"] if now - since >= SHORTEST else None
    measured = _measured(db, standing, here, now)
    if measured:
        made.update(zip(("rate", "seconds", "method"), measured))
    drops = _drops(db, what, here, now) if rolls and measured else []
    for hit in made["hits"].values():
        if used >= hit["share"] - 1e-12:
            hit["state"] = REACHED
        elif measured:
            room = hit["share"] * what["limit"] - standing["amount"]
            hit.update(_expected(_at(room, measured[0], now, drops), until, now))
    return made


def _expected(at: float | None, until: float | None, now: float) -> Json:
    """A hit after the period's end is none."""
    end = now + FARTHEST if until is None else until
    if at is not None and at < end:
        return {"at": at, "state": EXPECTED}
    return {"at": None, "state": NEVER if until is None else RESET}


def moment(at: float, now: float) -> str:
    """A time to come, as short as it is clear: 14:30, Tue 14:30, Dec 02."""
    local, today = time.localtime(at), time.localtime(now)
    if local[:3] == today[:3]:
        return time.strftime("%H:%M", local)
    return time.strftime("%a %H:%M" if at - now < 6 * DAY else "%b %d", local)


def _of_session(what: Json) -> bool:
    return "session" in (what["scope"]["kind"], what["period"])


def _elsewhere(what: Json, here: Json) -> bool:
    """Each session has its own, and there is none here."""
    return _of_session(what) and (here.get("session") or -1) < 0


def _rolls(what: Json, since: float, now: float) -> bool:
    length = budget.WINDOWS.get(what["period"])
    return length is not None and abs(since + length - now) < 1


def _measured(
    db: sqlite3.Connection, standing: Json, here: Json, now: float
) -> tuple[float, float, str] | None:
    """(rate per hour, seconds it was measured over, what these are)."""
    what, since = standing["budget"], standing["since"]
    if what["unit"] == "plan_percent":
        begin, gone = _reported(db, standing, now)
        text = "reported"
    else:
        begin = _beginning(db, what, since, here, now)
        gone, text = budget.spent(db, what, begin, here)[0], "used"
    seconds = now - begin
    if seconds < SHORTEST:
        return None
    text += (" since it began, %s ago" if begin <= since else " in the last %s") % _length(seconds)
    return max(0.0, gone) * HOUR / seconds, seconds, text


def _length(seconds: float) -> str:
    minutes = int(seconds // 60)
    return "%d min" % minutes if minutes < 120 else "%.0f h" % (seconds / HOUR)


def _beginning(db: sqlite3.Connection, what: Json, since: float, here: Json, now: float) -> float:
    """Where the present pace is measured from: a quarter hour's start, as the sums are."""
    begin = max(since, now - LOOKBACK[what["period"]])
    if _of_session(what):
        query = "SELECT started FROM session WHERE id = ?"
        row = db.execute(query, (here.get("session"),)).fetchone()
        begin = max(begin, row[0] or 0.0) if row else begin
    return float(begin // ledger.BUCKET * ledger.BUCKET)


def _reported(db: sqlite3.Connection, standing: Json, now: float) -> tuple[float, float]:
    """(from when, percent used since then): of the last while, else since the window began."""
    name, amount, began = standing["budget"]["period"], standing["amount"], standing["since"]
    back = now - LOOKBACK[name]
    if back <= began:
        return began, amount
    resets = began + budget.WINDOWS[name]
    query = "SELECT at, used FROM plan_sample WHERE at %s ? AND name = ?"
    query += " AND abs(resets_at - ?) < ? ORDER BY at %s LIMIT 1"
    values = (name, resets, budget.JITTER)
    row = db.execute(query % ("<=", "DESC"), (back, *values)).fetchone()
    if row:  # a figure holds until the next
        return back, amount - row[1]
    row = db.execute(query % (">", ""), (back, *values)).fetchone()
    if row and now - row[0] >= COARSE:
        return row[0], amount - row[1]
    return began, amount


def _drops(db: sqlite3.Connection, what: Json, here: Json, now: float) -> list[tuple[float, float]]:
    """When each quarter hour in a window that rolls leaves it, and how much leaves with it."""
    length = budget.WINDOWS[what["period"]]
    sums = budget.by_quarter(db, what, now - length, here)
    first, last = int((now - length) // ledger.BUCKET), int(now // ledger.BUCKET)
    return [((n + 1) * ledger.BUCKET + length, sums.get(n, 0.0)) for n in range(first, last + 1)]


def _at(room: float, rate: float, now: float, drops: list[tuple[float, float]]) -> float | None:
    """When that much more is used at that rate; with `drops`, what leaves the window makes room."""
    if rate <= 0:
        return None
    for leaves, amount in drops:
        at = now + room / rate * HOUR
        if at < leaves:
            return at
        room += amount
    return None if drops else now + room / rate * HOUR

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

    Measured = tuple[float, float, str]
    Drop = tuple[float, float]

HOUR, DAY = 3600, 86400
# What the present pace is measured over.
LOOKBACK = {"session": HOUR, "day": HOUR, "five_hour": HOUR,
            "week": DAY, "month": DAY, "seven_day": DAY}  # fmt: skip
SHORTEST = 60  # seconds; over less than that a rate says nothing
COARSE = 900  # seconds; plan windows come in whole percents
BEYOND = "; beyond 24 h: "  # between two methods
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
    time `at` it is reached. `rate` is the one behind the next level, `method` says what it was
    measured over, `seconds` how long. A week or month that the last hour would bring to a level
    within 24 h is reckoned at that hour's rate so far.
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
    rates = _rates(db, standing, here, now)
    drops = _drops(db, what, here, now) if rolls and rates else []
    if rates:
        made.update(zip(("rate", "seconds", "method"), _told(rates, standing, now, drops)))
    for hit in made["hits"].values():
        if used >= hit["share"] - 1e-12:
            hit["state"] = REACHED
        elif rates:
            room = hit["share"] * what["limit"] - standing["amount"]
            hit.update(_expected(_first(room, rates, now, drops), until, now))
    return made


def _rates(db: sqlite3.Connection, standing: Json, here: Json, now: float) -> list[Measured]:
    """What it goes on at; before that, where the last hour was faster, what holds for a day.

    Without the second a week with $1 left would outlast a day with $1 left.
    """
    what = standing["budget"]
    long = LOOKBACK[what["period"]]
    found = _measured(db, standing, here, now, long)
    if found is None or long <= HOUR or what["unit"] == "plan_percent":
        return [found] if found else []
    recent = _measured(db, standing, here, now, HOUR)
    return [recent, found] if recent and recent[0] > found[0] else [found]


def _first(room: float, rates: list[Measured], now: float, drops: list[Drop]) -> float | None:
    """When that much more is used: at the recent rate within a day, else at the long one."""
    at = None
    for rate, _, _ in rates:
        at = _at(room, rate, now, drops)
        if at is not None and at - now <= DAY:
            break
    return at


def _told(rates: list[Measured], standing: Json, now: float, drops: list[Drop]) -> Measured:
    """The rate behind the next level."""
    what = standing["budget"]
    ahead = [what[level] for level in LEVELS if standing["used"] < what[level] - 1e-12]
    (rate, seconds, text), last = rates[0], rates[-1]
    room = min(ahead, default=0.0) * what["limit"] - standing["amount"]
    at = _at(room, rate, now, drops) if ahead else None
    if len(rates) == 1 or at is None or at - now > DAY:
        return last
    return rate, seconds, text + BEYOND + last[2]


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
    db: sqlite3.Connection, standing: Json, here: Json, now: float, lookback: int
) -> Measured | None:
    """(rate per hour, seconds it was measured over, what these are)."""
    what, since = standing["budget"], standing["since"]
    if what["unit"] == "plan_percent":
        begin, gone = _reported(db, standing, now)
        text = "reported"
    else:
        begin, since = _beginning(db, what, since, here, now - lookback)
        gone, text = budget.spent(db, what, begin, here)[0], "used"
    seconds = now - begin
    if seconds < SHORTEST:
        return None
    text += " since it began, %s ago" if begin <= since else " in the last %s"
    return max(0.0, gone) * HOUR / seconds, seconds, text % length(seconds)


def length(seconds: float) -> str:
    """73 min, 24 h."""
    minutes = int(seconds // 60)
    return "%d min" % minutes if minutes < 120 else "%.0f h" % (seconds / HOUR)


def _beginning(
    db: sqlite3.Connection, what: Json, since: float, here: Json, back: float
) -> tuple[float, float]:
    """(where the rate is measured from, where the period or session began).

    A quarter hour's start, as the sums are; but of a session nothing is older than its start.
    """
    if _of_session(what):
        query = "SELECT started FROM session WHERE id = ?"
        row = db.execute(query, (here.get("session"),)).fetchone()
        started = float(row[0] or 0.0) if row else 0.0
        if started >= max(since, back):
            return started, started
    begin = max(since, back)
    return float(begin // ledger.BUCKET * ledger.BUCKET), since


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


def _drops(db: sqlite3.Connection, what: Json, here: Json, now: float) -> list[Drop]:
    """When each quarter hour in a window that rolls leaves it, and how much leaves with it."""
    length = budget.WINDOWS[what["period"]]
    sums = budget.by_quarter(db, what, now - length, here)
    first, last = int((now - length) // ledger.BUCKET), int(now // ledger.BUCKET)
    return [((n + 1) * ledger.BUCKET + length, sums.get(n, 0.0)) for n in range(first, last + 1)]


def _at(room: float, rate: float, now: float, drops: list[Drop]) -> float | None:
    """When that much more is used at that rate; with `drops`, what leaves the window makes room."""
    if rate <= 0:
        return None
    for leaves, amount in drops:
        at = now + room / rate * HOUR
        if at < leaves:
            return at
        room += amount
    return None if drops else now + room / rate * HOUR

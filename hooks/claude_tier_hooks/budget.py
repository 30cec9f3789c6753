"""Sums against limits: what each budget says now.

Times are epoch seconds; days, weeks and months are the user's local ones. Reserved spending counts
at the gate but is not remembered, since it may never be spent.
"""

from __future__ import annotations

import time
import zlib

from . import ledger

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3

    from .shapes import Json

LEVELS = ("ok", "warn", "cap", "stop")
WINDOWS = {"five_hour": 5 * 3600, "seven_day": 7 * 86400}
JITTER = 600
SILENT = 3600  # seconds without a response after which a run is over in any case
RUNS = 20  # finished runs of a type whose median is reserved for the next
# Reserved for a type that never ran: a short run as seen in the client, priced at its model.
FIRST_RUN = {
    "input": 2_000,
    "output": 4_000,
    "cache_read": 150_000,
    "cache_write_5m": 25_000,
    "cache_write_1h": 0,
}
_FAR = 1 << 40
_UNPRICED = "coalesce(sum(unpriced_requests), 0)"
_BUCKET_COLUMNS = {
    "usd": "coalesce(sum(usd), 0.0), " + _UNPRICED,
    "tokens": "coalesce(sum(%s), 0), %s" % (" + ".join(ledger.KINDS[:5]), _UNPRICED),
}
_SPAN_COLUMNS = {
    "usd": "coalesce(sum(usd), 0.0), " + _UNPRICED,
    "tokens": "coalesce(sum(tokens), 0), " + _UNPRICED,
}


def period_start(period: str, now: float, week_start: int = 0) -> float:
    """When the current day, week or month began, in local time; a day may have 23 to 25 hours."""
    local = time.localtime(now)
    day = {"day": local.tm_mday, "month": 1}.get(period)
    if day is None:
        day = local.tm_mday - (local.tm_wday - week_start) % 7
    return _first_moment(local.tm_year, local.tm_mon, day)


def _first_moment(year: int, month: int, day: int) -> float:
    """Of a local day, whose midnight the clock may skip or strike twice; `day` may be below 1."""
    date = time.localtime(time.mktime((year, month, day, 12, 0, 0, 0, 0, -1)))[:3]
    at = time.mktime((year, month, day, 0, 0, 0, 0, 0, -1))
    while time.localtime(at)[:3] < date:
        at += ledger.BUCKET
    while time.localtime(at - 1)[:3] >= date:
        at -= ledger.BUCKET
    return at


def began(db: sqlite3.Connection, budget: Json, now: float, week_start: int) -> float:
    """The start of the budget's current period; 0 for a whole session."""
    period = budget["period"]
    if period == "session":
        return 0.0
    if period not in WINDOWS:
        return period_start(period, now, week_start)
    window = _window(db, period, now)
    return (window[1] if window else now) - WINDOWS[period]


def _window(db: sqlite3.Connection, name: str, now: float) -> tuple[float, float] | None:
    """(percent used, resets at) of a plan window; None once it was reset and nothing newer came."""
    found: tuple[float, float] | None = db.execute(
        "SELECT used, resets_at FROM plan_window WHERE name = ? AND resets_at > ?", (name, now)
    ).fetchone()
    return found


def spent(db: sqlite3.Connection, budget: Json, since: float, here: Json) -> tuple[float, int]:
    """(dollars or tokens in the budget's scope from `since` on, requests without a price).

    What is unlisted counts. A dollar budget cannot see what has no price, so that is told beside.
    """
    by_session = budget["scope"]["kind"] == "session" or budget["period"] == "session"
    where, values = _scope(db, budget, here)
    if by_session:
        columns = _BUCKET_COLUMNS[budget["unit"]]
        query = "SELECT %s FROM bucket WHERE start >= ?%s" % (columns, where)
        row = db.execute(query, (int(since // ledger.BUCKET), *values)).fetchone()
        return row[0], row[1]
    quarter, day = ledger.SPANS
    midnight = int(-(-since // day))
    columns = _SPAN_COLUMNS[budget["unit"]]
    query = "SELECT %s FROM span WHERE length = ? AND start >= ? AND start < ?%s" % (columns, where)
    ends = (int(since // quarter), midnight * (day // quarter))
    ragged = db.execute(query, (quarter, *ends, *values)).fetchone()
    whole = db.execute(query, (day, midnight, _FAR, *values)).fetchone()
    return ragged[0] + whole[0], ragged[1] + whole[1]


def by_quarter(db: sqlite3.Connection, budget: Json, since: float, here: Json) -> dict[int, float]:
    """Dollars or tokens of each quarter hour from `since` on, in the budget's scope."""
    where, values = _scope(db, budget, here)
    of_session = budget["scope"]["kind"] == "session" or budget["period"] == "session"
    columns = (_BUCKET_COLUMNS if of_session else _SPAN_COLUMNS)[budget["unit"]]
    query = "SELECT start, %s FROM bucket WHERE start >= ?%s GROUP BY start"
    first: tuple[int, ...] = (int(since // ledger.BUCKET),)
    if not of_session:
        query = "SELECT start, %s FROM span WHERE length = ? AND start >= ?%s GROUP BY start"
        first = (ledger.BUCKET, *first)
    return {row[0]: row[1] for row in db.execute(query % (columns, where), (*first, *values))}


def reserved(db: sqlite3.Connection, budget: Json, now: float, here: Json) -> float:
    """What running subagents are expected to spend yet, in the budget's scope."""
    where, values = _scope(db, budget, here)
    unit = "usd" if budget["unit"] == "usd" else "tokens"
    so_far = (
        "(SELECT max(run.%s) FROM run WHERE run.session = reservation.session"
        " AND (run.agent_id = reservation.agent_id"
        " OR run.tool_use_id = reservation.tool_use_id))" % unit
    )
    query = "SELECT coalesce(sum(max(0, %s - coalesce(%s, 0))), 0)" % (unit, so_far)
    query += " FROM reservation WHERE expires > ?" + where
    return float(db.execute(query, (now, *values)).fetchone()[0])


def _scope(db: sqlite3.Connection, budget: Json, here: Json) -> tuple[str, list[int]]:
    """The condition of a budget's scope and period on a table with session, project and agent."""
    kind, name = budget["scope"]["kind"], budget["scope"].get("name")
    where, values = "", []
    if kind == "session" or budget["period"] == "session":
        where, values = " AND session = ?", [here.get("session") or -1]
    if kind == "project":
        where, values = where + " AND project = ?", [*values, here.get("project") or -1]
    if kind == "agent":
        numbers = [ledger.known_id(db, name), ledger.known_id(db, "model-tier:" + name)]
        where, values = where + " AND agent IN (?, ?)", [*values, *numbers]
    return where, values


def _scope_key(budget: Json, here: Json) -> str:
    kind = budget["scope"]["kind"]
    if kind == "session" or budget["period"] == "session":
        return "session:%s" % here.get("session")
    return "project:%s" % here.get("project") if kind == "project" else kind


def threshold(budget: Json, used: float) -> str:
    """The level a share of the limit stands for, without memory."""
    for level in ("stop", "cap", "warn"):
        if used >= budget[level] - 1e-12:
            return level
    return "ok"


def remembered(budget: Json, used: float, before: str | None) -> str:
    """cap and stop hold until the figure falls below `recover`; then thresholds apply afresh."""
    now = threshold(budget, used)
    if before in ("cap", "stop") and used >= budget["recover"]:
        return max(now, before, key=LEVELS.index)
    return now


def fingerprint(budget: Json) -> int:
    """Changes with anything in the budget's definition, and so clears its level."""
    return zlib.crc32(repr(sorted((k, repr(v)) for k, v in budget.items())).encode())


def standing(
    db: sqlite3.Connection,
    policy: Json,
    here: Json,
    now: float,
    *,
    remember: bool = False,
    waiting: tuple[float, int] = (0.0, 0),
) -> list[Json]:
    """Every budget: its figures, its level, and the level at the gate (with what is reserved).

    `here` is {session, project} as ledger numbers. `used` is a share of the limit, None when not
    known (a plan window nobody reported). With `remember` the levels are kept: the caller holds
    the transaction. `waiting` is what the spool holds back, in dollars and tokens.
    """
    found = [_one(db, policy, budget, here, now, remember) for budget in policy["budgets"]]
    for one in found if any(waiting) else ():
        _hold_more(one, waiting)
    return found


def _hold_more(one: Json, waiting: tuple[float, int]) -> None:
    if one["used"] is None or one["budget"]["unit"] == "plan_percent":
        return
    one["reserved"] += waiting[0] if one["budget"]["unit"] == "usd" else waiting[1]
    used = one["used"] + one["reserved"] / one["budget"]["limit"]
    one["gate"] = max(one["gate"], threshold(one["budget"], used), key=LEVELS.index)


def _one(
    db: sqlite3.Connection, policy: Json, budget: Json, here: Json, now: float, remember: bool
) -> Json:
    since = began(db, budget, now, policy["week_start"])
    found = {
        "budget": budget,
        "since": since,
        "used": None,
        "level": "ok",
        "gate": "ok",
        "unpriced": 0,
    }
    if budget["unit"] == "plan_percent":
        window = _window(db, budget["period"], now)
        if window is None:
            return found
        amount, held = window[0], 0.0
    else:
        amount, blind = spent(db, budget, since, here)
        held = reserved(db, budget, now, here)
        found["unpriced"] = blind if budget["unit"] == "usd" else 0
    used = amount / budget["limit"]
    rolls = budget["period"] in WINDOWS and _window(db, budget["period"], now) is None
    period = 0.0 if rolls else since
    before = _before(db, budget, period, here)
    level = remembered(budget, used, before)
    found.update(amount=amount, reserved=held, used=used, level=level)
    found["gate"] = max(level, threshold(budget, used + held / budget["limit"]), key=LEVELS.index)
    if remember and level != before:
        db.execute(
            "INSERT OR REPLACE INTO level (budget, scope, period, fingerprint, level, at)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (budget["name"], _scope_key(budget, here), period, fingerprint(budget), level, now),
        )
    return found


def _before(db: sqlite3.Connection, budget: Json, period: float, here: Json) -> str | None:
    """The level kept for this period of this very budget; a rolling window's is period 0."""
    row = db.execute(
        "SELECT level, period, fingerprint FROM level WHERE budget = ? AND scope = ?",
        (budget["name"], _scope_key(budget, here)),
    ).fetchone()
    if row is None or row[2] != fingerprint(budget):
        return None
    # The plan reports the end of one window with some seconds' difference.
    return row[0] if abs(row[1] - period) < JITTER else None


def typical(db: sqlite3.Connection, agent: int, now: float) -> tuple[float, int] | None:
    """(dollars, tokens): the median of that type's last runs; None when it never ran.

    A run nobody saw the end of, from before the hooks were there say, is over after a while.
    """
    rows = db.execute(
        "SELECT usd, tokens FROM run WHERE agent = ? AND tokens > 0"
        " AND (ended IS NOT NULL OR last < ?) ORDER BY last DESC LIMIT ?",
        (agent, now - SILENT, RUNS),
    ).fetchall()
    if not rows:
        return None
    return tuple(sorted(column)[(len(rows) - 1) // 2] for column in zip(*rows))


def reset_at(budget: Json, since: float, now: float) -> float | None:
    """When the period ends; None for a session and for a window that rolls."""
    period = budget["period"]
    if period == "session":
        return None
    if period in WINDOWS:
        return since + WINDOWS[period] if since + WINDOWS[period] > now else None
    days = {"day": 1, "week": 7, "month": 32}[period]
    local = time.localtime(since + days * 86400 + 7200)
    day = 1 if period == "month" else local.tm_mday
    return time.mktime((local.tm_year, local.tm_mon, day, 0, 0, 0, 0, 0, -1))

"""Emergency mode: why the router asks nothing but models on this machine, and how that ends.

It is on by hand, by configuration, while a budget is at `stop`, or while every paid target is
cooling. Each of these is {reason, since, until, ends}: `until` is None where no time is known,
`ends` is what ends it.
"""

from __future__ import annotations

import os

from . import budget, cooldowns, state

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from .shapes import Json

SWITCH = "emergency"  # the file of the mode as far as it is on by hand
BY_HAND = "switched on by hand"
OFF = "claude-tier emergency off"
PLAN = "plan_percent"


def standing(db: sqlite3.Connection | None, rules: Json, project: int, now: float) -> Json | None:
    """What is on for every request from that project, by its number in the ledger; else None.

    Without a ledger no budget is known, and none holds.
    """
    return by_hand(now) or _configured(rules) or (_spent(db, rules, project, now) if db else None)


def by_hand(now: float) -> Json | None:
    """The switch, as long as it holds; `since` is None where the file does not tell.

    A file that cannot be read is on: whoever made it wants nothing to leave.
    """
    file = state.path(SWITCH)
    switch = state.read_json(file)
    if switch is None and not os.path.lexists(file):
        return None
    since, until = (_time((switch or {}).get(name)) for name in ("since", "until"))
    if until is not None and until <= now:
        return None
    return _mode(BY_HAND, since, until, OFF)


def stopped(
    db: sqlite3.Connection, rules: Json, project: int, now: float, *, plan: bool
) -> Iterator[Json]:
    """The user's and that project's budgets at `stop`; none while `claude-tier off` holds.

    With `plan` those on a window of the plan, which nobody but `claude` itself uses; else all
    others. What is one session's or one agent's own says nothing about the router.
    """
    if state.off_until(now) is not None:
        return iter(())
    wanted = [
        one
        for one in rules["budgets"]
        if one["scope"]["kind"] in ("user", "project")
        and one["period"] != "session"
        and (one["unit"] == PLAN) is plan
    ]
    here = {"session": -1, "project": project}
    found = budget.standing(db, dict(rules, budgets=wanted), here, now)
    return (one for one in found if one["level"] == "stop")


def of_cooling(rows: list[Json]) -> Json:
    """Every paid target is kept out by these; it ends with the first that is not."""
    names = dict.fromkeys(cooldowns.what(row["provider"], row["model"]) for row in rows)
    ends = [row["until"] for row in rows if row["until"] is not None]
    return _mode(
        "every paid target is cooling (%s)" % ", ".join(names),
        min(row["since"] for row in rows),
        min(ends, default=None),
        "claude-tier cooldown clear",
    )


def cooling(db: sqlite3.Connection, rules: Json, rows: list[Json], now: float) -> Json | None:
    """While all that is paid among the configured targets is kept out, as far as `rows` tell.

    Requests look at their own targets and at the key in use. What a screen can know without a key
    is the newest failure of each, and that nothing has answered there since.
    """
    kept = []
    for provider, model in rules["router"]["paid"]:
        row = _newest(rows, provider, model, now)
        if row is None or _has_answered(db, provider + "/" + model, row["last"]):
            return None
        kept.append(row)
    return of_cooling(kept) if kept else None


def way_out(ends: str) -> str:
    """What ends it, as it stands in a sentence: a command, or an edit, which is none."""
    return "`%s`" % ends if ends.startswith("claude-tier ") else "setting " + ends


def _configured(rules: Json) -> Json | None:
    if not rules["router"]["local_only"]:
        return None
    edit = "router: {local_only: false} in config.yaml"
    return _mode("router.local_only is set", None, None, edit)


def _spent(db: sqlite3.Connection, rules: Json, project: int, now: float) -> Json | None:
    for one in stopped(db, rules, project, now, plan=False):
        what, since = one["budget"], one["since"]
        reason = "the budget %s is used up" % what["name"]
        until = budget.reset_at(what, since, now)
        return _mode(reason, since, until, "claude-tier off --for 1h")
    return None


def _mode(reason: str, since: float | None, until: float | None, ends: str) -> Json:
    return {"reason": reason, "since": since, "until": until, "ends": ends}


def _newest(rows: list[Json], provider: str, model: str, now: float) -> Json | None:
    """The last failure that keeps that target out; a wrong name is no emergency."""
    found = [
        row
        for row in rows
        if row["provider"] == provider
        and row["model"] in (model, cooldowns.EVERY)
        and row["cause"] != "model"
        and cooldowns.keeps_out(row, now)
    ]
    return max(found, key=lambda row: row["last"], default=None)


def _has_answered(db: sqlite3.Connection, target: str, since: float) -> bool:
    """Whether a request that began later was answered there: under another key, then."""
    query = "SELECT 1 FROM exchange WHERE at > ? AND target = ? AND outcome = 'answered' LIMIT 1"
    return db.execute(query, (since, target)).fetchone() is not None


def _time(value: object) -> float | None:
    """A moment that a calendar knows; None for anything else in that file."""
    return float(value) if isinstance(value, (int, float)) and 0 <= value < 1e11 else None

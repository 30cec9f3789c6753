"""How the router is: what it keeps out after failures, and whether it asks this machine alone."""

from __future__ import annotations

import sqlite3

from . import columns, cooldowns, emergency, pace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .shapes import Json


def query(db: sqlite3.Connection, rules: Json, project: int, now: float) -> Json:
    """{cooldowns: rows as `cooldowns.listed` has them, emergency: as `emergency` has it or None}.

    `project` is the number in the ledger of the one whose budgets hold. Where no paid target is
    configured a budget keeps nothing from the router, and is shown as a budget alone.
    """
    rows = cooldowns.listed(db, now)
    books = db if rules["router"]["paid"] else None
    on = emergency.standing(books, rules, project, now) or emergency.cooling(db, rules, rows, now)
    return {"cooldowns": rows, "emergency": on}


def words(found: Json, now: float) -> list[str]:
    """What there is to say, in parts of which the last can be left out first.

    local only until 14:30 / , switched on by hand / , `claude-tier emergency off` ends it

    In emergency mode it does not matter what is cooling: nothing else is asked.
    """
    on = found["emergency"]
    if on:
        said = [on["reason"], emergency.way_out(on["ends"]) + " ends it"]
        return ["local only" + _until(on, now), *(", " + columns.plain(part) for part in said)]
    rows = (row for row in found["cooldowns"] if cooldowns.keeps_out(row, now))
    names = list(dict.fromkeys(columns.plain(row["provider"]) for row in rows))
    if len(names) > 1:
        return ["%d providers cooling" % len(names)]
    return ["%s cooling" % name for name in names]


def sentence(on: Json, now: float) -> str:
    """Emergency mode for somebody who may not know of it: what it does, why, and how it ends."""
    text = "emergency mode: the router asks only models on this machine (%s%s); %s ends it"
    until = "," + _until(on, now) if on["until"] else ""
    return text % (columns.plain(on["reason"]), until, emergency.way_out(on["ends"]))


def _until(on: Json, now: float) -> str:
    return " until " + pace.moment(on["until"], now) if on["until"] else ""

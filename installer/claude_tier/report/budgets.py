"""What each budget says now: the figures behind `status` and `budget check`."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass

from claude_tier_hooks import budget, ledger, project
from claude_tier_hooks.shapes import Json

from claude_tier.report import figures
from claude_tier.report.table import Column, render, wrapped

LEVELS = budget.LEVELS


@dataclass(frozen=True)
class Standing:
    """One budget. `used` and `share` are None where nobody knows: a plan window without figures,
    a session's budget outside of a session. `reserved` is what running subagents may still spend.
    """

    name: str
    scope: str
    period: str
    unit: str
    limit: float
    used: float | None
    share: float | None
    reserved: float
    level: str
    gate: str
    until: float | None
    ceiling: str
    on_stop: str
    unpriced_requests: int


def here(db: sqlite3.Connection, folder: str) -> Json:
    """This folder's project and, inside a session, that session; -1 for what has no rows yet."""
    session = os.environ.get("CLAUDE_CODE_SESSION_ID")
    return {
        "session": ledger.known_id(db, session) if session else -1,
        "project": ledger.known_id(db, project.root(folder)),
    }


def query(db: sqlite3.Connection, rules: Json, place: Json, now: float) -> tuple[Standing, ...]:
    """Every budget of the policy, as it stands in that project and session."""
    return tuple(_standing(one, place, now) for one in budget.standing(db, rules, place, now))


def _standing(found: Json, place: Json, now: float) -> Standing:
    what = found["budget"]
    kind, name = what["scope"]["kind"], what["scope"].get("name")
    known = found["used"] is not None and not (_of_session(what) and place["session"] == -1)
    return Standing(
        name=what["name"],
        scope=f"{kind} {name}" if name else kind,
        period=what["period"],
        unit=what["unit"],
        limit=what["limit"],
        used=found["amount"] if known else None,
        share=found["used"] if known else None,
        reserved=found.get("reserved", 0.0),
        level=found["level"],
        gate=found["gate"],
        until=budget.reset_at(what, found["since"], now) if known else None,
        ceiling=what["ceiling"],
        on_stop=what["on_stop"],
        unpriced_requests=found["unpriced"],
    )


def _of_session(what: Json) -> bool:
    return "session" in (what["scope"]["kind"], what["period"])


def fields(standings: Iterable[Standing]) -> list[dict[str, object]]:
    return [asdict(one) for one in standings]


def reached(standings: Iterable[Standing], level: str) -> list[Standing]:
    """The budgets at that level or above it."""
    least = LEVELS.index(level)
    return [one for one in standings if LEVELS.index(one.level) >= least]


def as_text(standings: Sequence[Standing], *, width: int) -> str:
    """The table of budgets, and what they cannot see."""
    columns = [
        Column("Budget"),
        Column("Used", figures=True),
        Column("Limit", figures=True),
        Column("Share", figures=True),
        Column("Level"),
        Column("Reserved", figures=True, spare=1),
        Column("Until", figures=True),
    ]
    rows = [_row(one) for one in standings]
    if not any(one.reserved for one in standings):
        del columns[5]
        rows = [[*row[:5], row[6]] for row in rows]
    table = render(columns, rows, width=width)
    notes = [effect for one in standings if (effect := _effect(one))]
    notes += [*_blind(standings), *_unknown(standings)]
    return "\n".join([table, *wrapped(notes, width)])


def _row(one: Standing) -> list[str]:
    held = figures.amount(one.reserved, one.unit) if one.reserved else ""
    return [
        one.name,
        figures.amount(one.used, one.unit),
        figures.amount(one.limit, one.unit),
        figures.share(one.share),
        one.level if one.share is not None else "",
        held,
        moment(one.until),
    ]


def moment(epoch: float | None) -> str:
    """A time within the next days: Sat 14:00."""
    return "" if epoch is None else time.strftime("%a %b %d %H:%M", time.localtime(epoch))


def _effect(one: Standing) -> str | None:
    """What a level does to new subagents."""
    if one.level == "cap":
        return f"{one.name}: new subagents run on {one.ceiling} at most."
    if one.level == "stop":
        what = {
            "deny": "no new subagents",
            "ask": "new subagents only with your consent",
            "lowest": "new subagents run on the lowest tier",
        }
        return f"{one.name}: {what[one.on_stop]}."
    return None


def _blind(standings: Iterable[Standing]) -> Iterator[str]:
    """Which budgets some requests are hidden from, in one line for the same requests."""
    hidden: dict[int, list[str]] = {}
    for one in standings:
        if one.unpriced_requests:
            hidden.setdefault(one.unpriced_requests, []).append(one.name)
    for number, names in hidden.items():
        of = figures.plural(number, "request")
        yield f"Hidden from {', '.join(names)}: {of} without a price (`claude-tier prices`)."


def _unknown(standings: Iterable[Standing]) -> Iterator[str]:
    """Why a figure is not known, once for all budgets with the same reason."""
    plan = "no session has reported that plan window since it began"
    reasons: dict[str, list[str]] = {}
    for one in standings:
        if one.share is None:
            reason = plan if one.unit == "plan_percent" else "each session has its own"
            reasons.setdefault(reason, []).append(one.name)
    for reason, names in reasons.items():
        yield f"Not known: {', '.join(names)} ({reason})."

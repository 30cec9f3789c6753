"""What the ledger holds of the past: decisions and their inputs, runs, responses, windows."""

from __future__ import annotations

import json
import sqlite3
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from claude_tier_hooks import ledger, replayable
from claude_tier_hooks.shapes import Json

from claude_tier.report.days import Span
from claude_tier.report.simulate.result import Verdict


class Past(NamedTuple):
    """A decision as it was made; numbers are those of `name`. `rules` and `facts` are None where
    they were not kept yet; `reconstructed` is one that nobody recorded.
    """

    at: float
    session: int
    project: int
    named: str
    tool_use_id: str
    tool: str
    agent: str
    agent_number: int
    would: str | None
    origin: str | None
    parent: str | None
    agent_id: str | None
    made: Verdict
    rules: Json | None
    facts: Json | None
    reconstructed: bool = False

    @property
    def approximate(self) -> bool:
        return self.rules is None or self.facts is None

    @property
    def told(self) -> Json:
        """What is known of its inputs beyond the columns."""
        return self.facts or {}

    def spawn(self) -> Json:
        """What `decide()` was told of it."""
        return replayable.spawn(self._asdict(), self.told)


class Run(NamedTuple):
    """One subagent's run; `ended` is None where nobody saw it end."""

    number: int
    session: int
    agent_id: str
    agent: int
    model: str | None
    tool_use_id: str | None
    ended: float | None
    last: float | None


class Response(NamedTuple):
    """One row of `usage`, or what the client charged beyond (`unlisted`)."""

    at: float
    session: int
    agent: int
    run: int | None
    model: int
    fast: int
    geo: str | None
    input: int
    output: int
    cache_read: int
    cache_write_5m: int
    cache_write_1h: int
    web_searches: int
    usd: float | None
    project: int
    host: int | None


_DECISIONS = (
    "SELECT d.at, d.session, coalesce(own.project, -1), coalesce(s.text, ''), d.tool_use_id,"
    " d.tool, coalesce(a.text, ''), coalesce(d.agent, -1), d.would, d.origin, d.parent, d.agent_id,"
    " d.action, d.set_tier, d.reason, d.budget, d.level, d.used, d.rules, d.facts"
    " FROM decision d LEFT JOIN name s ON s.id = d.session LEFT JOIN name a ON a.id = d.agent"
    " LEFT JOIN session own ON own.id = d.session"
    " WHERE d.at >= ? AND d.at < ? ORDER BY d.at, d.session, d.tool_use_id"
)


def decisions(db: sqlite3.Connection, span: Span) -> list[Past]:
    """The decisions of that span, oldest first."""
    texts = db.execute("SELECT id, text FROM rules").fetchall()
    rules = {number: one for number, text in texts if _whole(one := _object(text))}
    found = []
    for row in db.execute(_DECISIONS, ends(span)):
        made, (number, facts) = Verdict(*row[12:18]), row[18:]
        found.append(Past._make((*row[:12], made, rules.get(number), _object(facts), False)))
    return found


def _whole(rules: Json | None) -> bool:
    return rules is not None and set(replayable.RULES) <= set(rules)


def _object(text: str | None) -> Json | None:
    """The JSON object in a column; None for anything else, which a salvaged ledger may hold."""
    try:
        found = json.loads(text or "null")
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def ends(span: Span) -> tuple[float, float]:
    """Both ends of a span as numbers, infinite where it has none."""
    since, until = span
    return (
        float("-inf") if since is None else since,
        float("inf") if until is None else until,
    )


def runs(db: sqlite3.Connection) -> list[Run]:
    columns = "id, session, agent_id, agent, model, tool_use_id, ended, last"
    return [Run(*row) for row in db.execute(f"SELECT {columns} FROM run")]


def responses(db: sqlite3.Connection, span: Span) -> Iterator[Response]:
    """Everything that was used in that span, in the order of time."""
    kinds = ", ".join(f"u.{kind}" for kind in ledger.KINDS)
    main = ledger.known_id(db, ledger.MAIN)
    tail = "coalesce(s.project, -1), s.host FROM {} u LEFT JOIN session s ON s.id = u.session"
    where = " WHERE u.at >= ?1 AND u.at < ?2"
    query = (
        f"SELECT u.at, u.session, u.agent, u.run, u.model, u.fast, u.geo, {kinds}, u.usd,"
        f" {tail.format('usage')}{where} UNION ALL"
        f" SELECT u.at, u.session, {main}, NULL, u.model, 0, NULL, {kinds}, u.usd,"
        f" {tail.format('unlisted')}{where} ORDER BY 1"
    )
    return map(Response._make, db.execute(query, ends(span)))


def counted(db: sqlite3.Connection, span: Span) -> int:
    """How many responses there are to read, for the progress."""
    query = "SELECT count(*) FROM usage WHERE at >= ? AND at < ?"
    return int(db.execute(query, ends(span)).fetchone()[0])


class Windows:
    """What the plan said of its windows over time."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.samples: dict[str, list[tuple[float, float, float]]] = {}
        for at, name, used, resets in db.execute(
            "SELECT at, name, used, resets_at FROM plan_sample ORDER BY at"
        ):
            self.samples.setdefault(name, []).append((at, used, resets))

    def at(self, name: str, moment: float) -> tuple[float, float] | None:
        """(percent used, resets at) as known at that time; None once it was reset."""
        found = self.samples.get(name, [])
        place = bisect_right(found, moment, key=lambda one: one[0]) - 1
        if place < 0 or found[place][2] <= moment:
            return None
        return found[place][1:]

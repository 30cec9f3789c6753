"""What the monitor shows, read at one moment.

Sums come from what budgets sum (quarter hours and days), so that a look costs the same however
much the ledger holds; what the client charged without a transcript row is in them.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from claude_tier_hooks import backup, budget, ledger, liveness, project, refresh, state
from claude_tier_hooks.shapes import Json

from claude_tier.report import budgets, decisions, pace, sessions
from claude_tier.report.budgets import Standing
from claude_tier.report.decisions import Decision
from claude_tier.report.pace import Pace
from claude_tier.report.sessions import Session
from claude_tier.routing import health
from claude_tier.routing.health import RouterHealth

HOURS = 24
DECISIONS = 40  # more than the tallest terminal has room for
SILENT = budget.SILENT  # seconds without a word after which a subagent counts as ended


@dataclass(frozen=True)
class Spent:
    """From `since` (epoch seconds) on: dollars of what has a price, None where nothing has; tokens;
    requests without a price.
    """

    since: float
    usd: float | None
    tokens: int
    unpriced_requests: int


@dataclass(frozen=True)
class Working:
    """A session at work: its main model (None until it answered), and its dollars as in Spent."""

    session: Session
    model: str | None
    usd: float | None
    unpriced_requests: int

    def fields(self) -> dict[str, object]:
        own = {"model": self.model, "usd": self.usd, "unpriced_requests": self.unpriced_requests}
        return {**asdict(self.session), **own}


@dataclass(frozen=True)
class Run:
    """A subagent at work. `model` really answers (None until it did), `set` is the tier it was
    put on; `at` is its start where a decision tells it, `last` its newest answer.
    """

    agent: str
    session: str
    model: str | None
    set: str | None
    tokens: int
    at: float | None
    last: float | None


@dataclass(frozen=True)
class Health:
    """The ledger's file in bytes, what waits to be looked after, and mistakes in config files.

    `heartbeat` is None where nothing is to run.
    """

    bytes: int
    spooled: int
    damaged: tuple[str, ...]
    last_backup: str | None
    last_hook: float | None
    stale: bool
    mistakes: tuple[str, ...]
    heartbeat: Json | None = None


@dataclass(frozen=True)
class Snapshot:
    """Times are epoch seconds. `notice` says why the figures are not of this moment, if so."""

    at: float
    preset: str
    off_until: float | None
    budgets: tuple[Standing, ...]
    paces: tuple[Pace, ...]
    today: Spent
    hours: tuple[Spent, ...]
    sessions: tuple[Working, ...]
    runs: tuple[Run, ...]
    decisions: tuple[Decision, ...]
    health: Health
    router: RouterHealth
    notice: str | None = None

    def fields(self) -> dict[str, object]:
        """The JSON of it; decisions newest first."""
        until = self.off_until
        return {
            "at": self.at,
            "notice": self.notice,
            "on": until is None,
            "off_until": None if until in (None, float("inf")) else until,
            "preset": self.preset,
            "budgets": budgets.fields(self.budgets),
            "pace": pace.fields(self.paces),
            "spent_today": asdict(self.today),
            "spent_by_hour": [asdict(hour) for hour in self.hours],
            "sessions": [one.fields() for one in self.sessions],
            "running_subagents": [asdict(run) for run in self.runs],
            "decisions": [one.fields() for one in self.decisions],
            "health": asdict(self.health),
            **self.router.fields(),
        }


def query(
    db: sqlite3.Connection, rules: Json, folder: str, now: float, *, notice: str | None = None
) -> Snapshot:
    """Everything the monitor shows to a user who works in that folder."""
    place = budgets.here(db, folder)
    return Snapshot(
        at=now,
        preset=rules.get("preset") or "balanced",
        off_until=state.off_until(now),
        budgets=budgets.query(db, rules, place, now),
        paces=pace.query(db, rules, place, now),
        today=_today(db, now),
        hours=tuple(_hours(db, now)),
        sessions=tuple(_working(db, one) for one in sessions.running()),
        runs=(*_running(db, now), *_starting(db, now)),
        decisions=tuple(decisions.query(db, decisions.Slice(last=DECISIONS))[::-1]),
        health=_health(db, rules, folder, now),
        router=health.query(db, rules, place["project"], now),
        notice=notice,
    )


_QUARTERS = (
    "SELECT start, sum(usd), sum(tokens), sum(unpriced_requests) FROM span"
    " WHERE length = ? AND start >= ? AND start < ? GROUP BY start"
)


def _between(db: sqlite3.Connection, since: float, until: float) -> list[tuple[int, ...]]:
    """(quarter hour, dollars, tokens, requests without a price) of each that was used."""
    ends = (int(since // ledger.BUCKET), -int(-until // ledger.BUCKET))
    return db.execute(_QUARTERS, (ledger.BUCKET, *ends)).fetchall()


def _added(since: float, quarters: list[tuple[int, ...]]) -> Spent:
    usd, tokens, unpriced = (sum(one[column] for one in quarters) for column in (1, 2, 3))
    return Spent(since, _dollars(usd, unpriced), int(tokens), int(unpriced))


def _dollars(usd: float, unpriced: int) -> float | None:
    return None if unpriced and not usd else float(usd)


def _today(db: sqlite3.Connection, now: float) -> Spent:
    midnight = budget.period_start("day", now)
    return _added(midnight, _between(db, midnight, now + 1))


def _hours(db: sqlite3.Connection, now: float) -> Iterator[Spent]:
    """The last 24 hours of the local clock, the present one last and not over yet."""
    local = time.localtime(now)
    present = int(now) - local.tm_min * 60 - local.tm_sec
    first = present - (HOURS - 1) * 3600
    quarters = _between(db, first, present + 3600)
    for since in range(first, present + 1, 3600):
        ends = range(since // ledger.BUCKET, (since + 3600) // ledger.BUCKET)
        yield _added(since, [one for one in quarters if one[0] in ends])


def _working(db: sqlite3.Connection, one: Session) -> Working:
    number = ledger.known_id(db, one.id)
    row = db.execute("SELECT model FROM session WHERE id = ?", (number,)).fetchone()
    query = "SELECT coalesce(sum(usd), 0.0), coalesce(sum(unpriced_requests), 0) FROM bucket"
    usd, unpriced = db.execute(query + " WHERE session = ?", (number,)).fetchone()
    return Working(one, row[0] if row else None, _dollars(usd, unpriced), unpriced)


# CROSS JOIN keeps SQLite from going through all runs there ever were.
_RUNNING = (
    "SELECT a.text, s.text, r.model, d.set_tier, r.tokens, d.at, r.last"
    " FROM session own CROSS JOIN run r ON r.session = own.id JOIN name a ON a.id = r.agent"
    " JOIN name s ON s.id = own.id LEFT JOIN decision d"
    " ON d.session = r.session AND d.tool_use_id = r.tool_use_id"
    " WHERE own.last >= :word AND r.ended IS NULL AND r.last >= :word ORDER BY r.last DESC"
)
_STARTING = (
    "SELECT a.text, s.text, NULL, d.set_tier, 0, v.at, NULL"
    " FROM reservation v JOIN name a ON a.id = v.agent JOIN name s ON s.id = v.session"
    " LEFT JOIN decision d ON d.session = v.session AND d.tool_use_id = v.tool_use_id"
    " WHERE v.expires > :now AND NOT EXISTS (SELECT 1 FROM run r WHERE r.session = v.session"
    " AND (r.tool_use_id = v.tool_use_id OR r.agent_id = v.agent_id)"
    " AND r.last >= :word) ORDER BY v.at DESC"
)


def _running(db: sqlite3.Connection, now: float) -> list[Run]:
    """Subagents that answered within the hour and whose end nobody saw, the latest first."""
    return [Run(*row) for row in db.execute(_RUNNING, {"word": now - SILENT})]


def _starting(db: sqlite3.Connection, now: float) -> list[Run]:
    """Subagents that were let through and have not answered yet."""
    return [Run(*row) for row in db.execute(_STARTING, {"now": now, "word": now - SILENT})]


def _health(db: sqlite3.Connection, rules: Json, folder: str, now: float) -> Health:
    path, copies = ledger.file(), backup.kept()
    return Health(
        bytes=sum(map(_bytes, (path, path + "-wal"))),
        spooled=len(ledger.spooled()),
        damaged=tuple(backup.damaged()),
        last_backup=copies[0] if copies else None,
        last_hook=_last_hook(),
        stale=refresh.stale(rules.get("sources") or []),
        mistakes=tuple(map(_mistake, refresh.faults(project.root(folder)))),
        heartbeat=liveness.standing(db, now),
    )


def _bytes(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except OSError:
        return 0


def _last_hook() -> float | None:
    try:
        return float(Path(state.path("live")).read_text())
    except (OSError, ValueError):
        return None


def _mistake(error: Json) -> str:
    name = os.path.basename(str(error.get("path")))  # noqa: PTH119 - a text, no file is touched
    line = f", line {error['line']}" if error.get("line") else ""
    return f"{name}{line}: {error.get('message')}"

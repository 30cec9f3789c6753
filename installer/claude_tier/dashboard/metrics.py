"""The Prometheus text format (0.0.4) of budgets, decisions, spending, router, heartbeat and ledger.

Names begin with `claude_tier_`, never `claude_code_`: the client exports such metrics itself, and
one that is in both would be counted twice.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from claude_tier_hooks import __version__, ledger, unlisted
from claude_tier_hooks.shapes import Json

from claude_tier.dashboard.answers import recent
from claude_tier.report import budgets, savings, status
from claude_tier.report.status import Status

TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Sample(NamedTuple):
    """One line: labels in the order they are written, and the figure."""

    labels: Mapping[str, str]
    value: float


class Metric(NamedTuple):
    """A name without `claude_tier_`; `kind` is gauge or counter."""

    name: str
    kind: str
    help: str
    samples: list[Sample]


def text(db: sqlite3.Connection, rules: Json, folder: str, now: float) -> str:
    """All of them, as a scraper reads them. What is not known has no line."""
    found = status.query(db, rules, folder, now)
    metrics = [*_state(found), *_budgets(found), *_spending(db), *_decisions(db)]
    metrics += [*_router(db, found, now), *_heartbeat(db, found), _savings(db, rules, now)]
    return "".join(_lines(metrics))


def _lines(metrics: Iterable[Metric]) -> Iterator[str]:
    for one in metrics:
        name = f"claude_tier_{one.name}"
        yield f"# HELP {name} {_escaped(one.help, quote=False)}\n# TYPE {name} {one.kind}\n"
        for labels, value in one.samples:
            inside = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
            yield f"{name}{{{inside}}} {value!r}\n" if inside else f"{name} {value!r}\n"


def _escaped(text: str, *, quote: bool = True) -> str:
    r"""Label values escape \, " and newlines; help texts only the first and the last."""
    safe = text.replace("\\", r"\\").replace("\n", r"\n")
    return safe.replace('"', r"\"") if quote else safe


def _gauge(name: str, help_text: str, *samples: Sample) -> Metric:
    return Metric(name, "gauge", help_text, [*samples])


def _plain(name: str, help_text: str, value: float | None) -> Metric:
    return _gauge(name, help_text, *([] if value is None else [Sample({}, value)]))


def _state(found: Status) -> Iterator[Metric]:
    on = int(found.off_until is None)
    yield _gauge("build_info", "The version, as a label.", Sample({"version": __version__}, 1))
    yield _plain("on", "1 while assignments and budgets apply.", on)
    yield _plain(
        "last_hook_timestamp_seconds", "When a hook last started a session.", found.last_hook
    )
    yield _plain("ledger_responses", "Responses in the ledger.", found.ledger.responses)
    yield _plain("ledger_bytes", "Size of the ledger.", found.ledger.bytes)
    yield _plain("sessions_running", "Claude Code sessions that run.", len(found.sessions))
    yield _plain("subagents_running", "Subagents that run.", found.subagents)


def _budgets(found: Status) -> Iterator[Metric]:
    """The levels as numbers, so that an alert is a comparison."""
    known = [(_labels(one), one) for one in found.budgets if one.share is not None]
    numbers = ", ".join(f"{number} {name}" for number, name in enumerate(budgets.LEVELS))
    levels = [Sample(labels, budgets.LEVELS.index(one.level)) for labels, one in known]
    yield _gauge("budget_level", f"Level of a budget: {numbers}.", *levels)
    shares = [Sample(labels, one.share or 0.0) for labels, one in known]
    yield _gauge("budget_used_ratio", "Share of the limit that is used.", *shares)


def _labels(one: budgets.Standing) -> dict[str, str]:
    return {"budget": one.name, "scope": one.scope, "period": one.period, "unit": one.unit}


def _spending(db: sqlite3.Connection) -> Iterator[Metric]:
    """Since the ledger began; a price that is corrected may let dollars fall, so no counter."""
    rows = db.execute(
        "SELECT text, sum(requests), sum(usd), sum(unpriced_requests) FROM daily"
        " JOIN name ON name.id = model WHERE source <> ? GROUP BY text ORDER BY text",
        (ledger.known_id(db, unlisted.SOURCE),),
    ).fetchall()
    priced = [row for row in rows if row[3] < max(row[1], 1) or row[2]]
    yield _gauge("spend_usd", "Dollars at list prices.", *_by_model(priced, 2))
    yield _gauge("requests", "Responses that were counted.", *_by_model(rows, 1))
    blind = [row for row in rows if row[3]]
    yield _gauge("unpriced_requests", "Responses without a price.", *_by_model(blind, 3))
    (usd,) = db.execute("SELECT sum(usd) FROM unlisted").fetchone()
    yield _plain("unlisted_usd", "Dollars that the client charged beyond its transcripts.", usd)


def _by_model(rows: Iterable[tuple[str, float, float, float]], column: int) -> list[Sample]:
    return [Sample({"model": row[0]}, float(row[column])) for row in rows]


def _savings(db: sqlite3.Connection, rules: Json, now: float) -> Metric:
    found = savings.query(db, rules, recent(now), now=now)
    known = [] if found.usd is None else [Sample({"baseline": found.baseline}, found.usd)]
    return _gauge("savings_usd", "Net savings of the last 30 days.", *known)


def _decisions(db: sqlite3.Connection) -> Iterator[Metric]:
    rows = db.execute(
        "SELECT action, coalesce(text, 'unknown'), count(*) FROM decision"
        " LEFT JOIN name ON name.id = agent GROUP BY action, text ORDER BY action, text"
    )
    counted = [Sample({"action": row[0], "agent": row[1]}, row[2]) for row in rows]
    yield Metric("decisions_total", "counter", "Decisions on new subagents.", counted)


def _router(db: sqlite3.Connection, found: Status, now: float) -> Iterator[Metric]:
    """One cooldown for each model that is kept out, or for all of an account."""
    held = Counter((one.provider, one.cause) for one in found.cooldowns if one.holds(now))
    cooling = [
        Sample({"provider": provider, "cause": cause}, number)
        for (provider, cause), number in sorted(held.items())
    ]
    yield _gauge("router_cooldowns", "What the router does not ask after a failure.", *cooling)
    alone = int(found.emergency is not None)
    yield _plain("router_emergency", "1 while only models on this machine are asked.", alone)
    rows = db.execute("SELECT outcome, count(*) FROM exchange GROUP BY outcome ORDER BY outcome")
    counted = [Sample({"outcome": row[0]}, row[1]) for row in rows]
    yield Metric("router_requests_total", "counter", "Requests to the router.", counted)


def _heartbeat(db: sqlite3.Connection, found: Status) -> Iterator[Metric]:
    """No line where no HEARTBEAT.md may run."""
    beats = found.heartbeat or {}
    tick = beats.get("last_tick")
    yield _plain("heartbeat_last_tick_timestamp_seconds", "When a tick last came.", tick)
    yield _plain("heartbeat_alerts", "Alerts that no session has shown.", beats.get("alerts"))
    trouble = [Sample({"state": one}, len(beats[one])) for one in ("failing", "disabled") if beats]
    yield _gauge("heartbeat_beats_in_trouble", "Beats that fail, or are off.", *trouble)
    rows = db.execute("SELECT status, sum(slots) FROM receipt GROUP BY status ORDER BY status")
    counted = [Sample({"status": status}, number) for status, number in rows]
    yield Metric("heartbeat_receipts_total", "counter", "Planned times of beats.", counted)

"""What the API answers, field by field as docs/dashboard.md has it. No text of any prompt."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from claude_tier_hooks.shapes import Json

from claude_tier.dashboard import parameters, series
from claude_tier.errors import UserError
from claude_tier.report import calendar, savings, spending, status, totals
from claude_tier.report import decisions as log
from claude_tier.report.days import Span
from claude_tier.report.decisions import Decision

SAVED = 30  # days that savings are shown for, today among them
MOST = 100  # sessions or blocks in one answer, the newest


def stats(db: sqlite3.Connection, rules: Json, folder: str, now: float) -> dict[str, object]:
    """The state of things for a user who works in that folder."""
    found = status.query(db, rules, folder, now).fields()
    found.pop("decisions")  # these have an address of their own
    return {
        "generated_at": now,
        "project": folder,
        "home": str(Path.home()),
        **found,
        "savings": _savings(db, rules, now),
    }


def recent(now: float) -> Span:
    """The days that savings are shown for."""
    return Span(calendar.start_of(calendar.day_of(now) - SAVED + 1))


def _savings(db: sqlite3.Connection, rules: Json, now: float) -> dict[str, object]:
    """What each decision saved stays in `report --savings`."""
    span = recent(now)
    found = savings.query(db, rules, span, now=now).fields()
    kept = {key: value for key, value in found.items() if key not in ("decisions", "models")}
    kept.pop("more_decisions")
    return {"since": span.since, **kept}


def usage(
    db: sqlite3.Connection, rules: Json, asked: parameters.Usage, now: float
) -> dict[str, object]:
    """What was used in a span of days, summed by a key; over time as well when asked for."""
    part = totals.Slice(asked.span, _project(db, asked.project))
    last = MOST if asked.by in ("session", "block") else None
    found = spending.query(db, rules, asked.by, part, last=last, now=now).fields()
    over_time = None
    if asked.granularity != "none":
        over_time = series.fields(db, asked.by, asked.granularity, part, now)
    return {
        "granularity": asked.granularity,
        "since": asked.span.since,
        "until": asked.span.until,
        "project": asked.project,
        **found,
        "series": over_time,
    }


def decisions(db: sqlite3.Connection, asked: parameters.Decisions) -> dict[str, object]:
    """The newest first; `next` is None with the last of them."""
    part = log.Slice(
        last=asked.limit + 1, before=asked.before, agent=asked.agent, action=asked.action
    )
    found = log.query(db, part)[::-1]
    page = found[: asked.limit]
    return {
        "decisions": [one.fields() for one in page],
        "next": _cursor(page[-1]) if len(found) > len(page) else None,
    }


def _cursor(one: Decision) -> str:
    return f"{one.at!r}~{one.tool_use_id}"


def _project(db: sqlite3.Connection, path: str | None) -> int | None:
    """Its number; raises ParameterError for one that the ledger never saw."""
    if path is None:
        return None
    try:
        return totals.project_number(db, path)
    except UserError as fault:
        raise parameters.ParameterError(fault.message) from None

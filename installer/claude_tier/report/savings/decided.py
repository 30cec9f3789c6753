"""What each decision saved against the model that would have run without it."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

from claude_tier.report.days import Span
from claude_tier.report.savings.reading import DECISIVE

LAST = 100  # decisions, the newest
_ROWS = (
    "SELECT d.at, s.text, d.tool_use_id, a.text, d.action, d.would, d.set_tier, d.ran, d.proof,"
    " d.session, d.agent_id FROM decision d LEFT JOIN name s ON s.id = d.session"
    " LEFT JOIN name a ON a.id = d.agent WHERE d.at >= :since AND d.at < :until"
    " AND d.action IN (:assigned, :lowered) AND (:project IS NULL OR"
    " (SELECT project FROM session WHERE id = d.session) = :project)"
    " ORDER BY d.at DESC LIMIT :last"
)
_RUN = (
    "SELECT id FROM run WHERE session = ? AND (tool_use_id = ? OR agent_id = ?) ORDER BY id LIMIT 1"
)
_KEPT = "SELECT sum(requests), sum(usd), sum(would_net) FROM saving WHERE session = ? AND run = ?"


@dataclass(frozen=True)
class Decided:
    """A decision that put a subagent on a lower tier: `would` had run, `set` was to, `ran` did.

    `proof` is `held`, `over` (it ran on more than was set) or None as long as nothing was seen.
    `actual_usd` is what the run cost, `usd` what the decision saved, net; None where unknown.
    """

    at: float
    session: str
    tool_use_id: str
    agent: str
    action: str
    would: str | None
    set: str | None
    ran: str | None
    proof: str | None
    actual_usd: float | None
    usd: float | None


def decisions(
    db: sqlite3.Connection, span: Span, project: int | None
) -> tuple[tuple[Decided, ...], bool]:
    """The newest decisions of that span, the newest first, and whether there are more."""
    since, until = span
    values = {
        "since": float("-inf") if since is None else since,
        "until": float("inf") if until is None else until,
        "assigned": DECISIVE[0],
        "lowered": DECISIVE[1],
        "project": project,
        "last": LAST + 1,
    }
    rows = db.execute(_ROWS, values).fetchall()
    return tuple(_decided(db, row) for row in rows[:LAST]), len(rows) > LAST


def _decided(db: sqlite3.Connection, row: tuple[Any, ...]) -> Decided:
    *_, session, agent_id = row
    return Decided(*row[:-2], *_figures(db, session, row[2], agent_id))  # type: ignore[call-arg]


def _figures(
    db: sqlite3.Connection, session: int, tool_use_id: str, agent_id: str | None
) -> tuple[float | None, float | None]:
    """(what the run cost, what the decision saved)."""
    run = db.execute(_RUN, (session, tool_use_id, agent_id)).fetchone()
    if run is None:
        return None, None
    requests, usd, net = db.execute(_KEPT, (session, run[0])).fetchone()
    return (usd if requests else None), net

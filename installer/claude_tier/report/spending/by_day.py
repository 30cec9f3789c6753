"""The views that are sums of days: day, week, month, project, agent, model, provider, route."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from claude_tier_hooks import ledger, unlisted
from claude_tier_hooks.shapes import Json

from claude_tier.report import calendar, day_sums, totals
from claude_tier.report.days import Slice
from claude_tier.report.spending.rows import Row
from claude_tier.report.totals import Figures

ANTHROPIC = "anthropic"
NO_ROUTE = "-"
_HOSTS = ("api.anthropic.com", "api.anthropic.com:443")
_COLUMN = {
    "project": "project", "agent": "agent", "model": "model", "provider": "source, host",
    "route": "source", "session": "source", "block": "source",
}  # fmt: skip
_DATED = ("day", "week", "month")
_SUMS = ", ".join(f"sum({name})" for name in ledger.SUMS)

Key = tuple[int, ...]


class Groups:
    """Sums by the text of a key."""

    def __init__(self, found: dict[str, Figures]) -> None:
        self.found = found

    def total(self) -> Figures:
        return totals.added(self.found.values())

    def rows(self, by: str) -> list[Row]:
        """Days in their order, all else with the dearest first; nothing at all is no row."""
        rows = [Row(key, figures) for key, figures in self.found.items() if _used(figures)]
        if by in _DATED:
            return sorted(rows)
        rows.sort(key=_weight)
        return (
            [_with_part(row, self.total()) for row in rows] if by in ("provider", "route") else rows
        )


def groups(db: sqlite3.Connection, part: Slice, by: str, rules: Json) -> Groups:
    """That part of the ledger without what is unlisted, summed by the key of that view."""
    source, columns = day_sums.source(part), _COLUMN.get(by, "day")
    rows = db.execute(
        f"SELECT {columns}, {_SUMS} FROM {source.sql} WHERE source <> ? GROUP BY {columns}",
        (*source.values, ledger.known_id(db, unlisted.SOURCE)),
    ).fetchall()
    width = columns.count(",") + 1
    name = _naming(db, by, rules)
    found: dict[str, list[Figures]] = {}
    for row in rows:
        found.setdefault(name(row[:width]), []).append(row[width:])
    return Groups({key: totals.added(each) for key, each in found.items()})


def unpriced(db: sqlite3.Connection, part: Slice) -> tuple[str, ...]:
    """The models without a price in that part, of what is unlisted too."""
    source = day_sums.source(part)
    rows = db.execute(
        f"SELECT DISTINCT model FROM {source.sql} WHERE unpriced_requests > 0", source.values
    ).fetchall()
    names = {ledger.text_of(db, row[0]) or "unknown" for row in rows}
    return tuple(sorted(names | totals.unpriced_beyond(db, part)))


def _naming(db: sqlite3.Connection, by: str, rules: Json) -> Callable[[Key], str]:
    if by in _DATED:
        return lambda key: period(key[0], by, rules["week_start"])
    if by == "provider":
        return lambda key: provider(db, rules, key[0], key[1])
    if by == "route":
        return lambda key: route(db, key[0])
    return lambda key: ledger.text_of(db, key[0]) or "unknown"


def period(day: int, by: str, week_start: int) -> str:
    """2026-11-20, the first day of its week likewise, or 2026-11."""
    if by == "week":
        day = calendar.week_of(day, week_start)
    text = calendar.text(day)
    return text[:7] if by == "month" else text


def provider(db: sqlite3.Connection, rules: Json, source: int, host: int) -> str:
    """Who answered: as the source says, else by the host that the session used."""
    parts = _parts(db, source)
    if len(parts) > 1:
        return parts[1]
    text = ledger.text_of(db, host) if host else None
    if text is None or text in _HOSTS:
        return ANTHROPIC
    named = rules["hosts"].get(text) or {}
    return str(named.get("name") or text)


def route(db: sqlite3.Connection, source: int) -> str:
    """The route that chose the model; '-' where nothing was routed."""
    parts = _parts(db, source)
    return parts[2] if len(parts) > 2 else NO_ROUTE


def _parts(db: sqlite3.Connection, source: int) -> list[str]:
    """router/ollama/summarise as its parts."""
    return (ledger.text_of(db, source) or "").split("/", 2)


def _with_part(row: Row, total: Figures) -> Row:
    """Which part of the cost it had, and how long its requests were."""
    sums, all_sums = row.sums, totals.settled(total)
    known = sums.usd is not None and all_sums.usd
    extra = {
        "mean_tokens": sums.tokens / sums.requests if sums.requests else None,
        "cost_share": (sums.usd or 0.0) / all_sums.usd if known and all_sums.usd else None,
    }
    return row._replace(extra=extra)


def _used(figures: Figures) -> bool:
    return any(abs(value) > 1e-9 for value in figures)


def _weight(row: Row) -> tuple[float, float, str]:
    return -row.figures[7], -sum(row.figures[1:6]), row.key

"""What was used and what it cost, summed by model, day, session, project or agent.

Sums come from the ledger's quarter hours, or from what was summed of them ahead, and a day is a
local day in any time zone. What the client charged without a transcript row (`unlisted`) is kept
apart from both rows and totals.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from claude_tier_hooks import ledger, project, unlisted

from claude_tier.errors import UserError
from claude_tier.report import caches, calendar, day_sums, days, figures
from claude_tier.report.days import Slice as Slice
from claude_tier.report.decisions import printable
from claude_tier.report.table import Column, render

KEYS = ("model", "day", "session", "project", "agent")

Figures = tuple[float, ...]  # in the order of ledger.SUMS
# A session of the router's or the heartbeat's own, of which the client knows nothing.
OWN = "({0} >= 'router:' AND {0} < 'router;' OR {0} >= 'heartbeat:' AND {0} < 'heartbeat;')"
_SUMS = ", ".join(f"sum({name})" for name in ledger.SUMS)


@dataclass(frozen=True)
class Sums:
    """Token kinds as the ledger names them; `usd` is None where nothing of it has a price."""

    requests: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_5m_tokens: int
    cache_write_1h_tokens: int
    web_searches: int
    usd: float | None
    unpriced_requests: int

    @property
    def tokens(self) -> int:
        return (
            self.input_tokens
            + self.output_tokens
            + self.cache_read_tokens
            + self.cache_write_5m_tokens
            + self.cache_write_1h_tokens
        )


class Rows(Mapping[str, Sums]):
    """Sums by key, settled when they are looked at: there may be tens of thousands."""

    def __init__(self, found: dict[str, Figures]) -> None:
        self.found = found

    def __getitem__(self, key: str) -> Sums:
        return settled(self.found[key])

    def __iter__(self) -> Iterator[str]:
        return iter(self.found)

    def __len__(self) -> int:
        return len(self.found)


@dataclass(frozen=True)
class Totals:
    """Rows by key in the order they are shown, their sum, and what stands apart from both.

    `unmeasured` counts responses without final figures (interrupted turns); `unpriced` names
    models without a price.
    """

    by: str
    rows: Mapping[str, Sums]
    totals: Sums
    unlisted: Sums
    unmeasured: int
    unpriced: tuple[str, ...]

    def fields(self) -> dict[str, object]:
        """The JSON of it."""
        return {
            "rows": [{self.by: key, **fields_of(sums)} for key, sums in self.rows.items()],
            "totals": fields_of(self.totals),
            "unlisted": fields_of(self.unlisted),
            "unmeasured_requests": self.unmeasured,
            "unpriced_models": list(self.unpriced),
        }


def project_number(db: sqlite3.Connection, path: str) -> int:
    """The project a folder belongs to; UserError when the ledger never saw it."""
    for name in (project.root(path), path):
        number = ledger.known_id(db, name)
        if db.execute("SELECT 1 FROM session WHERE project = ? LIMIT 1", (number,)).fetchone():
            return number
    hint = "`claude-tier ledger totals --by project` names those it knows."
    raise UserError(f"the ledger knows no project {path}", hint)


def query(db: sqlite3.Connection, by: str, part: Slice = Slice()) -> Totals:  # noqa: B008 - frozen
    """Sum that part of the ledger by one of KEYS."""
    groups = _groups(db, by, part)
    return Totals(
        by=by,
        rows=Rows({key: one for key, one in groups.items() if any(one[:6])}),
        totals=settled(added(groups.values())),
        unlisted=beyond(db, part),
        unmeasured=unmeasured(db, part),
        unpriced=_unpriced(db, part),
    )


def settled(values: Figures) -> Sums:
    """Sums as they are shown: without a price at all, dollars are not 0 but unknown."""
    named = dict(zip(ledger.SUMS, values, strict=True))
    usd = named.pop("usd")
    whole = {name: int(value) for name, value in named.items()}
    unknown = abs(usd) < 1e-12 and whole["unpriced_requests"] >= max(whole["requests"], 1)
    return Sums(usd=None if unknown else usd, **whole)


def _groups(db: sqlite3.Connection, by: str, part: Slice) -> dict[str, Figures]:
    """In their order; from what was summed ahead, if nothing was written since."""
    ahead = (by != "session" or part.span == (None, None)) and not caches.behind(db)
    if ahead and by == "session":
        return _sessions(db, part)
    if by == "day":
        return dict(sorted((_days if ahead else _by_day)(db, part).items()))
    found = _names(db, by, part) if ahead else _by_name(db, by, part)
    return dict(sorted(found.items(), key=_weight))


def _days(db: sqlite3.Connection, part: Slice) -> dict[str, Figures]:
    return {calendar.text(row[0]): row[1:] for row in _ahead(db, "day", part)}


def _names(db: sqlite3.Connection, by: str, part: Slice) -> dict[str, Figures]:
    rows = _ahead(db, by, part)
    return {ledger.text_of(db, row[0]) or "unknown": row[1:] for row in rows}


def _ahead(db: sqlite3.Connection, by: str, part: Slice) -> list[tuple[Any, ...]]:
    source = day_sums.source(part)
    return db.execute(
        f"SELECT {by}, {_SUMS} FROM {source.sql} WHERE source <> ? GROUP BY {by}",
        (*source.values, ledger.known_id(db, unlisted.SOURCE)),
    ).fetchall()


def _sessions(db: sqlite3.Connection, part: Slice) -> dict[str, Figures]:
    """There may be tens of thousands: SQLite sorts them."""
    mine, values = ("1", ()) if part.project is None else ("project = ?", (part.project,))
    tokens = " + ".join(ledger.KINDS[:5])
    rows = db.execute(
        f"SELECT session, {', '.join(ledger.SUMS)} FROM session_total WHERE {mine}"
        f" ORDER BY usd DESC, {tokens} DESC",
        values,
    ).fetchall()
    names: dict[int, str] = dict(db.execute("SELECT id, text FROM name").fetchall())
    return {names.get(row[0], "unknown"): row[1:] for row in rows}


def _by_name(db: sqlite3.Connection, by: str, part: Slice) -> dict[str, Figures]:
    where, values = _listed(db, part)
    rows = db.execute(
        f"SELECT coalesce(text, 'unknown'), {_SUMS} FROM bucket LEFT JOIN name ON name.id = {by}"
        f" WHERE {where} GROUP BY {by}",
        values,
    )
    return {row[0]: row[1:] for row in rows}


def _by_day(db: sqlite3.Connection, part: Slice) -> dict[str, Figures]:
    where, values = _listed(db, part)
    rows = db.execute(f"SELECT start, {_SUMS} FROM bucket WHERE {where} GROUP BY start", values)
    groups: dict[str, list[Figures]] = {}
    for row in rows:
        groups.setdefault(days.of(row[0] * ledger.BUCKET), []).append(row[1:])
    return {day: added(found) for day, found in groups.items()}


def _listed(db: sqlite3.Connection, part: Slice) -> tuple[str, list[float]]:
    """The condition on buckets of transcript rows and the like, in that part."""
    since, until = part.span
    quarter = ledger.BUCKET
    conditions = [("source <> ?", ledger.known_id(db, unlisted.SOURCE))]
    conditions += [("start >= ?", int(since // quarter))] if since is not None else []
    conditions += [("start < ?", int(until // quarter))] if until is not None else []
    conditions += [("project = ?", part.project)] if part.project is not None else []
    return " AND ".join(text for text, _ in conditions), [value for _, value in conditions]


def _timed(part: Slice, source: str) -> tuple[str, list[float]]:
    """The condition on rows that have a time and a session, in that part."""
    since, until = part.span
    sessions = f"{source}.session IN (SELECT id FROM session WHERE project = ?)"
    conditions: list[tuple[str, float]] = []
    conditions += [(f"{source}.at >= ?", since)] if since is not None else []
    conditions += [(f"{source}.at < ?", until)] if until is not None else []
    conditions += [(sessions, part.project)] if part.project is not None else []
    return " AND ".join(["1", *(text for text, _ in conditions)]), [v for _, v in conditions]


def beyond(db: sqlite3.Connection, part: Slice) -> Sums:
    """What no row shows; how many requests that were is not known, and not counted."""
    where, values = _timed(part, "unlisted")
    kinds = ", ".join(f"coalesce(sum({kind}), 0)" for kind in ledger.KINDS)
    *tokens, usd, rows = db.execute(
        f"SELECT {kinds}, sum(usd), count(*) FROM unlisted WHERE {where}", values
    ).fetchone()
    counts = dict(zip(ledger.KINDS, tokens, strict=True))
    return Sums(requests=0, **counts, usd=usd if rows else 0.0, unpriced_requests=0)


def unmeasured(db: sqlite3.Connection, part: Slice) -> int:
    where, values = _timed(part, "usage")
    query = f"SELECT count(*) FROM usage WHERE final = 0 AND requests > 0 AND {where}"
    return int(db.execute(query, values).fetchone()[0])


def unsaved(db: sqlite3.Connection, part: Slice) -> int:
    """Sessions with a use in that part whose cost the client never saved."""
    since, until = part.span
    found = db.execute(
        "SELECT count(*) FROM session_total AS total WHERE (:since IS NULL OR last >= :since)"
        " AND (:until IS NULL OR first < :until) AND (:project IS NULL OR project = :project)"
        " AND NOT EXISTS (SELECT 1 FROM cost_state WHERE cost_state.session = total.session)"
        f" AND session NOT IN (SELECT id FROM name WHERE {OWN.format('text')})",
        {
            "since": None if since is None else int(since // ledger.BUCKET),
            "until": None if until is None else int(until // ledger.BUCKET),
            "project": part.project,
        },
    )
    return int(found.fetchone()[0])


def _unpriced(db: sqlite3.Connection, part: Slice) -> tuple[str, ...]:
    return tuple(sorted(_without_price(db, part, "usage") | unpriced_beyond(db, part)))


def unpriced_beyond(db: sqlite3.Connection, part: Slice) -> set[str]:
    """The models without a price of what no row shows."""
    return _without_price(db, part, "unlisted")


def _without_price(db: sqlite3.Connection, part: Slice, source: str) -> set[str]:
    where, values = _timed(part, source)
    query = (
        f"SELECT DISTINCT text FROM {source} JOIN name ON name.id = model"
        f" WHERE usd IS NULL AND {where}"
    )
    return {row[0] for row in db.execute(query, values)}


def added(groups: Iterable[Figures]) -> Figures:
    found = [*groups]
    return tuple(map(sum, zip(*found, strict=True))) if found else (0.0,) * len(ledger.SUMS)


def _weight(row: tuple[str, Figures]) -> tuple[float, float, str]:
    """The dearest first; what has no price by its tokens."""
    key, sums = row
    return -sums[7], -sum(sums[1:6]), key


def fields_of(sums: Sums) -> dict[str, object]:
    return {one.name: getattr(sums, one.name) for one in fields(sums)}


def as_text(found: Totals, *, width: int) -> str:
    """The screen of it."""
    if not found.rows and not found.unlisted.tokens:
        return "Nothing was used."
    names = ("Requests", "Input", "Output", "Cache read", "Cache write", "Cost")
    columns = [Column(found.by.capitalize()), *(Column(name, figures=True) for name in names)]
    rows = [[printable(key), *_cells(sums)] for key, sums in found.rows.items()]
    totals = [["Total", *_cells(found.totals)]]
    if found.unlisted.tokens:
        totals.append(["No transcript row", "", *_cells(found.unlisted)[1:]])
    table = render(columns, rows, width=width, totals=totals)
    return "\n".join([table, *notes(found.unpriced, found.unmeasured)])


def _cells(sums: Sums) -> Sequence[str]:
    written = sums.cache_write_5m_tokens + sums.cache_write_1h_tokens
    tokens = (sums.input_tokens, sums.output_tokens, sums.cache_read_tokens, written)
    cost = figures.money(sums.usd, at_least=sums.unpriced_requests > 0)
    return [f"{sums.requests:,}", *map(figures.count, tokens), cost]


def notes(unpriced: Sequence[str], unmeasured: int) -> list[str]:
    """What the figures cannot say."""
    found = []
    if unpriced:
        names = ", ".join(map(printable, unpriced))
        found.append(f"No price is known of {names}: see `claude-tier prices`.")
    if unmeasured:
        were = "answer was" if unmeasured == 1 else "answers were"
        found.append(
            f"{unmeasured:,} {were} cut off before the final count: counted as far as written."
        )
    return found

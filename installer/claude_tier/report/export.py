"""Every row of the ledger with its names, one at a time: for other programs to sum.

No prompt or answer is in the ledger; a decision has the short description of its Agent call where
the policy keeps it.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TextIO

from claude_tier_hooks import ledger
from claude_tier_hooks.shapes import Json

from claude_tier.errors import UserError
from claude_tier.output import rounded
from claude_tier.report import decisions, exchanges, sheet
from claude_tier.report.days import Slice
from claude_tier.report.spending import by_day

Row = Mapping[str, object]

USAGE = (
    "id", "at", "session", "project", "agent", "agent_id", "model", "asked_model", "provider",
    "route", "source", "requests", "final", "fast", "geo", *ledger.KINDS, "usd",
)  # fmt: skip
UNLISTED = ("at", "session", "project", "model", "provider", *ledger.KINDS, "usd")
DECISIONS = tuple(decisions.Decision.__dataclass_fields__)
REQUESTS = tuple(exchanges.Exchange.__dataclass_fields__)

_USAGE = (
    "SELECT usage.key, usage.at, usage.session, session.project, usage.agent, run.agent_id,"
    " usage.model, usage.asked, usage.source, session.host, usage.requests, usage.final,"
    " usage.fast, usage.geo, {kinds}, usage.usd FROM usage"
    " LEFT JOIN session ON session.id = usage.session LEFT JOIN run ON run.id = usage.run"
    " WHERE {where} ORDER BY usage.id"
)
_UNLISTED = (
    "SELECT unlisted.at, unlisted.session, session.project, unlisted.model, session.host, {kinds},"
    " unlisted.usd FROM unlisted LEFT JOIN session ON session.id = unlisted.session"
    " WHERE {where} ORDER BY unlisted.at, unlisted.session, unlisted.model"
)


def usage(db: sqlite3.Connection, rules: Json, part: Slice) -> Iterator[Row]:
    """One row for each response, in the order in which they were first read."""
    name, who = _names(db), cache(lambda source, host: by_day.provider(db, rules, source, host))
    route = cache(lambda source: _known(by_day.route(db, source)))
    for row in _read(db, _USAGE, "usage", part):
        key, at, session, project, agent, agent_id, model, asked, source, host = row[:10]
        requests, final, fast, geo, *kinds, usd = row[10:]
        cells = (
            key, at, name(session), name(project), name(agent), agent_id, name(model),
            name(asked), who(source, host or 0), route(source), name(source), requests,
            bool(final), bool(fast), geo, *kinds, usd,
        )  # fmt: skip
        yield dict(zip(USAGE, cells, strict=True))


def _known(route: str) -> str | None:
    return None if route == by_day.NO_ROUTE else route


def unlisted(db: sqlite3.Connection, rules: Json, part: Slice) -> Iterator[Row]:
    """What the client charged without a transcript row, one for each session and model."""
    name = _names(db)
    for at, session, project, model, host, *kinds, usd in _read(db, _UNLISTED, "unlisted", part):
        who = by_day.provider(db, rules, 0, host or 0)
        cells = (at, name(session), name(project), name(model), who, *kinds, usd)
        yield dict(zip(UNLISTED, cells, strict=True))


def decided(db: sqlite3.Connection, rules: Json, part: Slice) -> Iterator[Row]:  # noqa: ARG001
    """One row for each decision on a new subagent, the oldest first."""
    wanted = decisions.Slice(part.span, project=part.project)
    yield from (one.fields() for one in decisions.query(db, wanted))


def requested(db: sqlite3.Connection, rules: Json, part: Slice) -> Iterator[Row]:  # noqa: ARG001
    """One row for each request of the router, the oldest first; its attempts in one cell."""
    for one in exchanges.query(db, decisions.Slice(part.span, project=part.project)):
        tried = "; ".join(f"{each.get('target')} {each.get('cause')}" for each in one.attempts)
        yield {**one.fields(), "attempts": tried}


WHAT: Mapping[str, tuple[tuple[str, ...], Callable[..., Iterator[Row]]]] = {
    "usage": (USAGE, usage),
    "decisions": (DECISIONS, decided),
    "unlisted": (UNLISTED, unlisted),
    "requests": (REQUESTS, requested),
}


def _read(db: sqlite3.Connection, query: str, table: str, part: Slice) -> Iterable[tuple]:  # type: ignore[type-arg]
    since, until = part.span
    limits = [(f"{table}.at >= ?", since), (f"{table}.at < ?", until)]
    limits += [("session.project = ?", part.project)]
    used = [(text, value) for text, value in limits if value is not None]
    where = " AND ".join(["1", *(text for text, _ in used)])
    kinds = ", ".join(f"{table}.{kind}" for kind in ledger.KINDS)
    return db.execute(query.format(kinds=kinds, where=where), [value for _, value in used])


def _names(db: sqlite3.Connection) -> Callable[[int | None], str | None]:
    return cache(lambda number: None if number is None else ledger.text_of(db, number))


def write(rows: Iterable[Row], columns: tuple[str, ...], form: str, stream: TextIO) -> None:
    """As CSV with a header, or one JSON object in each line."""
    if form == "csv":
        sheet.write(columns, rows, stream)
        return
    stream.writelines(json.dumps(rounded(row), ensure_ascii=False) + "\n" for row in rows)


@contextmanager
def output(path: Path | None) -> Iterator[TextIO]:
    """Standard output, or a file that is there whole or not at all, for its owner alone."""
    if path is None:
        yield sys.stdout
        return
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as fault:
        message = f"no file can be made in {path.parent}: {fault.strerror}"
        raise UserError(message, "Name a folder that exists and is yours to write.") from fault
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise

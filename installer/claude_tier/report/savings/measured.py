"""The savings of a span of time, summed from the kept rows of `saving`."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from claude_tier_hooks.shapes import Json

from claude_tier.report import calendar
from claude_tier.report.days import Span
from claude_tier.report.savings import (
    against,
    baselines,
    decided,
    keeping,
    plan,
    tokenizers,
    wording,
)
from claude_tier.report.savings.amounts import Amounts, total
from claude_tier.report.savings.decided import Decided
from claude_tier.report.savings.plan import Window

_KEY = "agent, model, baseline"
_SUMS = ", ".join(f"sum({name})" for name in keeping.SUMS)
_PROJECT = "(:project IS NULL OR project = :project)"
_DAYS = (
    f"SELECT day, {_KEY}, {_SUMS} FROM {{}} WHERE day >= :first AND day < :end AND {_PROJECT}"
    f" GROUP BY day, {_KEY}"
)
_PART_OF_DAY = (
    f"SELECT :day, {_KEY}, {_SUMS} FROM {{}} WHERE at >= :since AND at < :until AND {_PROJECT}"
    f" GROUP BY {_KEY}"
)
_FAR = calendar.LAST + 1


class Part(NamedTuple):
    """The saving of one day (2026-11-20), agent, or model (with what it ran instead of)."""

    key: str
    usd: float | None
    amounts: Amounts
    instead_of: str | None = None

    def fields(self, name: str) -> dict[str, object]:
        """The JSON of it, the key under that name."""
        baseline = {"baseline": self.instead_of} if name == "model" else {}
        return {name: self.key, **baseline, "usd": self.usd, **self.amounts._asdict()}


@dataclass(frozen=True)
class Savings:
    """What a span's responses saved against the baseline: `main`, the main model of their session,
    or one model. Dollars at list prices; `usd` is net and None where nothing of it has a price.

    `total` holds what it is made of. `by_day` is in the order of time, `by_agent` and `by_model`
    begin with the greatest saving. `plan` is empty for those who pay by the token.
    """

    baseline: str
    usd: float | None
    total: Amounts
    by_day: tuple[Part, ...]
    by_agent: tuple[Part, ...]
    by_model: tuple[Part, ...]
    decisions: tuple[Decided, ...]
    more_decisions: bool
    plan: tuple[Window, ...]
    sentence: str

    @property
    def actual_usd(self) -> float:
        return self.total.actual_usd

    @property
    def baseline_usd(self) -> float:
        return self.total.baseline_usd

    @property
    def startup_usd(self) -> float:
        return self.total.startup_usd

    @property
    def rebuild_usd(self) -> float:
        return self.total.rebuild_usd

    @property
    def left_out(self) -> int:
        return self.total.left_out

    def fields(self) -> dict[str, object]:
        """The JSON of it."""
        return {
            "baseline": self.baseline,
            "usd": self.usd,
            "gross_usd": self.total.gross_usd,
            **self.total._asdict(),
            "token_factor": tokenizers.FACTOR,
            "token_source": tokenizers.SOURCE,
            "days": [one.fields("day") for one in self.by_day],
            "agents": [one.fields("agent") for one in self.by_agent],
            "models": [one.fields("model") for one in self.by_model],
            "decisions": [asdict(one) for one in self.decisions],
            "more_decisions": self.more_decisions,
            "plan": [asdict(one) for one in self.plan],
            "sentence": self.sentence,
        }


class Slice(NamedTuple):
    """Which rows: those of a span, and of a project's number or all of them."""

    span: Span
    project: int | None


class Cell(NamedTuple):
    """The sums of one day for one agent on one model instead of another."""

    day: str
    agent: str
    model: str
    instead_of: str
    amounts: Amounts


def query(
    db: sqlite3.Connection,
    rules: Json,
    span: Span,
    *,
    project: int | None = None,
    baseline: str | None = None,
    now: float | None = None,
) -> Savings:
    """The savings of that span and project, from what `bring_up` kept.

    Another `baseline` than the configured one is reckoned anew from every response of the span,
    which takes some seconds for a million of them. UserError for one without a price.
    """
    moment = time.time() if now is None else now
    wanted = baselines.chosen(rules, baseline)
    part = Slice(span, project)
    if wanted == baselines.chosen(rules, None):
        return _summed(db, ("saving", "saving_day"), wanted, part, moment)
    with against.reckoned(db, rules, wanted, span, project) as tables:
        return _summed(db, tables, wanted, part, moment)


def _summed(
    db: sqlite3.Connection, tables: tuple[str, str], baseline: str, part: Slice, now: float
) -> Savings:
    cells = [*_cells(db, tables, baseline, part)]
    whole = total(one.amounts for one in cells)
    known, more = decided.decisions(db, part.span, part.project)
    return Savings(
        baseline=baseline,
        usd=whole.usd,
        total=whole,
        by_day=tuple(sorted(_parts((day, None, one) for day, one in _keyed(cells, 0)))),
        by_agent=_greatest(_parts((agent, None, one) for agent, one in _keyed(cells, 1))),
        by_model=_greatest(_parts((one.model, one.instead_of, one.amounts) for one in cells)),
        decisions=known,
        more_decisions=more,
        plan=plan.windows(db, tables[0], part.project, now),
        sentence=wording.sentence(baseline, whole),
    )


def _cells(
    db: sqlite3.Connection, tables: tuple[str, str], baseline: str, part: Slice
) -> Iterator[Cell]:
    names = _Names(db, baseline)
    for day, agent, model, other, *sums in _rows(db, tables, part):
        yield Cell(calendar.text(day), names[agent], names[model], names[other], Amounts(*sums))


def _rows(
    db: sqlite3.Connection, tables: tuple[str, str], part: Slice
) -> Iterator[tuple[Any, ...]]:
    """Whole days from their sums, what is left of others from the rows."""
    rows, days = tables
    since, until = part.span
    first = calendar.FIRST if since is None else calendar.day_of(since)
    end = _FAR if until is None else calendar.day_of(until)
    ends = []
    if since is not None and since > calendar.start_of(first):
        after = calendar.start_of(first + 1)
        ends.append((first, since, after if until is None else min(after, until)))
        first += 1
    if until is not None and first <= end and until > calendar.start_of(end):
        ends.append((end, calendar.start_of(end), until))
    values: dict[str, float | None] = {"project": part.project}
    yield from db.execute(_DAYS.format(days), {**values, "first": first, "end": end})
    for day, start, stop in ends:
        named = {**values, "day": day, "since": start, "until": stop}
        yield from db.execute(_PART_OF_DAY.format(rows), named)


class _Names(dict[int, str]):
    """Texts by number, read when they are first asked for."""

    def __init__(self, db: sqlite3.Connection, baseline: str) -> None:
        super().__init__({0: baseline, -1: "unknown"})
        self.db = db

    def __missing__(self, number: int) -> str:
        row = self.db.execute("SELECT text FROM name WHERE id = ?", (number,)).fetchone()
        self[number] = row[0] if row else "unknown"
        return self[number]


def _keyed(cells: Iterable[Cell], column: int) -> Iterator[tuple[str, Amounts]]:
    return ((str(one[column]), one.amounts) for one in cells)


def _parts(rows: Iterable[tuple[str, str | None, Amounts]]) -> Iterator[Part]:
    """One for each key."""
    groups: dict[tuple[str, str | None], list[Amounts]] = {}
    for key, other, amounts in rows:
        groups.setdefault((key, other), []).append(amounts)
    for (key, other), found in groups.items():
        whole = total(found)
        yield Part(key, whole.usd, whole, other)


def _greatest(parts: Iterable[Part]) -> tuple[Part, ...]:
    """The greatest saving first, what has no price last."""
    return tuple(sorted(parts, key=lambda one: (one.usd is None, -(one.usd or 0.0), one.key)))

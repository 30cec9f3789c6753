"""The savings of a span of time, summed from the kept rows of `saving`."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import NamedTuple

from claude_tier_hooks.shapes import Json

from claude_tier.report import calendar
from claude_tier.report.days import Span
from claude_tier.report.savings import against, baselines, decided, plan, tokenizers, wording
from claude_tier.report.savings.amounts import Amounts, total
from claude_tier.report.savings.decided import Decided
from claude_tier.report.savings.plan import Window

DAY = 86400
STEP = 16  # days; no zone moves its clock twice in that time
_BOUNDS = "SELECT min(at), max(at) FROM {} WHERE at >= ? AND at < ?"
# One day's, agent's and pair of models' sums.
_CELLS = (
    f"SELECT CAST((at - :start) / {DAY} AS INTEGER), agent, model, baseline, sum(requests),"
    " sum(left_out), sum(corrected), sum(uncorrected), sum(usd), sum(baseline_usd),"
    " sum(startup_usd), sum(rebuild_usd) FROM {} WHERE at >= :since AND at < :until"
    " AND (:project IS NULL OR project = :project) GROUP BY 1, 2, 3, 4"
)


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
    if wanted == baselines.chosen(rules, None):
        return _summed(db, "saving", wanted, Slice(span, project), moment)
    with against.reckoned(db, rules, wanted, span, project) as table:
        return _summed(db, table, wanted, Slice(span, project), moment)


def _summed(db: sqlite3.Connection, table: str, baseline: str, part: Slice, now: float) -> Savings:
    cells = [*_cells(db, table, baseline, part)]
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
        plan=plan.windows(db, table, part.project, now),
        sentence=wording.sentence(baseline, whole),
    )


def _cells(db: sqlite3.Connection, table: str, baseline: str, part: Slice) -> Iterator[Cell]:
    names = _Names(db, baseline)
    for since, until in _stretches(db, table, part.span):
        day = calendar.day_of(since)
        values = {"since": since, "until": until, "project": part.project}
        values["start"] = calendar.start_of(day)
        for number, agent, model, other, *sums in db.execute(_CELLS.format(table), values):
            yield Cell(
                calendar.text(day + number),
                names[agent],
                names[model],
                names[other],
                Amounts(*sums),
            )


def _stretches(db: sqlite3.Connection, table: str, span: Span) -> Iterator[tuple[float, float]]:
    """The rows' time in parts without a change of the clock but at their ends."""
    since = float("-inf") if span.since is None else span.since
    until = float("inf") if span.until is None else span.until
    first, last = db.execute(_BOUNDS.format(table), (since, until)).fetchone()
    if first is None:
        return
    day, end = calendar.day_of(first), calendar.day_of(last) + 1
    while day < end:
        after = _even(day, end)
        yield max(since, calendar.start_of(day)), min(until, calendar.start_of(after))
        day = after


def _even(day: int, end: int) -> int:
    """The day up to which all days from that one on have 24 hours; the next where it has not."""
    start = calendar.start_of(day)
    after = day
    for step in (STEP, 1):
        while after < end and calendar.start_of(after + step) == start + (after + step - day) * DAY:
            after += step
    return max(min(after, end), day + 1)


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

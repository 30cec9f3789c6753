"""How fast budgets and plan windows are being used: the forecast behind `status`."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from claude_tier_hooks import budget, pace
from claude_tier_hooks.shapes import Json

from claude_tier.report import figures
from claude_tier.report.table import Column, render, wrapped


@dataclass(frozen=True)
class Hit:
    """A level of a budget: `at` is the epoch time it is reached, where `state` is `expected`."""

    level: str
    share: float
    state: str
    at: float | None


@dataclass(frozen=True)
class Pace:
    """One budget, or a plan window without one (`kind`), at its present pace.

    `used` and `elapsed` are shares of the limit and of the period, `pace` the first over the
    second; `rate` is per hour in the budget's unit, measured over `seconds`. None where it is not
    known, or where the period has no end.
    """

    kind: str
    name: str
    unit: str
    limit: float
    used: float | None
    elapsed: float | None
    pace: float | None
    rate: float | None
    seconds: float | None
    method: str | None
    since: float | None
    until: float | None
    hits: tuple[Hit, ...]


def query(db: sqlite3.Connection, rules: Json, place: Json, now: float) -> tuple[Pace, ...]:
    """Every budget of the policy, then each plan window that is known and has no budget."""
    standings = budget.standing(db, rules, place, now)
    covered = {one["budget"]["period"] for one in standings if _of_plan(one)}
    windows = [
        one
        for one in pace.windows(db, now)
        if one["used"] is not None and one["budget"]["period"] not in covered
    ]
    return tuple(
        _pace(kind, one, pace.forecast(db, one, place, now))
        for kind, found in (("budget", standings), ("window", windows))
        for one in found
    )


def _of_plan(standing: Json) -> bool:
    return bool(standing["budget"]["unit"] == "plan_percent")


def _pace(kind: str, standing: Json, found: Json) -> Pace:
    what = standing["budget"]
    hits = tuple(Hit(level, **hit) for level, hit in found.pop("hits").items())
    return Pace(
        kind=kind, name=what["name"], unit=what["unit"], limit=what["limit"], hits=hits, **found
    )


def fields(paces: Sequence[Pace]) -> list[dict[str, object]]:
    """The JSON of it."""
    return [asdict(one) for one in paces]


def as_text(paces: Sequence[Pace], *, now: float, width: int) -> str:
    """The table of the hours to come, and how these were reckoned; "" where nothing is known."""
    known = [one for one in paces if one.rate is not None]
    if not known:
        return ""
    columns = [Column("At this rate")]
    columns += [Column("Elapsed", figures=True, spare=2), Column("Pace", figures=True, spare=1)]
    columns += [Column("Per hour", figures=True), Column("Over", figures=True)]
    columns += [Column(name, figures=True) for name in ("Warn", "Cap", "Stop")]
    rows = [_row(one, now) for one in known]
    table = render(columns, rows, width=width)
    notes = _notes(known, now, pace_shown="Pace" in table.partition("\n")[0])
    return "\n".join([table, *wrapped(notes, width)])


def _row(one: Pace, now: float) -> list[str]:
    speed = "" if one.pace is None else f"{one.pace:.1f}x"
    elapsed = "" if one.elapsed is None else figures.share(one.elapsed)
    hits = [_when(hit, now) for hit in one.hits]
    over = "" if one.seconds is None else pace.length(one.seconds)
    return [one.name, elapsed, speed, figures.amount(_rounded(one), one.unit), over, *hits]


def _rounded(one: Pace) -> float | None:
    """Plan percent come whole: more than a tenth of one is not known."""
    if one.rate is None or one.unit != "plan_percent":
        return one.rate
    return round(one.rate, 1)


def _when(hit: Hit, now: float) -> str:
    if hit.state == pace.REACHED:
        return "reached"
    return "-" if hit.at is None else pace.moment(hit.at, now)


def _notes(known: Sequence[Pace], now: float, *, pace_shown: bool) -> Iterator[str]:
    """What the words of the table mean, where they are in it."""
    if pace_shown and any(one.pace is not None for one in known):
        yield "Pace: used over elapsed; above 1.0x it does not last until the reset."
    fast = [one.name for one in known if pace.BEYOND in str(one.method) and _is_far(one, now)]
    if fast:
        yield f"Beyond 24 h: at the slower rate of the last 24 h ({', '.join(fast)})."
    states = {hit.state for one in known for hit in one.hits}
    if pace.RESET in states or pace.NEVER in states:
        yield "-: not before it resets, or not at all."


def _is_far(one: Pace, now: float) -> bool:
    return any(hit.at is not None and hit.at - now > pace.DAY for hit in one.hits)

"""A simulation as text: side by side with what happened."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from claude_tier.report import figures
from claude_tier.report.simulate.result import Changed, Day, Simulation, Trip, Verdict
from claude_tier.report.table import Column, render

SHOWN = 20  # rows of a table; --json has all
SAME = 10  # days without a difference that are shown one by one
ROUNDING = 1e-9  # dollars


def as_text(found: Simulation, *, width: int) -> str:
    """Everything in the order of importance."""
    parts = _check(found) if found.policy is None else _other(found, width)
    return "\n".join(parts)


def _check(found: Simulation) -> Iterator[str]:
    if not found.decisions:
        yield "No decision to replay: recording starts with the install."
        if found.reconstructed:
            runs = figures.plural(found.reconstructed, "subagent run")
            yield f"{runs} without a decision can be simulated with --policy FILE."
        return
    total = figures.plural(found.decisions, "decision")
    yield f"{found.identical:,} of {total} come out as they were made."
    if found.approximate:
        yield (
            f"{found.approximate:,} of them are from before inputs were kept: replayed from their"
            " columns, under the present policy."
        )
    for one in found.changed[:SHOWN]:
        yield ""
        yield f"{_moment(one.at)}  {one.agent}  [{one.session[:8]}]{_roughly(one)}"
        yield f"  happened   {_words(one.happened)}"
        yield f"  replayed   {_words(one.simulated)}"
    yield from _more(len(found.changed))


def _other(found: Simulation, width: int) -> Iterator[str]:
    yield from _totals(found)
    if found.days:
        yield ""
        yield _days(found.days, width)
    if found.changed:
        yield ""
        yield _changed(found.changed[:SHOWN], width)
        yield from _more(len(found.changed))
    if found.trips:
        yield ""
        yield _trips(found.trips[:SHOWN], width)
        yield from _more(len(found.trips))
        yield "As it was: what was really spent, measured by the budgets last in force."
    yield ""
    yield from assumed(found)


def _totals(found: Simulation) -> Iterator[str]:
    unpriced = any(one.simulated_unpriced for one in found.days)
    before = any(one.happened_unpriced for one in found.days)
    yield (
        f"Under {found.policy}: {figures.money(found.simulated_usd, at_least=unpriced)} instead of"
        f" {figures.money(found.happened_usd, at_least=before)}."
    )
    counts = ", ".join(f"{number:,} {action}" for action, number in found.counts().items())
    total = figures.plural(found.decisions + found.reconstructed, "spawn")
    yield f"{len(found.changed):,} of {total} otherwise{': ' + counts if counts else ''}."


def _days(days: Sequence[Day], width: int) -> str:
    columns = [
        Column("Day"),
        Column("Happened", figures=True),
        Column("Simulated", figures=True),
        Column("Difference", figures=True),
    ]
    rows = [_day(one) for one in _folded(days)]
    return render(columns, rows, width=width, totals=[_day(_sum("Total", days))])


def _folded(days: Sequence[Day]) -> list[Day]:
    """The days, with those on which nothing differs as one where there are many of them."""
    same = [one for one in days if not _differs(one)]
    if len(same) <= SAME:
        return list(days)
    return [*filter(_differs, days), _sum(f"{len(same):,} days alike", same)]


def _differs(one: Day) -> bool:
    unpriced = one.happened_unpriced != one.simulated_unpriced
    return unpriced or abs(one.simulated_usd - one.happened_usd) >= ROUNDING


def _sum(name: str, days: Sequence[Day]) -> Day:
    return Day(
        name,
        sum(one.happened_usd for one in days),
        sum(one.simulated_usd for one in days),
        sum(one.happened_unpriced for one in days),
        sum(one.simulated_unpriced for one in days),
    )


def _day(one: Day) -> list[str]:
    difference = one.simulated_usd - one.happened_usd
    return [
        one.day,
        figures.money(one.happened_usd, at_least=bool(one.happened_unpriced)),
        figures.money(one.simulated_usd, at_least=bool(one.simulated_unpriced)),
        _signed(difference),
    ]


def _signed(usd: float) -> str:
    if abs(usd) < ROUNDING:
        return ""
    return ("-" if usd < 0 else "+") + figures.money(abs(usd))


def _changed(found: Sequence[Changed], width: int) -> str:
    columns = [
        Column("Time"),
        Column("Agent"),
        Column("Happened"),
        Column("Simulated"),
        Column("Cost", figures=True),
        Column("Would cost", figures=True),
        Column("Why"),
    ]
    return render(columns, [_spawn(one) for one in found], width=width)


def _spawn(one: Changed) -> list[str]:
    about = "~" if one.estimated else ""
    return [
        _brief(one.at),
        one.agent if one.tool == "Agent" else f"{one.agent} ({one.tool})",
        _short(one.happened),
        f"{_short(one.simulated)}{_roughly(one)}",
        figures.money(one.happened_usd),
        about + figures.money(one.simulated_usd),
        one.simulated.reason or "",
    ]


def _trips(found: Sequence[Trip], width: int) -> str:
    columns = [
        Column("Budget"),
        Column("Scope"),
        Column("Level"),
        Column("As it was"),
        Column("Simulated"),
    ]
    rows = [
        [one.budget, one.scope, one.level, _or_never(one.happened), _or_never(one.simulated)]
        for one in found
    ]
    return render(columns, rows, width=width)


def _or_never(at: float | None) -> str:
    return "not" if at is None else _brief(at)


def assumed(found: Simulation) -> Iterator[str]:
    """What the figures rest on."""
    yield "What a denied subagent would have done inline, or not at all, is not counted."
    yield "A subagent on another model is taken to send the same requests there."
    if found.estimated_usd:
        number = sum(one.estimated for one in found.changed)
        yield (
            f"{figures.plural(number, 'spawn')} that were denied would have run (~): they cost what"
            f" their types usually do, {figures.money(found.estimated_usd)} in all."
        )
    yield from _approximate(found)
    if found.unknown:
        yield (
            f"{figures.plural(found.unknown, 'subagent')} would have run on a model nobody knows:"
            " left at what they cost."
        )
    if found.unlinked:
        yield (
            f"{figures.plural(found.unlinked, 'workflow')} would have been denied, but which"
            " requests were theirs is not known: left in."
        )
    yield "Plan windows are taken as they were reported."


def _approximate(found: Simulation) -> Iterator[str]:
    older = found.approximate - found.reconstructed
    if older:
        yield (
            f"{figures.plural(older, 'decision')} from before inputs were kept are approximate (≈)."
        )
    if found.reconstructed:
        runs = figures.plural(found.reconstructed, "subagent run")
        yield f"{runs} without a decision: approximate (≈), told by what ran."


def _more(number: int) -> Iterator[str]:
    if number > SHOWN:
        yield f"… and {number - SHOWN:,} more; --json has all of them."


def _short(one: Verdict) -> str:
    return f"{one.action} {one.set}" if one.set else one.action


def _words(one: Verdict) -> str:
    share = "" if one.used is None else f" at {figures.share(one.used)}"
    budget = f", {one.budget}{share}" if one.budget else ""
    return f"{_short(one)}{budget}: {one.reason}" if one.reason else f"{_short(one)}{budget}"


def _roughly(one: Changed) -> str:
    return " ≈" if one.approximate else ""


def _brief(at: float) -> str:
    """Within a table, whose days are told: Nov 21 12:01."""
    return time.strftime("%b %d %H:%M", time.localtime(at))


def _moment(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))

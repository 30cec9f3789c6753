"""When each budget reached which level, and when it would have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from claude_tier_hooks import budget as budgets

from claude_tier.report.days import Span
from claude_tier.report.simulate.history import Windows
from claude_tier.report.simulate.result import Trip
from claude_tier.report.simulate.tally import HAPPENED, SIMULATED, STEPS, Crossing, Key, Tally

_ALL: Key = (-1, -1)


def trips(
    before: Sequence[Tally],
    after: Sequence[Tally],
    windows: Windows,
    names: dict[int, str],
    span: Span,
) -> tuple[Trip, ...]:
    """Both sides in one row where they are of one budget, scope, period and level."""
    found: dict[tuple[str, str, float, str], list[float | None]] = {}
    for side, tallies in ((HAPPENED, before), (SIMULATED, after)):
        for tally in tallies:
            for one in _crossings(tally, side, windows):
                scope = _scope(tally, one.key, names)
                place = (tally.budget["name"], scope, one.since, one.level)
                found.setdefault(place, [None, None])[side] = one.at
    made = [Trip(*place, *sides) for place, sides in found.items()]
    since = float("-inf") if span.since is None else span.since
    return tuple(sorted((one for one in made if _first(one) >= since), key=_first))


def _first(trip: Trip) -> float:
    return min(at for at in (trip.happened, trip.simulated) if at is not None)


def _crossings(tally: Tally, side: int, windows: Windows) -> Iterator[Crossing]:
    if tally.plan:
        yield from _of_plan(tally, side, windows)
    yield from (one for one in tally.crossings if one.side == side)


def _of_plan(tally: Tally, side: int, windows: Windows) -> Iterator[Crossing]:
    """From what the plan reported, which the other policy would have changed nobody knows how."""
    budget = tally.budget
    length = budgets.WINDOWS[budget["period"]]
    until, reached = 0.0, 0
    for at, used, resets in windows.samples.get(budget["period"], ()):
        if abs(resets - until) > budgets.JITTER:
            until, reached = resets, 0
        while reached < len(STEPS) and used / budget["limit"] >= budget[STEPS[reached]] - 1e-12:
            yield Crossing(_ALL, until - length, STEPS[reached], side, at)
            reached += 1


def _scope(tally: Tally, key: Key, names: dict[int, str]) -> str:
    """user, agent reviewer, project /repo/app, session 1111-aaaa."""
    scope = tally.budget["scope"]
    parts = [f"agent {scope['name']}"] if scope["kind"] == "agent" else []
    session, project = key
    parts += [f"project {names.get(project, 'unknown')}"] if project != -1 else []
    parts += [f"session {names.get(session, 'unknown')}"] if session != -1 else []
    return ", ".join(parts) or "user"

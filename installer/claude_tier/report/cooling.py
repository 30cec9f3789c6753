"""The screen of what is kept out after a failure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from claude_tier.report.decisions import printable
from claude_tier.report.table import Column, render
from claude_tier.routing import wording
from claude_tier.routing.cooling import Cooling

NONE = "Nothing is cooling."


def as_text(found: Sequence[Cooling], *, now: float, width: int) -> str:
    """A line for each, with the failure behind it and the command that ends it."""
    if not found:
        return NONE
    columns = [
        Column("Kept out"),
        Column("Cause"),
        Column("Since", figures=True),
        Column("Next try", figures=True),
        Column("Why"),
        Column("To ask it again", spare=1),
    ]
    return render(columns, [_row(one, now) for one in found], width=width)


def _row(one: Cooling, now: float) -> list[str]:
    since = wording.moment(one.since, now)
    return [one.what, one.cause, since, _next(one, now), printable(one.why), one.clear]


def _next(one: Cooling, now: float) -> str:
    if one.until is None:
        return "with another key"
    if one.probing:
        return "under way"
    if one.until <= now:
        return "next request"
    return wording.moment(one.until, now) + (" (its word)" if one.named else "")


def lines(found: Sequence[Cooling], now: float) -> Iterator[str]:
    """For `status`: one sentence for each that is not asked now."""
    for one in (each for each in found if each.holds(now)):
        cause = wording.CAUSES[one.cause]
        yield f"{one.what} is not asked {wording.until(one, now)}: {cause}. `{one.clear}`"

"""A choice of route as text and JSON: where a task goes, and why nowhere else."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from claude_tier.report.decisions import printable
from claude_tier.report.table import Column, render
from claude_tier.routing import target as names
from claude_tier.routing import wording
from claude_tier.routing.classify import Recognised
from claude_tier.routing.cooling import Cooling
from claude_tier.routing.routes import Choice
from claude_tier.routing.target import Target

if TYPE_CHECKING:
    from claude_tier.config import Config
    from claude_tier.routing.by_hand import Emergency
    from claude_tier.routing.router import Allowed

SHOWN = 8  # pieces of evidence for each of the first kinds
RIVALS = 3  # kinds that are shown with their evidence


@dataclass(frozen=True)
class Place:
    """A target, whether it runs here, what keeps it out, and why it may not be asked at all."""

    target: Target
    local: bool
    kept: Cooling | None
    why_not: str | None = None

    def fields(self) -> dict[str, object]:
        """The JSON of it."""
        kept = self.kept and self.kept.fields()
        return {
            "target": str(self.target),
            "local": self.local,
            "cooling": kept,
            "why_not": self.why_not,
        }


@dataclass(frozen=True)
class Explained:
    """A task, where it goes, and how that came about.

    In an emergency the local targets that stand in follow those of the route.
    """

    recognised: Recognised
    choice: Choice
    places: tuple[Place, ...]
    emergency: Emergency | None = None

    def fields(self) -> dict[str, object]:
        """The JSON of it."""
        return {
            **self.recognised.fields(),
            "route": self.choice.route,
            "why": self.choice.why,
            "emergency": self.emergency and self.emergency.fields(),
            "targets": [place.fields() for place in self.places],
            "considered": [
                {"route": one.route, "leads_to": one.leads_to, "matched": one.matched,
                 "why_not": one.why}
                for one in self.choice.considered
            ],
        }  # fmt: skip


def explained(
    config: Config,
    recognised: Recognised,
    choice: Choice,
    *,
    allowed: Allowed,
    cooling: Sequence[Cooling],
) -> Explained:
    """With what is known of each target, and whom the router would let it ask."""
    whys = {target: why for target, _, why in allowed.kept}
    found = dict.fromkeys((*choice.targets, *allowed.targets))
    places = (
        Place(one, names.is_local(config, one), _keeping(one, cooling), whys.get(one))
        for one in found
    )
    return Explained(recognised, choice, tuple(places), allowed.because)


def _keeping(target: Target, cooling: Sequence[Cooling]) -> Cooling | None:
    return next((one for one in cooling if one.what in (target.provider, str(target))), None)


def as_text(found: Explained, *, now: float, width: int) -> str:
    """The kind, the route and its targets in order."""
    kind = found.recognised.kind or "not told"
    lines = [f"{kind} -> {printable(found.choice.route)} ({printable(found.choice.why)})"]
    if on := found.emergency:
        lines.append(f"Emergency mode, {on.text(now)}: only models on this machine are asked.")
        lines.append(f"To end it: {on.ends}")
    numbers = itertools.count(1)
    rows = [
        [
            "" if one.why_not else str(next(numbers)),
            str(one.target),
            "local" if one.local else "remote",
            _not_asked(one, now),
        ]
        for one in found.places
    ]
    columns = [Column(""), Column("Target"), Column("Runs"), Column("Not asked")]
    table = render(columns, rows, width=width)
    nobody = ["Nobody is left to ask."] if all(one.why_not for one in found.places) else []
    return "\n".join([*lines, table, *nobody])


def _not_asked(one: Place, now: float) -> str:
    if one.kept:
        return f"{wording.until(one.kept, now)} ({wording.CAUSES[one.kept.cause]})"
    return printable(one.why_not or "")


def reasons(found: Explained, *, width: int) -> str:
    """What the choice rests on."""
    one = found.recognised
    rows = [
        ["Kind", f"{one.kind or 'not told'}, {one.confidence:.0%} likely"],
        *([f"  {kind}", _evidence(one, kind)] for kind in list(one.scores)[:RIVALS]),
        ["Complexity", f"{one.complexity}: {'; '.join(one.demand.reasons) or 'nothing raises it'}"],
        ["Tools", ", ".join(sorted(one.tools)) or "none"],
        ["Context", f"about {one.context_tokens:,} tokens"],
        *_considered(found.choice),
    ]
    return render([Column("What"), Column("Why")], rows, width=width)


def _evidence(found: Recognised, kind: str) -> str:
    hits = [hit for hit in found.evidence if hit.kind == kind]
    told = ", ".join(f"{printable(hit.found)} {hit.weight:+g}" for hit in hits[:SHOWN])
    more = f" and {len(hits) - SHOWN} more" if len(hits) > SHOWN else ""
    return f"{found.scores[kind]:g}: {told}{more}"


def _considered(choice: Choice) -> Iterator[list[str]]:
    for one in choice.considered:
        yield [f"Route {printable(one.route)}", f"{one.leads_to}: {one.why or 'taken'}"]

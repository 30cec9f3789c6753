"""Files, beats and what they may do, as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from claude_tier.config.faults import printable
from claude_tier.heartbeat.beat import Beat
from claude_tier.heartbeat.listing import Listed
from claude_tier.heartbeat.parts import is_empty
from claude_tier.heartbeat.preview import Preview, when
from claude_tier.pipelines.screen import dollars, safe
from claude_tier.report.table import Column, render, wrapped

PREVIEWS = (
    Column("Beat"),
    Column("When"),
    Column("Next three"),
    Column("Asks", spare=1),
    Column("Bytes", figures=True, spare=2),
    Column("A run", figures=True),
    Column("A day", figures=True),
)
LISTED = (Column("Beat"), Column("When", spare=1), Column("Next"), Column("Asks"), Column("State"))
STATES = {
    "allowed": "runs",
    "changed": "changed: add the file again",
    "new": "new: add the file again",
    "empty": "nothing to do in it",
    "off": "off",
}


def previews(shown: Sequence[Preview], *, width: int) -> str:
    """A table of what they would do, with the free checks and the tools below it."""
    rows = [
        [
            one.beat.name,
            when(one.beat),
            moments(one.next, one.beat.tz),
            ", then ".join(one.beat.models),
            f"{one.bytes:,}",
            "depends on tools" if one.beat.tools and one.bytes else dollars(one.usd),
            "" if one.usd is None else dollars(one.usd_a_day),
        ]
        for one in shown
    ]
    table = render(PREVIEWS, rows, width=width)
    return "\n".join([table, *wrapped(_allowed(one.beat for one in shown), width)])


def powers(beats: Iterable[Beat]) -> str:
    """What allowing them means, a paragraph for each."""
    return "\n".join(line for beat in beats for line in _powers(beat))


def _powers(beat: Beat) -> Iterator[str]:
    yield f"{beat.name}: {when(beat)} ({beat.tz}), asks {', then '.join(beat.models)}"
    if beat.check:
        yield from _command(beat)
    if beat.tools:
        yield f"  with the tools {', '.join(beat.tools)}, and with what its text says now"
    if beat.usd:
        yield f"  at most {dollars(beat.usd)} a run"


def _command(beat: Beat) -> Iterator[str]:
    """Every line of it, whole: it is what one agrees to."""
    yield f"  runs in {safe(str(beat.file.parent))}:"
    for line in (beat.check or "").splitlines():
        yield f"    {line if line.isprintable() else ascii(line)[1:-1]}"


def _allowed(beats: Iterable[Beat]) -> Iterator[str]:
    for beat in beats:
        if is_empty(beat.prompt):
            yield f"{beat.name} has no item yet: nothing is asked, and nothing is spent."
        if beat.check:
            yield f"{beat.name} first runs `{printable(beat.check)}`, and asks if that has output."
        if beat.tools:
            yield f"{beat.name} may use {', '.join(beat.tools)}."


def listed(one: Listed, *, width: int) -> str:
    """One file that was added, with its beats or its first fault."""
    if one.faults:
        return f"{safe(str(one.path))}\nNothing in it runs:\n" + "\n".join(map(str, one.faults))
    rows = [
        [
            each.beat.name,
            when(each.beat),
            "" if each.next is None else moments([each.next], each.beat.tz),
            ", then ".join(each.beat.models),
            STATES[each.state],
        ]
        for each in one.beats
    ]
    return f"{safe(str(one.path))}\n{render(LISTED, rows, width=width)}"


def moments(times: Sequence[float], tz: str) -> str:
    """As a clock there shows them, a day only where it is another: Fri Nov 27 18:30, 19:00."""
    shown, last = [], ""
    for time in times:
        wall = datetime.fromtimestamp(time, ZoneInfo(tz))
        day = f"{wall:%a %b %d} "
        shown.append(("" if day == last else day) + f"{wall:%H:%M}")
        last = day
    return ", ".join(shown)

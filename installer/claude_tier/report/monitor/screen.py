"""The monitor's screen: a snapshot, a time and a size -> exactly as many lines as fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.text import Text

from claude_tier.report.monitor import sections, shapes
from claude_tier.report.monitor.sections import Room, Section
from claude_tier.report.monitor.snapshot import Snapshot

TWO_COLUMNS = 116  # columns of a terminal from which sections stand beside each other
TALL = 30  # lines of a terminal from which there is room for more than text
BETWEEN = 4
PRESSING = 4  # lines that what is wrong may take, at most


class Size(NamedTuple):
    """A terminal in cells; `plain` where it knows ASCII only."""

    width: int
    height: int
    plain: bool = False


def render(found: Snapshot, *, now: float, size: Size) -> Text:
    """The screen: what is on, what is wrong, the sections, and the ledger's health."""
    room = Room(size.width, now, size.plain, chart=3 if size.height >= TALL else 1)
    top = [sections.heading(found, room), *sections.wrong(found, room)[:PRESSING]]
    below = [Text()] * (size.height >= TALL) + [sections.health_line(found, room)]
    body = _body(found, room, size.height - len(top) - len(below))
    found_lines = [*top, *body, *below][: max(1, size.height)]
    lines = [shapes.fitted(line, size.width) for line in found_lines]
    whole = Text("\n", no_wrap=True, overflow="crop").join(lines)
    return _spelled(whole) if size.plain else whole


def _spelled(text: Text) -> Text:
    """In ASCII as far as what is ours goes: the mark of what was cut, as wide."""
    text.plain = text.plain.replace(shapes.CUT, shapes.PLAIN_CUT)
    return text


def _body(found: Snapshot, room: Room, height: int) -> list[Text]:
    """Exactly `height` lines."""
    if room.width < TWO_COLUMNS:
        return _stacked(
            [
                sections.of_budgets(found, room),
                sections.of_spending(found, room),
                sections.of_sessions(found, room),
                sections.of_runs(found, room),
                sections.of_decisions(found, room),
            ],
            height,
        )
    less = room._replace(width=(room.width - BETWEEN) // 2)
    more = room._replace(width=room.width - less.width - BETWEEN)
    left = [sections.of_budgets(found, less), sections.of_spending(found, less)]
    left.append(sections.of_sessions(found, less))
    right = [sections.of_runs(found, more), sections.of_decisions(found, more)]
    beside = zip(_stacked(left, height), _stacked(right, height), strict=True)
    return [shapes.padded(one, less.width + BETWEEN) + other for one, other in beside]


def _stacked(found: Sequence[Section], height: int) -> list[Text]:
    """Sections below each other, apart by an empty line where that costs none of them a line."""
    height = max(0, height)
    wanted = [len(one.rows) for one in found]
    needed = sum(one.least if one.endless else len(one.rows) for one in found)
    apart = height >= needed + 2 * len(found)
    room = height - len(found) * (2 if apart else 1)
    given = shared([one.least for one in found], wanted, room)
    lines = []
    for one, rows in zip(found, given, strict=True):
        lines += [Text()] * apart + [_title(one, rows), *_cut(one, rows)]
    lines = lines[:height]
    return lines + [Text()] * (height - len(lines))


def _title(found: Section, number: int) -> Text:
    """Where there is no line to say in how many rows are hidden, the heading does."""
    hidden = len(found.rows) - number
    if hidden <= 0 or found.endless or number >= 2:
        return found.title
    return found.title + Text(f"  ({hidden} more)", sections.QUIET)


def _cut(found: Section, number: int) -> list[Text]:
    """So many of its rows, the last one saying how many more there are."""
    hidden = len(found.rows) - number + 1
    if number >= len(found.rows) or found.endless or number < 2:
        return found.rows[:number]
    return [*found.rows[: number - 1], Text(f"and {hidden} more", sections.QUIET)]


def shared(least: Sequence[int], wanted: Sequence[int], room: int) -> list[int]:
    """Lines for each: first the least, then one more in turn as long as there is room."""
    given = [0] * len(wanted)
    for goal in (least, wanted):
        while room > 0:
            short = [n for n, lines in enumerate(given) if lines < goal[n]]
            for number in short[:room]:
                given[number] += 1
            if not short:
                break
            room -= len(short[:room])
    return given

"""`heartbeat status` as text."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from datetime import datetime

from claude_tier.heartbeat import history, scheduling
from claude_tier.heartbeat.alerts import Alert
from claude_tier.heartbeat.health import BeatHealth, Health
from claude_tier.heartbeat.history import Receipt
from claude_tier.heartbeat.screen import STATES, moments
from claude_tier.report import figures, sessions
from claude_tier.report.decisions import printable
from claude_tier.report.table import Column, render, wrapped

SHOWN = 160  # characters of an alert
COLUMNS = (
    Column("Beat"),
    Column("Last run"),
    Column("Came to"),
    Column("Skipped since", spare=1),
    Column("Next"),
)


def as_text(found: Health, *, now: float, width: int) -> str:
    """The screen: whether ticks come, the budget, a line for each beat, what they had to say."""
    sections = [
        wrapped([*_scheduler(found, now), _budget(found)], width),
        [*_beats(found, width)],
        wrapped([*_broken(found), *_off(found)], width),
        wrapped([*_alerts(found)], width),
    ]
    return "\n\n".join("\n".join(lines) for lines in sections if lines)


def _scheduler(found: Health, now: float) -> Iterator[str]:
    name = found.record.scheduler if found.record else "a scheduler of your own"
    last = "no tick has come yet"
    if found.last_tick is not None:
        last = f"the last tick came {sessions.age(found.last_tick, now)} ago"
    if found.scheduler == "none":
        yield "No scheduler is installed, so nothing runs: `claude-tier heartbeat install`."
    elif found.scheduler == "alive":
        yield f"Alive: {name}, {last}."
    else:
        yield f"DEAD: {name}, {last}. One is due every minute."
        if found.record:
            yield f"  {scheduling.look(found.record.scheduler)}"
            yield from _gone(found)


def _gone(found: Health) -> Iterator[str]:
    """What the entry starts, where that is no longer there."""
    assert found.record
    for path in (found.record.python, found.record.script):
        if not os.access(path, os.R_OK):
            yield f"  {path} is gone: `claude-tier heartbeat install` writes the entry anew."


def _budget(found: Health) -> str:
    one = found.budget
    used = figures.money(one.used, at_least=one.unpriced_requests > 0)
    limit = figures.money(one.limit)
    text = f"Budget of all beats: {used} of {limit} a {one.period}, {one.level}."
    return text + (" Only free checks run." if one.level == "stop" else "")


def _beats(found: Health, width: int) -> Iterator[str]:
    if found.beats:
        yield render(COLUMNS, [_row(one) for one in found.beats], width=width)
    elif not found.broken:
        yield "No beat: `claude-tier heartbeat add` lets those of a HEARTBEAT.md run."


def _row(one: BeatHealth) -> list[str]:
    later = one.last if one.last and one.last != one.ran else None
    return [
        one.beat.name,
        history.moments(one.ran) if one.ran else "never",
        _came_to(one.ran) if one.ran else "",
        _skipped(later) if later else "",
        STATES.get(one.state, one.state) if one.next is None else _next(one),
    ]


def _next(one: BeatHealth) -> str:
    return moments([one.next], one.beat.tz) if one.next is not None else ""


def _came_to(one: Receipt) -> str:
    """well (claude-haiku-5-5), or failed: why."""
    if one.reason:
        return f"{one.came_to}: {printable(one.reason)}"
    return one.came_to + (f" ({printable(one.answered)})" if one.served else "")


def _skipped(one: Receipt) -> str:
    times = f"{one.slots} times, " if one.slots > 1 else ""
    return f"{times}{datetime.fromtimestamp(one.last):%b %d %H:%M}: {printable(one.reason or '')}"


def _broken(found: Health) -> Iterator[str]:
    for one in found.broken:
        way = f"`claude-tier heartbeat remove {shlex.quote(printable(str(one.path)))}`"
        yield f"{one.faults[0]}"
        yield f"  Nothing of that file runs: mend it, or {way}."


def _off(found: Health) -> Iterator[str]:
    for one in found.beats:
        if one.state == "off":
            way = f"`claude-tier heartbeat enable {one.beat.name}`"
            yield f"{one.beat.name} is off ({printable(one.why or '')}): {way}."


def _alerts(found: Health) -> Iterator[str]:
    if found.alerts:
        unseen = f", {found.unseen} not shown in a session yet" if found.unseen else ""
        yield f"The newest alerts{unseen}:"
    yield from map(_alert, found.alerts)
    if more := found.kept - len(found.alerts):
        yield f"  and {more} more before"


def _alert(one: Alert) -> str:
    words = printable(" ".join(one.text.split()))
    shown = words if len(words) <= SHOWN else words[: SHOWN - 1] + "…"
    times = f" ({one.times} times)" if one.times > 1 else ""
    return f"  {datetime.fromtimestamp(one.at):%b %d %H:%M} {one.beat or one.file}{times}: {shown}"

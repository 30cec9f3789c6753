"""The monitor's sections as lines of text, each made for a width.

Levels are words as well as colours; the colours are of middle brightness, so that they can be
read on light and dark. What others wrote is text, never markup, and steers no terminal.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from claude_tier_hooks import budget, decision, emergency
from claude_tier_hooks import decisions as proofs
from claude_tier_hooks import pace as speed
from rich.text import Text

from claude_tier.report import cooling, decisions, figures, status_screen
from claude_tier.report.budgets import Standing
from claude_tier.report.decisions import Decision
from claude_tier.report.monitor import shapes
from claude_tier.report.monitor.snapshot import HOURS, Run, Snapshot, Spent, Working
from claude_tier.report.pace import Pace

LEVELS = {"ok": "color(28)", "warn": "color(136)", "cap": "color(166)", "stop": "bold color(160)"}
WRONG = "bold color(160)"
HELD = "color(28)"
QUIET = "dim"
HEADING = "bold color(31)"
BAR = (8, 30)  # cells of a bar
NAMES = 18  # cells of a budget's or an agent's name
WIDE = 72  # columns from which a section shows what it can do without


class Section(NamedTuple):
    """A heading, what it holds, and the fewest of its lines that say something.

    Of an `endless` one nobody misses the lines that do not fit.
    """

    title: Text
    rows: list[Text]
    least: int = 1
    endless: bool = False


class Room(NamedTuple):
    """Columns, the time, whether the terminal knows ASCII only, and lines of the chart."""

    width: int
    now: float
    plain: bool = False
    chart: int = 1


def text(words: str, style: str = "") -> Text:
    """Words of whatever origin, printable only."""
    return Text().append(decisions.printable(words), style)


def _title(name: str, more: str = "") -> Text:
    return text(name, HEADING) + text(f"  {more}" if more else "", QUIET)


def of_budgets(found: Snapshot, room: Room) -> Section:
    limits = sorted(_limits(found, room), key=lambda one: one.rank, reverse=True)
    lines = _bars(limits, room) or [text("No budget is set.", QUIET)]
    return Section(_title("Budgets"), lines, least=min(2, len(lines)))


class _Limit(NamedTuple):
    """A budget or plan window: its share, its figures, and what becomes of it at this pace.

    The highest `rank`, of level and share, is the most pressing.
    """

    rank: tuple[int, float]
    name: str
    share: float | None
    style: str
    figures: str
    forecast: str


def _limits(found: Snapshot, room: Room) -> Iterator[_Limit]:
    hours = {one.name: _forecast(one, room) for one in found.paces if one.kind == "budget"}
    for one in found.budgets:
        style = LEVELS[one.level] if one.share is not None else QUIET
        rank = (budget.LEVELS.index(one.level), -1.0 if one.share is None else one.share)
        yield _Limit(rank, one.name, one.share, style, _figures(one), hours.get(one.name, ""))
    for window in found.paces:
        if window.kind == "window":
            words = f"{figures.share(window.used):>5}  of the plan"
            rank = (0, window.used or 0.0)
            yield _Limit(rank, window.name, window.used, "", words, _forecast(window, room))


def _figures(one: Standing) -> str:
    """` 62 %  ok    $6.20 of $10.00`; the level stands beside every colour."""
    if one.share is None:
        return f"{figures.UNKNOWN:>7}"
    limit = figures.amount(one.limit, one.unit)
    used = figures.amount(one.used, one.unit)
    more = "+" if one.unpriced_requests else ""
    return f"{figures.share(one.share):>5}  {one.level:<4}  {used}{more} of {limit}"


def _forecast(one: Pace, room: Room) -> str:
    """The next level it reaches before it resets: cap at 17:10."""
    ahead = (hit for hit in one.hits if hit.state == speed.EXPECTED and hit.at is not None)
    hit = next(ahead, None)
    return f"{hit.level} at {speed.moment(hit.at, room.now)}" if hit and hit.at else ""


def _bars(limits: Sequence[_Limit], room: Room) -> list[Text]:
    """A forecast is left out before a name is cut, and a name is cut before a figure."""
    if not limits:
        return []
    wanted = min(NAMES, max(len(one.name) for one in limits))
    rest = max(len(one.figures) for one in limits)
    last = max(len(one.forecast) for one in limits)
    free = room.width - rest - 2 * shapes.GAP - BAR[0]  # for the name and the forecast
    if free < wanted + last + shapes.GAP or not last:
        last = -shapes.GAP
    name = max(shapes.LEAST, min(wanted, free - last - shapes.GAP))
    size = max(BAR[0], min(BAR[1], BAR[0] + free - last - shapes.GAP - name))
    return [_bar(one, (name, size, rest, last), room) for one in limits]


def _bar(one: _Limit, widths: tuple[int, int, int, int], room: Room) -> Text:
    name, size, rest, last = widths
    cells = [
        shapes.padded(text(one.name), name),
        text(shapes.bar(one.share, size, plain=room.plain), one.style),
        shapes.padded(text(one.figures, one.style), rest),
    ]
    cells += [text(one.forecast)] if last > 0 else []
    line = Text(" " * shapes.GAP).join(cells)
    line.rstrip()
    return shapes.fitted(line, room.width)


def of_spending(found: Snapshot, room: Room) -> Section:
    """Dollars of each of the last 24 hours, with the hours of the clock below."""
    each = 2 if room.width >= 2 * HOURS else 1
    rows = [text("Nothing was spent in the last 24 hours.", QUIET)]
    if any(hour.usd or hour.unpriced_requests for hour in found.hours):
        values = [hour.usd or 0.0 for hour in found.hours]
        lines = shapes.chart(values, each=each, rows=room.chart, plain=room.plain)
        rows = [text(line, "color(31)") for line in lines]
        rows += [text(_clock(found.hours, each), QUIET)]
    title = shapes.fitted(_title("Spent per hour", _spent(found, room)), room.width)
    return Section(title, rows, least=min(room.chart + 1, len(rows)))


def _spent(found: Snapshot, room: Room) -> str:
    today, top = found.today, max(found.hours, key=lambda hour: hour.usd or 0.0)
    words = [f"today {_money(today)}"]
    words += [f"{figures.count(today.tokens)} tokens"] * (room.width >= WIDE)
    words += [f"in 24 h at most {_money(top)} at {_at(top.since)}"] * bool(top.usd)
    return ", ".join(words)


def _money(spent: Spent | Working) -> str:
    return figures.money(spent.usd, at_least=spent.unpriced_requests > 0)


def _clock(hours: Sequence[Spent], each: int) -> str:
    """The hour below every sixth step: 18, 00, 06, 12."""
    line = [" "] * (len(hours) * each + 2)
    for number, hour in enumerate(hours):
        local = time.localtime(hour.since).tm_hour
        if local % 6 == 0:
            line[number * each : number * each + 2] = f"{local:02}"
    return "".join(line)[: len(hours) * each].rstrip()


def of_sessions(found: Snapshot, room: Room) -> Section:
    rows = [_session(one, room) for one in found.sessions]
    return _table("Sessions", rows, room, gives=5, none="No session runs.")


def _table(
    name: str, rows: Sequence[Sequence[Text]], room: Room, *, gives: int, none: str
) -> Section:
    """Rows with their number in the heading; the age and a figure stand to the right."""
    lines = shapes.columns(rows, room.width, gives=gives, right=(2, 3))
    return Section(_title(name, _number(rows)), lines or [text(none, QUIET)])


def _session(one: Working, room: Room) -> list[Text]:
    wide = room.width >= WIDE
    return [
        text(one.session.id[:8], QUIET),
        text("busy" if one.session.busy else "idle", "bold" if one.session.busy else ""),
        text(ago(one.session.since, room.now)),
        text(_money(one)),
        text(short(one.model) if one.model and wide else ""),
        text(status_screen.home(one.session.folder)),
    ]


def of_runs(found: Snapshot, room: Room) -> Section:
    rows = [_run(one, room) for one in found.runs]
    return _table("Subagents", rows, room, gives=0, none="No subagent runs.")


def _run(one: Run, room: Room) -> list[Text]:
    starting = f"{one.set or 'a model'}, no answer yet"
    word = f"{ago(one.last, room.now)} ago" if one.last else ago(one.at, room.now)
    return [
        text(one.agent),
        text(short(one.model)) if one.model else text(starting, QUIET),
        text(f"{figures.count(one.tokens)} tokens" if one.tokens else ""),
        text(word, QUIET),
        text(one.session[:8] if room.width >= WIDE else "", QUIET),
    ]


def of_decisions(found: Snapshot, room: Room) -> Section:
    """The newest first, each with its proof."""
    rows = [_decision(one) for one in found.decisions]
    lines = shapes.columns(rows, room.width, gives=3)
    none = [text(decisions.NONE, QUIET)]
    return Section(_title("Decisions"), lines or none, least=min(3, len(lines) or 1), endless=True)


def _decision(one: Decision) -> list[Text]:
    at, agent, done, reason = decisions.outline(one)
    denied = one.action == decision.DENIED
    proof = _proof(one)
    more = "" if reason == f"assigned to {one.set}" else reason  # `done` says that already
    return [
        text(at, QUIET),
        shapes.fitted(text(agent), NAMES),
        text(short(done), LEVELS["cap"] if denied else ""),
        proof + text("; " if proof and more else "") + text(more, QUIET),
    ]


def _proof(one: Decision) -> Text:
    if one.ran is None:
        return text("" if one.action == decision.DENIED else "no answer yet", QUIET)
    ran = f"ran {short(one.ran)}"
    if one.proof is None:
        return text(ran)
    if one.proof == proofs.HELD:
        return text(f"{ran}, as set", HELD)
    return text(f"NOT as set, {ran}", WRONG)


def heading(found: Snapshot, room: Room) -> Text:
    """Name, switch, and at the right the time and the key that ends it."""
    switch, style = f"on, preset {found.preset}", ""
    until = found.off_until
    if until is not None:
        end = "" if until == float("inf") else f" until {_at(until)}"
        switch, style = f"OFF, only counting{end}", WRONG
    left = text("claude-tier  ", HEADING) + text(switch, style)
    clock = time.strftime("%H:%M:%S", time.localtime(room.now))
    right = text(f"  {clock}  q ends", QUIET)
    rest = room.width - len(right)
    return shapes.padded(left, rest) + right if rest > 0 else shapes.fitted(left, room.width)


def wrong(found: Snapshot, room: Room) -> list[Text]:
    """What the user has to know or to do, the most pressing first."""
    return [shapes.fitted(text(f"! {words}", WRONG), room.width) for words in _wrong(found)]


def _wrong(found: Snapshot) -> Iterator[str]:
    health = found.health
    if found.notice:
        yield f"{found.notice} Shown: {time.strftime('%H:%M:%S', time.localtime(found.at))}."
    if health.damaged:
        yield "A damaged ledger was set aside: run `claude-tier ledger rebuild`."
    yield from health.mistakes
    yield from _emergency(found)
    wrong = ", ".join(status_screen.heartbeat_faults(health.heartbeat)) if health.heartbeat else ""
    if wrong:
        yield f"Heartbeat: {wrong}: `claude-tier heartbeat status`."
    if health.spooled:
        yield f"{figures.plural(health.spooled, 'decision')} wait in the spool."
    yield from _cooling(found)
    if found.today.unpriced_requests:
        of = figures.plural(found.today.unpriced_requests, "request")
        yield f"{of} of today without a price: `claude-tier prices`."


def _emergency(found: Snapshot) -> Iterator[str]:
    """In two lines, so that neither the reason nor the way out is cut off."""
    on = found.router.emergency
    if on:
        yield f"Local models only: {on.text(found.at)}."
        way_out = emergency.way_out(on.ends)
        yield f"{way_out[0].upper()}{way_out[1:]} has the others asked again."


def _cooling(found: Snapshot) -> Iterator[str]:
    """One line, whatever the number: the sentence of the only one, or the first of several."""
    held = found.router.holding(found.at)
    if len(held) < 2:
        yield from cooling.lines(held, found.at)
        return
    names = ", ".join(one.what for one in held[:2])
    more = f" and {len(held) - 2} more" if len(held) > 2 else ""
    yield f"{names}{more} are cooling: `claude-tier cooldown list`."


def health_line(found: Snapshot, room: Room) -> Text:
    """How large the ledger is, its newest copy, and when a hook last ran."""
    health = found.health
    words = [f"Ledger {figures.size(health.bytes)}"]
    words += ["no backup yet" if not health.last_backup else _backup(health.last_backup)]
    words += [
        f"last session started {ago(health.last_hook, room.now)} ago"
        if health.last_hook is not None
        else "no hook has run yet"
    ]
    words += ["configuration changed, taken up at the next prompt"] * health.stale
    return shapes.fitted(text("; ".join(words) + ".", QUIET), room.width)


def _backup(path: str) -> str:
    return f"backup {path.rpartition('/')[2].removeprefix('ledger-').removesuffix('.db')}"


def short(model: str) -> str:
    """claude-haiku-5-5 -> haiku-5-5; other names as they are."""
    return model.removeprefix("claude-").replace(": claude-", ": ")


def ago(since: float | None, now: float) -> str:
    """12 s, 5 min, 3 h, 2 days; empty when not known."""
    if since is None:
        return ""
    seconds = max(0, int(now - since))
    for size, unit in ((172_800, "days"), (7_200, "h"), (120, "min")):
        if seconds >= size:
            return f"{seconds // {'days': 86_400, 'h': 3_600, 'min': 60}[unit]} {unit}"
    return f"{seconds} s"


def _at(epoch: float) -> str:
    return time.strftime("%H:%M", time.localtime(epoch))


def _number(rows: Sequence[object]) -> str:
    return str(len(rows)) if rows else ""

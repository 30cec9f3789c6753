"""The spending as text: tables that fit the terminal, and notes on what they cannot say."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, cast

from claude_tier_hooks import policy, prices

from claude_tier.report import calendar, figures, totals
from claude_tier.report.decisions import printable
from claude_tier.report.spending.rows import NOTHING, Row, Spending, cache_share
from claude_tier.report.status_screen import home
from claude_tier.report.table import GAP, NARROWEST, Column, render, wrapped
from claude_tier.report.totals import Sums

Extra = Mapping[str, object]
BEYOND = "Unlisted"
ROUTED = (
    "Of the router's requests: it was asked in vain (Failed), it answered in the place of another"
    " (Instead), half of its answers took no longer (Median)."
)
UNLISTED = "Unlisted: charged beyond what transcripts show (compaction, titles)."
# What goes first where room is short: both follow from the columns beside them.
_SPARE = {"Share": 2, "Per request": 1}
_NEWEST = ("day", "week", "month", "session", "block")


class Layout(NamedTuple):
    """The headings of a row's texts and of its figures, and what stands below them."""

    names: tuple[str, ...]
    texts: Callable[[Row], list[str]]
    figures: tuple[str, ...]
    cells: Callable[[Sums, Extra], list[str]]


def as_text(found: Spending, *, width: int) -> str:
    """The screen of it."""
    if not found.rows and not found.unlisted.tokens:
        return "Nothing was used."
    layout = _routed(_layout(found.by)) if found.routed else _layout(found.by)
    numbers = (Column(name, figures=True, spare=_SPARE.get(name, 0)) for name in layout.figures)
    columns = [*map(Column, layout.names), *numbers]
    rows = [[*layout.texts(row), *layout.cells(row.sums, row.extra)] for row in found.rows]
    sums = _totals(found, layout)
    if "Project" in layout.names:
        room = _room(rows + sums, columns, width)
        _shorten(rows, layout.names.index("Project"), lambda path: _tail(path, room))
    if found.by == "model":
        _shorten(rows, 0, prices.plain_id)
    notes = [*(wrapped([ROUTED], width) if found.routed else []), *_notes(found)]
    return "\n".join([render(columns, rows, width=width, totals=sums), *notes])


def _totals(found: Spending, layout: Layout) -> list[list[str]]:
    blank = [""] * (len(layout.names) - 1)
    label = "All" if found.left_out else "Total"
    sums = [[label, *blank, *layout.cells(found.totals, NOTHING)]]
    if found.unlisted.tokens:
        beyond = layout.cells(found.unlisted, {"cost_share": None})
        sums.append([BEYOND, *blank, "", *beyond[1:]])  # in how many requests is not known
    return sums


def _usual(sums: Sums, _: Extra) -> list[str]:
    written = sums.cache_write_5m_tokens + sums.cache_write_1h_tokens
    tokens = (sums.input_tokens, sums.output_tokens, sums.cache_read_tokens, written)
    return [f"{sums.requests:,}", *map(figures.count, tokens), _cached(sums), _cost(sums)]


def _short(sums: Sums, _: Extra) -> list[str]:
    return [f"{sums.requests:,}", figures.count(sums.tokens), _cost(sums)]


def _served(sums: Sums, _: Extra) -> list[str]:
    mean = figures.count(sums.tokens / sums.requests) if sums.requests else ""
    return [f"{sums.requests:,}", figures.count(sums.tokens), mean, _cost(sums)]


def _served_share(sums: Sums, extra: Extra) -> list[str]:
    share = cast("float | None", extra.get("cost_share", 1.0))
    return [*_served(sums, extra), "" if share is None else figures.share(share)]


def _routed(layout: Layout) -> Layout:
    """The same with what the router tells of each provider."""
    names = (*layout.figures, "Failed", "Instead", "Median")
    return layout._replace(
        figures=names, cells=lambda sums, extra: [*layout.cells(sums, extra), *_tries(extra)]
    )


def _tries(extra: Extra) -> list[str]:
    """Requests that failed, that it answered instead of another, and how long an answer took."""
    counts = [cast("int | None", extra.get(name)) for name in ("failed_requests", "fallbacks")]
    took = cast("float | None", extra.get("median_seconds"))
    return [
        *("" if number is None else f"{number:,}" for number in counts),
        "" if took is None else f"{took:.1f} s",
    ]


def _cached(sums: Sums) -> str:
    share = cache_share(sums)
    return "" if share is None else figures.share(share)


def _cost(sums: Sums) -> str:
    return figures.money(sums.usd, at_least=sums.unpriced_requests > 0)


def _layout(by: str) -> Layout:
    if by == "session":
        names = ("Session", "Project", "Last", "Models")
        return Layout(names, _conversation, ("Requests", "Tokens", "Cost"), _short)
    if by in ("provider", "route"):
        served = ("Requests", "Tokens", "Per request", "Cost", "Share")
        return Layout((by.capitalize(),), _name, served, _served_share)
    texts = {"project": _project, "block": _block}.get(by, _name)
    columns = ("Requests", "Input", "Output", "Reads", "Writes", "Cached", "Cost")
    return Layout(("Week of" if by == "week" else by.capitalize(),), texts, columns, _usual)


def _name(row: Row) -> list[str]:
    return [printable(row.key)]


def _project(row: Row) -> list[str]:
    return [printable(home(row.key))]


def _block(row: Row) -> list[str]:
    mark = " *" if row.extra["active"] else ""
    return [f"{row.key[:10]} {row.key[11:16]}{mark}"]


def _conversation(row: Row) -> list[str]:
    models = cast("Sequence[str]", row.extra["models"])
    short = dict.fromkeys(policy.family(model) or printable(model) for model in models)
    project = printable(home(str(row.extra["project"])))
    return [printable(row.key[:8]), project, _last(row.extra["last"]), " ".join(short)]


def _last(moment: object) -> str:
    """Nov 20 14:00"""
    if not isinstance(moment, (int, float)):
        return ""
    return time.strftime("%b %d %H:%M", calendar.local(moment))


def _room(rows: Sequence[Sequence[str]], columns: Sequence[Column], width: int) -> int:
    """What is left of the line for a project beside everything else."""
    taken = 0
    for number, one in enumerate(columns):
        widest = max(len(cell) for cell in (one.name, *(row[number] for row in rows)))
        if one.name != "Project":
            taken += widest if one.figures else min(widest, NARROWEST)
    return max(NARROWEST, width - taken - GAP * (len(columns) - 1))


def _shorten(rows: Sequence[list[str]], column: int, shorter: Callable[[str], str]) -> None:
    """Leave off what tells nothing, where the rest still tells the rows apart."""
    short = {row[column]: shorter(row[column]) for row in rows}
    seen = Counter(short.values())
    for row in rows:
        if seen[short[row[column]]] == 1:
            row[column] = short[row[column]]


def _tail(path: str, room: int) -> str:
    """The end of a path that does not fit: .../team/app"""
    if len(path) <= room:
        return path
    parts = path.split("/")
    tails = [".../" + "/".join(parts[n:]) for n in range(1, len(parts))]
    return next((tail for tail in [*tails, parts[-1]] if len(tail) <= room), path)


def _notes(found: Spending) -> Iterator[str]:
    active = next((row for row in found.rows if row.extra.get("active")), None)
    if active:
        until = time.strftime("%H:%M", time.localtime(cast("float", active.extra["end"])))
        yield f"* runs until {until}."
    if found.left_out:
        every = f"{len(found.rows) + found.left_out:,}"
        which = "newest" if found.by in _NEWEST else "dearest"
        yield f"The {which} {len(found.rows)} of {every} {found.by}s; --all shows every one."
    if found.unlisted.tokens:
        yield UNLISTED
    yield from totals.notes(found.unpriced, found.unmeasured)
    if found.unsaved:
        of = figures.plural(found.unsaved, "session")
        yield f"{of} saved no cost: more may have been charged than transcripts show."

"""The screen of `report --savings`."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from claude_tier.report import days, figures
from claude_tier.report.decisions import printable
from claude_tier.report.savings import plan
from claude_tier.report.savings.baselines import MAIN
from claude_tier.report.savings.decided import Decided
from claude_tier.report.savings.measured import Part, Savings
from claude_tier.report.savings.plan import Window
from claude_tier.report.table import Column, render

DECISIONS = 10  # the newest, shown
TEXT = 100  # columns of prose where the terminal is wider
BOOKED = (
    "Taken off is the start of subagents and what was written to a cache again. A run stands whole"
    " under the agent and model of its first answer, an advisor under who asked it, so these sums"
    " may differ from those of `report model`."
)
_WINDOWS = {"five_hour": "five-hour window", "seven_day": "seven-day window"}


def as_text(found: Savings, *, width: int) -> str:
    """The headline, what it is made of, its days, agents, models and decisions, and the method."""
    if not found.total.requests and not found.total.left_out and not found.by_day:
        return "Nothing ran on another tier yet: there is nothing to compare."
    blocks = [
        "\n".join(_headlines(found)),
        _made_of(found, width),
        *_tables(found, width),
        _decisions(found, width),
        "\n".join(_prose(found, width)),
    ]
    return "\n\n".join(block for block in blocks if block)


def _headlines(found: Savings) -> Iterator[str]:
    """For a plan its windows first: nobody pays those dollars."""
    for one in found.plan:
        yield _window(one)
    against = "the main model of each session" if found.baseline == MAIN else found.baseline
    word = "at list prices " if found.plan else ""
    yield f"{_net(found)} {word}against {against}."


def _net(found: Savings) -> str:
    """Saved $1.20, Lost $0.30"""
    return " ".join(_result(found))


def _result(found: Savings) -> list[str]:
    if found.usd is None or found.usd >= 0:
        return ["Saved", signed(found.usd)]
    return ["Lost", figures.money(-found.usd)]


def _window(one: Window) -> str:
    name = _WINDOWS[one.name]
    if one.saved_percent is None:
        return f"Plan, {name}: nothing was spent in it, so nothing is known to be saved."
    verb = "is" if one.current else "was"
    saved = f"{abs(one.saved_percent):.1f} % of it"
    did = f"saved {saved}" if one.saved_percent >= 0 else f"cost {saved} more"
    return f"Plan, {name}: tiering {did}; {one.used_percent:g} % {verb} used."


def signed(usd: float | None) -> str:
    """$1.20, -$1.20; a word where there is no price."""
    if usd is None or usd >= 0:
        return figures.money(None if usd is None else abs(usd))  # -0.0 is 0
    return "-" + figures.money(-usd)


def _made_of(found: Savings, width: int) -> str:
    whole = found.total
    rows = [
        ["On the baseline", figures.money(whole.baseline_usd)],
        ["As it ran", signed(-whole.actual_usd)],
        ["Start of subagents", signed(-whole.startup_usd)],
        ["Caches built again", signed(-whole.rebuild_usd)],
    ]
    columns = [Column("What"), Column("Cost", figures=True)]
    return render(columns, rows, width=width, totals=[_result(found)])


def _tables(found: Savings, width: int) -> Iterator[str]:
    for name, parts in (
        ("Day", found.by_day),
        ("Agent", found.by_agent),
        ("Model", found.by_model),
    ):
        if parts:
            yield _table(name, parts, width)


def _table(name: str, parts: Sequence[Part], width: int) -> str:
    cells = ("Responses", "Baseline", "As it ran", "Taken off", "Saved")
    columns = [Column(name), *(Column(cell, figures=True) for cell in cells)]
    return render(columns, [_row(one) for one in parts], width=width)


def _row(one: Part) -> list[str]:
    key = printable(one.key)
    if one.instead_of and one.instead_of != one.key:
        key = f"{key} instead of {printable(one.instead_of)}"
    costs = (one.amounts.baseline_usd, one.amounts.actual_usd)
    known = one.usd is not None
    shown = [figures.money(cost if known else None) for cost in costs]
    off = one.amounts.startup_usd + one.amounts.rebuild_usd
    taken = figures.money(off if known else None)
    return [key, f"{one.amounts.requests:,}", *shown, taken, signed(one.usd)]


def _decisions(found: Savings, width: int) -> str:
    if not found.decisions:
        return ""
    columns = [Column("Decision"), Column("Agent"), Column("Instead of"), Column("Ran")]
    columns.append(Column("Saved", figures=True))
    shown = found.decisions[:DECISIONS]
    rest = len(found.decisions) - len(shown)
    text = render(columns, [_decision(one) for one in shown], width=width)
    if rest or found.more_decisions:
        more = f"at least {rest}" if found.more_decisions else str(rest)
        text += f"\nAnd {more} earlier ones: see --json, or take a shorter span."
    return text


def _decision(one: Decided) -> list[str]:
    when = f"{days.of(one.at)} {one.action}"
    ran = one.ran or "not seen yet"
    if one.ran and one.proof != "held":
        ran = f"{one.ran}, NOT as set"
    saved = figures.UNKNOWN if one.usd is None else signed(one.usd)
    return [when, printable(one.agent), printable(one.would or figures.UNKNOWN), ran, saved]


def _prose(found: Savings, width: int) -> Iterator[str]:
    said = [found.sentence, plan.ASSUMED] if found.plan else [found.sentence]
    said += [BOOKED] if found.by_model else []
    for text in said:
        yield textwrap.fill(text, min(width, TEXT), break_long_words=False, break_on_hyphens=False)

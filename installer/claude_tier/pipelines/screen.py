"""Pipelines, plans and runs as text."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from claude_tier.pipelines.outcome import Outcome, StepOutcome
from claude_tier.pipelines.planning import Plan, Planned
from claude_tier.pipelines.runs import Run
from claude_tier.report.table import Column, render

if TYPE_CHECKING:
    from claude_tier.pipelines.listing import Listed

UNKNOWN = "?"
PLAN = (
    Column("Step"),
    Column("Asks"),
    Column("Requests", figures=True, spare=2),
    Column("Prompt", figures=True),
    Column("Answer", figures=True, spare=1),
    Column("Prompt $", figures=True),
    Column("At most $", figures=True),
)
RUNS = (
    Column("Run"),
    Column("Pipeline"),
    Column("Began"),
    Column("Ended"),
    Column("Steps", figures=True),
    Column("Spent", figures=True),
)
OUTCOMES = (
    Column("Step"),
    Column("For", spare=2),
    Column("Became"),
    Column("By", spare=1),
    Column("Seconds", figures=True),
    Column("Prompt", figures=True),
    Column("Answer", figures=True),
    Column("Spent", figures=True),
)
LISTED = (Column("Name"), Column("What"), Column("Inputs", spare=1))


def dollars(usd: float | None) -> str:
    """Cents where they are all there is to say: $0, $0.0042, $1.20, unpriced."""
    if usd is None:
        return "unpriced"
    if usd == 0:
        return "$0"
    return f"${usd:.4f}" if usd < 1 else f"${usd:.2f}"


def count(tokens: int | None) -> str:
    return UNKNOWN if tokens is None else f"{tokens:,}"


def safe(text: str) -> str:
    """The text without what a terminal would obey."""
    return "".join(one if one.isprintable() or one in "\n\t" else ascii(one)[1:-1] for one in text)


def listed(pipelines: Sequence[Listed], *, width: int) -> str:
    rows = [
        (one.name, _mistakes(one) or one.description, ", ".join(one.inputs) or "none")
        for one in pipelines
    ]
    return render(LISTED, rows, width=width)


def _mistakes(one: Listed) -> str | None:
    """How many, and what tells them: a cell has no room for each."""
    if one.fault is None:
        return None
    count = len(one.fault.splitlines())
    mistakes = "1 mistake" if count == 1 else f"{count} mistakes"
    return f"{mistakes}: claude-tier pipeline check {one.name}"


def plan(found: Plan, *, width: int) -> str:
    """The table, and below it what is to be known of its figures."""
    total = (
        "in all", "", count(sum(one.requests for one in found.steps)),
        count(sum(one.prompt_tokens for one in found.steps)),
        count(sum(one.answer_tokens for one in found.steps)),
        dollars(found.usd), dollars(found.usd_most),
    )  # fmt: skip
    table = render(PLAN, [_planned(one) for one in found.steps], width=width, totals=[total])
    said = ["Estimates: nothing was asked. Outputs count as long as max_tokens lets them be."]
    said += _kept_out(found)
    said += [f"{one.step} runs only if {one.when}." for one in found.steps if one.when]
    if found.unpriced:
        said.append(f"No price is known for {', '.join(found.unpriced)}: the sums are without it.")
    return "\n".join([table, "", *said])


def _kept_out(found: Plan) -> Iterator[str]:
    """Who may not be asked now, by the reason, and which steps that leaves without anybody."""
    whys = found.why_not
    for reason in dict.fromkeys(whys.values()):
        names = [target for target, why in whys.items() if why == reason]
        yield f"{', '.join(names)} may not be asked: {reason}."
    if found.nobody:
        yield f"Nobody may be asked for {', '.join(found.nobody)}."


def _planned(one: Planned) -> Sequence[str]:
    if one.writes:
        return (one.step, f"writes {one.writes}", "", "", "", "", "")
    return (
        one.step,
        ", else ".join(one.targets) or "nobody",
        f"{'up to ' if one.at_most else ''}{one.requests}",
        count(one.prompt_tokens),
        count(one.answer_tokens),
        dollars(one.usd),
        dollars(one.usd_most),
    )


def runs(found: Iterable[Run], *, width: int) -> str:
    return render(RUNS, [_run(one) for one in found], width=width)


def _run(run: Run) -> Sequence[str]:
    record = run.record
    began = record.get("started")
    at = time.localtime(began) if isinstance(began, int | float) else None
    kept = [one for one in run.outcomes().values() if one.get("status") in ("answered", "written")]
    return (
        run.id,
        str(record.get("pipeline", UNKNOWN)),
        time.strftime("%Y-%m-%d %H:%M", at) if at else UNKNOWN,
        run.standing,
        str(len(kept)),
        spent(record.get("spent"), record.get("unpriced")),
    )


def spent(usd: object, unpriced: object) -> str:
    """Dollars, and how many requests are not in them."""
    known = dollars(float(usd)) if isinstance(usd, int | float) else UNKNOWN
    if not isinstance(unpriced, int) or not unpriced:
        return known
    return f"{unpriced} unpriced" if usd == 0 else f"{known} + {unpriced} unpriced"


def outcomes(units: Iterable[tuple[str, Outcome]], *, width: int) -> str:
    return render(OUTCOMES, [_outcome(*one) for one in units], width=width)


def _outcome(unit: str, one: Outcome) -> Sequence[str]:
    return (
        unit.partition(".")[0],
        safe(one.item or ""),
        safe(f"{one.status}: {one.why}" if one.why else one.status),
        one.target or "",
        f"{one.seconds:.1f}",
        count(one.input),
        count(one.output),
        dollars(one.usd),
    )


def ended(outcome: StepOutcome) -> str:
    """One line on a step that has come to its end."""
    line = f"{outcome.step}: {outcome.status}"
    if outcome.why:
        line += f", {outcome.why}"
    asked = [one for one in outcome.units if one.requests]
    if outcome.reused:
        return safe(f"{line} before, and kept")
    if not asked:
        names = [one.path for one in outcome.units if one.path]
        return safe(f"{line} {', '.join(names)}" if names else line)
    return safe(f"{line} ({figures(asked, outcome)})")


def figures(asked: Sequence[Outcome], outcome: StepOutcome) -> str:
    """Who answered, how long it took, tokens and dollars."""
    targets = ", ".join(dict.fromkeys(one.target for one in asked if one.target)) or "no answer"
    seconds = max(one.seconds for one in asked)
    tokens = [total([one.input for one in asked]), total([one.output for one in asked])]
    cost = spent(outcome.usd or 0, outcome.unpriced)
    return f"{targets}, {seconds:.1f} s, {count(tokens[0])} + {count(tokens[1])} tokens, {cost}"


def total(parts: Sequence[int | None]) -> int | None:
    """The sum; None where a part of it is not known."""
    known = [one for one in parts if one is not None]
    return sum(known) if len(known) == len(parts) else None

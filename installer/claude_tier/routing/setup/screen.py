"""What a check found, for people: a line for each provider and target, then what to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from claude_tier.config.faults import printable
from claude_tier.report import figures
from claude_tier.report.table import Column, render, wrapped
from claude_tier.routing.setup.asking import Estimate
from claude_tier.routing.setup.checking import Asked, Checked, Named


def as_text(checked: Sequence[Checked], *, width: int) -> str:
    """Two tables and the remedies; the second table only where targets are named."""
    parts = [_providers(checked, width)]
    if any(one.named for one in checked):
        parts.append(_targets(checked, width))
    if said := wrapped(list(_remedies(checked)), width):
        parts.append("\n".join(said))
    return "\n\n".join(parts)


def before(estimate: Estimate) -> str:
    """What asking may cost: 3 targets get a tiny prompt each: at most $0.0012, 1 unpriced."""
    one = estimate.targets == 1
    asked = (
        "1 target gets a tiny prompt"
        if one
        else f"{estimate.targets} targets get a tiny prompt each"
    )
    known = f"at most {figures.money(estimate.usd)}" if estimate.usd else "free"
    unpriced = f"{estimate.unpriced} without a known price" if estimate.unpriced else ""
    parts = [unpriced] if estimate.unpriced == estimate.targets else [known, unpriced]
    return f"{asked}: {', '.join(filter(None, parts))}."


def _providers(checked: Sequence[Checked], width: int) -> str:
    columns = (
        Column("Provider"),
        Column("Kind", spare=1),
        Column("Address", spare=2),
        Column("Found"),
    )
    rows = [(one.name, one.kind, one.address or "", _found(one)) for one in checked]
    return render(columns, rows, width=width)


def _found(one: Checked) -> str:
    if not one.found.reachable:
        return "does not work"
    models = len(one.found.models)
    return f"works, {models} model{'' if models == 1 else 's'}" if models else "works"


def _targets(checked: Sequence[Checked], width: int) -> str:
    asked = any(target.asked for one in checked for target in one.named)
    columns = [
        Column("Target"),
        Column("Found"),
        Column("Window", figures=True, spare=1),
        *([Column("Answered in", figures=True), Column("Cost", figures=True)] if asked else []),
        Column("Named in", spare=2),
    ]
    rows = [
        (
            str(target.target),
            _there(one, target),
            f"{target.window:,}" if target.window else "",
            *(_answer(target.asked) if asked else ()),
            ", ".join(target.places),
        )
        for one in checked
        for target in one.named
    ]
    return render(columns, rows, width=width)


def _there(one: Checked, target: Named) -> str:
    if not one.found.reachable:
        return "not reached"
    if target.asked:
        return "answers" if target.asked.answered else "does not answer"
    return {True: "there", False: "missing", None: "not known"}[target.there]


def _answer(asked: Asked | None) -> tuple[str, str]:
    if asked is None or not asked.answered:
        return "", ""
    return f"{asked.seconds:.1f} s", figures.money(asked.usd)


def _remedies(checked: Sequence[Checked]) -> Iterator[str]:
    for one in checked:
        if not one.found.reachable:
            yield _said(one.name, one.found.message, one.found.remedy)
        for target in one.named:
            if target.there is False:
                yield _said(str(target.target), target.message, target.remedy)
            if target.asked and not target.asked.answered:
                yield _said(str(target.target), target.asked.message, target.asked.remedy)


def _said(name: str, message: str | None, remedy: str | None) -> str:
    """ollama: nobody listens at 127.0.0.1:11434. Do this: ollama serve"""
    text = f"{printable(name)}: {message or 'it does not work'}"
    return f"{text}. Do this: {remedy}" if remedy else f"{text}."

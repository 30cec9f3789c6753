"""What the client saved of each session beside what is counted, as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from claude_tier.report import figures
from claude_tier.report.decisions import printable
from claude_tier.report.reconcile import (
    CENT,
    FORK,
    LATER,
    UNSAVED,
    WORDS,
    Amount,
    Reconciliation,
    Session,
    added,
)
from claude_tier.report.table import Column, render

SHOWN = 50
NEXT = (
    "What to do: `claude-tier ledger rebuild` reads every transcript once more. If",
    "the difference stays, report a fault, with that session of --reconcile --json.",
)


def as_text(found: Reconciliation, *, width: int) -> str:
    """What was saved beside what is counted; first what differs without a reason."""
    if not found.sessions:
        return "No session of Claude Code was counted: there is nothing to compare."
    lines = []
    saved = sorted((one for one in found.sessions if one.saved_at is not None), key=_order)
    if saved:
        names = ("Rows", "Unlisted", "Client", "Off", "Tokens off")
        columns = [Column("Session"), *(Column(name, figures=True) for name in names)]
        rows = [_cells(one) for one in saved[:SHOWN]]
        lines.append(render([*columns, Column("Why")], rows, width=width, totals=[_total(found)]))
    lines += _notes(found, saved)
    return "\n".join(lines)


def _order(one: Session) -> tuple[bool, float]:
    return one.agrees is not False, -(one.last or 0.0)


def _cells(one: Session) -> list[str]:
    why = ", ".join(one.reasons) if one.reasons else ""
    off = one.difference
    return [
        printable(one.session[:8]),
        figures.money(one.rows.usd),
        figures.money(one.unlisted.usd) if one.unlisted.tokens else "",
        figures.money(one.client.usd) if one.client else "",
        *(_off(off) if off else ("", "")),
        why,
    ]


def _off(off: Amount) -> tuple[str, str]:
    dollars = "" if off.usd is None or abs(off.usd) < CENT else f"{off.usd:+,.2f}"
    return dollars, f"{off.tokens:+,}" if off.tokens else ""


def _total(found: Reconciliation) -> list[str]:
    rows, beyond, client = found.sums()
    money = [figures.money(one.usd) for one in (rows, beyond, client)]
    return ["Compared", *money, *_off(rows + beyond - client), ""]


def _notes(found: Reconciliation, saved: Sequence[Session]) -> Iterator[str]:
    if len(saved) > SHOWN:
        yield f"{SHOWN} of {len(saved):,} sessions are shown; --json has every one."
    used = {reason for one in saved for reason in one.reasons}
    yield from (f"{name}: {words}." for name, words in WORDS.items() if name in used)
    agreeing = [one for one in found.compared if one.agrees and one.unlisted.tokens]
    if agreeing:
        beyond, whole = (added(each) for each in zip(*map(_sides, agreeing), strict=True))
        of = figures.plural(len(agreeing), "session")
        share = figures.share(beyond.usd / whole.usd) if beyond.usd and whole.usd else "part"
        yield f"Unlisted are {share} of the cost of {of} that come to the same."
        yield "A transcript row that was missed would be in it, and show as no difference."
    yield from _counted(found)
    if found.counts["differ"]:
        yield from NEXT


def _sides(one: Session) -> tuple[Amount, Amount]:
    return one.unlisted, one.client or Amount()


def _counted(found: Reconciliation) -> Iterator[str]:
    """Every session stands in one of these."""
    counts = found.counts
    yield f"{figures.plural(len(found.sessions), 'session')}:"
    yield f"  {counts['agree']:,} the same"
    yield f"  {counts['differ']:,} different without a reason"
    unsaved = added(one.rows for one in found.sessions if one.saved_at is None)
    beside = {"not_saved": f" ({figures.money(unsaved.usd)})"}
    for name, words in (("used_since", LATER), ("not_saved", UNSAVED), ("fork", FORK)):
        if counts[name]:
            said = f"{WORDS[words]}{beside.get(name, '')}"
            yield f"  {counts[name]:,} cannot be compared: {said}"

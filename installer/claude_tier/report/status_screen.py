"""`status` as text."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from claude_tier_hooks import emergency, liveness
from claude_tier_hooks import policy as ladder
from claude_tier_hooks.shapes import Json

from claude_tier.report import budgets, cooling, decisions, figures, pace, sessions
from claude_tier.report.status import PolicyState, Rung, Status
from claude_tier.report.table import Column, render, wrapped


def as_text(status: Status, *, now: float, width: int) -> str:
    """The screen: sections apart by an empty line, what is wrong first."""
    sections = [
        wrapped([*_heading(status, now), *_faults(status)], width),
        [_tiers(status, width), *wrapped(_exceptions(status.policy), width)],
        [budgets.as_text(status.budgets, width=width) if status.budgets else "No budget is set."],
        [*filter(None, [pace.as_text(status.pace, now=now, width=width)])],
        wrapped([*_spending(status), *_running(status, now)], width),
        wrapped(_router(status, now), width),
        wrapped(_heartbeat(status, now), width),
        [_decisions(status, width)],
        wrapped(_ledger(status), width),
    ]
    return "\n\n".join("\n".join(lines) for lines in sections if lines)


def _heading(status: Status, now: float) -> Iterator[str]:
    until = status.off_until
    switch = "On"
    if until is not None:
        switch = "OFF, only counting"
        switch += "" if until == float("inf") else f" until {_moment(until)}"
    hook = "No hook has run yet: start a Claude Code session."
    if status.last_hook is not None:
        hook = f"A session started {sessions.age(status.last_hook, now)} ago."
    if not status.installed:
        yield "No hooks of claude-tier are installed here: `claude-tier install`."
        if status.last_hook is None:
            hook = "No hook has run yet."
        switch = "Nothing is decided" if until is None else switch
    yield f"{switch}; preset {status.policy.preset}. {hook}"


def _faults(status: Status) -> Iterator[str]:
    for error in status.policy.errors:
        yield from _mistakes(error)
        if str(error.get("path")).endswith(ladder.PROJECT_FILE):
            yield "  Nothing of that file applies; your own configuration does."
        else:
            yield "  Nothing of that file took effect; the policy before it stays in force."
    if status.policy.stale and not status.policy.errors:
        yield "The configuration has changed; the next prompt of any session takes it up."
    if status.policy.compiled is None:
        yield "No configuration was compiled: the defaults of the preset stand."
    if status.ledger.damaged:
        found = ", ".join(home(path) for path in status.ledger.damaged)
        yield f"A damaged ledger was set aside ({found}): run `claude-tier ledger rebuild`."
    for model, number in status.unpriced:
        of = figures.plural(number, "response")
        yield f"{model} has no price ({of}), so no dollar budget sees it: `claude-tier prices`."


def _mistakes(error: Mapping[str, object]) -> Iterator[str]:
    """Every one of that file with line and column; the first where only that was kept."""
    faults = error.get("faults")
    if isinstance(faults, list) and faults:
        yield from (home(decisions.printable(str(fault))) for fault in faults)
    else:
        yield mistake(error)


def mistake(error: Mapping[str, object]) -> str:
    """~/.claude/claude-tier/config.yaml, line 3: what is wrong."""
    line = f", line {error['line']}" if error.get("line") else ""
    return f"{home(str(error.get('path')))}{line}: {error.get('message')}"


def _tiers(status: Status, width: int) -> str:
    columns = [
        Column("Tier"),
        Column("Model"),
        Column("In", figures=True),
        Column("Out", figures=True),
        Column("Agents assigned to it"),
    ]
    return render(columns, [_rung(one) for one in status.tiers], width=width)


def _rung(one: Rung) -> list[str]:
    prices = ["" if price is None else figures.money(price) for price in (one.input, one.output)]
    return [one.tier, one.model or figures.UNKNOWN, *prices, ", ".join(one.agents)]


def _exceptions(policy: PolicyState) -> Iterator[str]:
    if policy.floor:
        floors = ", ".join(f"{agent} {tier}" for agent, tier in sorted(policy.floor.items()))
        yield f"Never below: {floors}."
    if policy.exempt:
        yield f"Never touched: {', '.join(policy.exempt)}."


def _spending(status: Status) -> Iterator[str]:
    sums, beyond = status.today.totals, status.today.unlisted
    if not sums.requests and not beyond.tokens:
        yield "Today: nothing yet."
        return
    cost = figures.money(sums.usd, at_least=sums.unpriced_requests > 0)
    of = figures.plural(sums.requests, "request")
    yield f"Today: {cost} in {of}, {figures.count(sums.tokens)} tokens."
    if beyond.tokens:
        extra = f"{figures.money(beyond.usd)}, {figures.count(beyond.tokens)} tokens"
        yield f"  and {extra} that no transcript shows (compaction, titles)."


def _running(status: Status, now: float) -> Iterator[str]:
    count = figures.plural(len(status.sessions), "session")
    at_work = f", {figures.plural(status.subagents, 'subagent')} at work" * bool(status.subagents)
    yield f"Running: {count}{at_work}."
    for one in status.sessions:
        doing = "busy" if one.busy else "idle"
        age = sessions.age(one.since, now)
        yield f"  {one.id[:8]}  {doing}  {age}  {home(one.folder)}".rstrip()


def _router(status: Status, now: float) -> Iterator[str]:
    """Whom the router does not ask, where there is anybody."""
    on = status.emergency
    if on:
        yield (
            f"Emergency mode, {on.text(now)}: only models on this machine are asked;"
            f" {emergency.way_out(on.ends)} ends it."
        )
    yield from cooling.lines(status.cooldowns, now)


def _heartbeat(status: Status, now: float) -> Iterator[str]:
    """One line, and what to do where something is wrong."""
    found = status.heartbeat
    if found is None:
        return
    wrong = ", ".join(heartbeat_faults(found))
    tick = found["last_tick"]
    last = "no tick yet" if tick is None else f"last tick {sessions.age(tick, now)} ago"
    yield f"Heartbeat: {wrong or 'well'}; {last}." + (
        " `claude-tier heartbeat status`" * bool(wrong)
    )


def heartbeat_faults(found: Json) -> Iterator[str]:
    """What is wrong with the heartbeat, the most pressing first."""
    if found["scheduler"] == liveness.DEAD:
        yield "its scheduler is dead"
    if found["scheduler"] == liveness.NONE:
        yield "no scheduler is installed"
    if found["alerts"]:
        yield figures.plural(found["alerts"], "alert") + " not shown yet"
    for name in found["failing"]:
        yield f"{decisions.printable(name)} fails"
    for name in found["disabled"]:
        yield f"{decisions.printable(name)} is off"


def _decisions(status: Status, width: int) -> str:
    if not status.decisions:
        return "\n".join(wrapped([decisions.NONE], width))
    columns = [Column(name) for name in ("At", "Last subagents", "Set", "Because")]
    rows = [[*decisions.outline(one)] for one in status.decisions]
    return render(columns, rows, width=width)


def _ledger(status: Status) -> Iterator[str]:
    health = status.ledger
    saved = Path(health.last_backup).name if health.last_backup else "no backup yet"
    of = figures.plural(health.responses, "response")
    yield f"Ledger: {of}, {figures.size(health.bytes)}, {saved}."
    if health.spooled:
        yield f"  {figures.plural(health.spooled, 'decision')} wait in the spool."
    names = ("config.yaml", "ledger.db", "hooks.log")
    there = ", ".join(name for name in names if Path(status.folder, name).exists())
    yield f"Files: {home(status.folder)}" + (f" ({there})" if there else "")


def home(path: str) -> str:
    """A path below the home folder as ~/src/app."""
    folder = str(Path.home()) + "/"
    return f"~/{path.removeprefix(folder)}" if path.startswith(folder) else path


def _moment(epoch: float) -> str:
    return time.strftime("%a %b %d %H:%M", time.localtime(epoch))

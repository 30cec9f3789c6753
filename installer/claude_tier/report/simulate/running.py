"""The replay itself: responses and decisions in the order of time."""

from __future__ import annotations

import heapq
import sqlite3
from collections.abc import Callable
from operator import attrgetter

from claude_tier_hooks import budget as budgets
from claude_tier_hooks import decision, ledger, policy
from claude_tier_hooks.shapes import Json

from claude_tier.report import calendar
from claude_tier.report.days import Span
from claude_tier.report.simulate import deciding, history, reconstructing, tripping
from claude_tier.report.simulate.accounts import Accounts, Figures
from claude_tier.report.simulate.changing import Change, Fate
from claude_tier.report.simulate.history import Past, Response, Run, Windows
from claude_tier.report.simulate.repricing import Prices, Targets
from claude_tier.report.simulate.result import Day, Simulation, verdict
from claude_tier.report.simulate.standing import Standings
from claude_tier.report.simulate.tally import HAPPENED, SIMULATED, Tally

Progress = Callable[[int, int], None]
LEAD = 32 * 86400  # seconds before the span: a month's budget is partly spent when it begins
EVERY = 20_000  # responses between two words about the progress
ABSENT = "absent"


def replay(
    db: sqlite3.Connection,
    rules: Json,
    span: Span,
    *,
    policy: Json | None = None,
    name: str = "",
    progress: Progress = lambda *_: None,
) -> Simulation:
    """That span's decisions again: each under the rules it was made by, or all under `policy`.

    `rules` is the policy in force; older decisions, of which nothing but the columns is known, are
    made again by it. With another policy the span begins as it really began, and runs that no
    decision explains are decided on as well.
    """
    if policy is None:
        return _checked(db, rules, span)
    return _Replay(db, rules, policy, span).run(name or "another policy", progress)


def _checked(db: sqlite3.Connection, rules: Json, span: Span) -> Simulation:
    """Whether the history reproduces: what differs in any column is in `changed`."""
    found = history.decisions(db, span)
    changed = []
    for one in found:
        made = deciding.again(one, rules)
        if made != one.made:
            changed.append(Change(one, made, None, None).result())
    days = _days(_spent_by_quarter(db, span))
    return Simulation(
        policy=None,
        decisions=len(found),
        identical=len(found) - len(changed),
        approximate=sum(one.approximate for one in found),
        reconstructed=len(reconstructing.unexplained(db, history.runs(db), span)),
        changed=tuple(changed),
        days=days,
        trips=(),
        unknown=0,
        unlinked=0,
    )


def _spent_by_quarter(db: sqlite3.Connection, span: Span) -> dict[int, list[float]]:
    since, until = span
    rows = db.execute(
        "SELECT start, sum(usd), sum(usd), sum(unpriced_requests), sum(unpriced_requests)"
        " FROM bucket WHERE (?1 IS NULL OR start >= ?1) AND (?2 IS NULL OR start < ?2)"
        " GROUP BY start",
        (
            None if since is None else since // ledger.BUCKET,
            None if until is None else until // ledger.BUCKET,
        ),
    )
    return {start: list(sums) for start, *sums in rows}


def _days(quarters: dict[int, list[float]]) -> tuple[Day, ...]:
    """Local days, in order."""
    found: dict[int, list[float]] = {}
    for quarter, sums in sorted(quarters.items()):
        day = calendar.day_of(quarter * ledger.BUCKET)
        total = found.setdefault(day, [0.0] * 4)
        for number, value in enumerate(sums):
            total[number] += value
    return tuple(
        Day(calendar.text(day), happened, simulated, int(before), int(after))
        for day, (happened, simulated, before, after) in found.items()
    )


class _Replay:
    """The state of one replay under another policy."""

    def __init__(self, db: sqlite3.Connection, rules: Json, other: Json, span: Span) -> None:
        self.db, self.span, self.policy = db, span, other
        self.since = float("-inf") if span.since is None else span.since
        self.lead = Span(None if span.since is None else span.since - LEAD, span.until)
        runs = history.runs(db)
        recorded = history.decisions(db, self.lead)
        told = reconstructing.spawns(db, runs, self.lead)
        self.past = list(heapq.merge(recorded, told, key=attrgetter("at")))
        self.windows = Windows(db)
        self.prices = Prices(db, rules, other)
        self.targets = Targets(other["tiers"])
        self.by_id = {(one.session, one.agent_id): one for one in runs}
        self.by_call: dict[tuple[int, str | None], list[Run]] = {}
        for one in runs:
            self.by_call.setdefault((one.session, one.tool_use_id), []).append(one)
        last = next((one.rules for one in reversed(recorded) if one.rules), rules)
        made: dict[tuple[int, int], Tally] = {}
        self.before = [self._tally(made, one, last) for one in last["budgets"]]
        self.after = [self._tally(made, one, other) for one in other["budgets"]]
        self.accounts = Accounts(made.values(), runs)
        self.standings = Standings(other, self.after, self.accounts, self.windows)
        self.fates: dict[int, Fate] = {}
        self.log: dict[int, list[tuple[float, bool, bool]]] = {}
        self.changes: list[Change] = []
        self.identical = self.unknown = self.unlinked = 0

    def _tally(self, made: dict[tuple[int, int], Tally], budget: Json, rules: Json) -> Tally:
        """One for each definition, whichever policy has it."""
        mark = (budgets.fingerprint(budget), rules["week_start"])
        if mark not in made:
            name = budget["scope"].get("name") or ""
            agents = [ledger.known_id(self.db, text) for text in (name, policy.PLUGIN + name)]
            made[mark] = Tally(budget, rules["week_start"], agents, self.windows)
        return made[mark]

    def run(self, name: str, progress: Progress) -> Simulation:
        waiting = iter(self.past)
        coming = next(waiting, None)
        total = history.counted(self.db, self.lead)
        for number, row in enumerate(history.responses(self.db, self.lead)):
            # A call's own response comes before it, its subagent's responses after it.
            while coming and (coming.at < row.at or (row.run and coming.at == row.at)):
                self._decide(coming)
                coming = next(waiting, None)
            self._count(row)
            if number % EVERY == 0:
                progress(number, total)
        while coming:
            self._decide(coming)
            coming = next(waiting, None)
        progress(total, total)
        return self._result(name)

    def _result(self, name: str) -> Simulation:
        quarters = {
            at: sums
            for at, sums in self.accounts.quarters.items()
            if at * ledger.BUCKET >= self.since
        }
        inside = [one for one in self.past if one.at >= self.since]
        return Simulation(
            policy=name,
            decisions=sum(not one.reconstructed for one in inside),
            identical=self.identical,
            approximate=sum(one.approximate for one in inside),
            reconstructed=sum(one.reconstructed for one in inside),
            changed=tuple(one.result() for one in self.changes),
            days=_days(quarters),
            trips=tripping.trips(
                self.before, self.after, self.windows, self.prices.names, self.span
            ),
            unknown=self.unknown,
            unlinked=self.unlinked,
        )

    def _count(self, row: Response) -> None:
        """One response, as it was and as it would have been."""
        tokens: float = sum(row[7:12])
        if row.at < self.since:
            self.accounts.add(row, row.usd, tokens, gone=False)
            return
        fate = self.fates.get(row.run) if row.run is not None else None
        usd, gone = None, False
        if fate is None:
            usd = self.prices.as_it_was(row)
        elif fate.model is None:
            usd, tokens, gone = 0.0, 0.0, True
        elif self.targets.tier(self.prices.names.get(row.model)) == fate.ran:
            usd, tokens = self.prices.on(row, fate.model)
        else:
            usd = self.prices.as_it_was(row)
        if fate:
            fate.change.add(row.usd, usd)
        self.accounts.add(row, usd, tokens, gone=gone)

    def _decide(self, past: Past) -> None:
        self.accounts.advance(past.at)
        ran = past.made.action != decision.DENIED
        runs = self._runs(past)
        if past.at < self.since:
            self._note(past, happened=ran, simulated=ran)
            self._reserve(past, runs, past.would if ran else None, past.would if ran else None)
            return
        spawn = past.spawn()
        made = self._made(past, spawn)
        runs_now = made["action"] not in (decision.DENIED, ABSENT)
        self._note(past, happened=ran, simulated=runs_now)
        model = self.targets.of(made, spawn["would"]) if runs_now else None
        self._reserve(past, runs, past.would if ran else None, model)
        self._follow(past, spawn, made, runs)

    def _made(self, past: Past, spawn: Json) -> Json:
        """The decision under the other policy; what its own subagents would be has its part."""
        asker = self._run_of(past, past.parent)
        woken = self._run_of(past, past.told.get("woken"))
        for run in filter(None, (asker, woken)):
            fate = self.fates.get(run.number)
            if fate and fate.model is None:
                return _absent()
            if fate and spawn["would"]["origin"] == "parent":
                spawn["would"]["model"] = fate.model
        off = "off" in past.told
        rules = deciding.switched_off(self.policy) if off else self.policy
        spawn["recent"] = self._recent(past, rules)
        standings = [] if off else self.standings.of(past)
        return deciding.decide(rules, standings, spawn, off=off)

    def _follow(self, past: Past, spawn: Json, made: Json, runs: list[Run]) -> None:
        """Note what the decision makes of the runs that really were."""
        was_denied = past.made.action == decision.DENIED
        gone = made["action"] in (decision.DENIED, ABSENT)
        same = (made["action"], made["set"]) == past.made[:2]
        inherits = spawn["would"]["model"] != past.would
        self.identical += verdict(made) == past.made
        if same and not inherits:
            return
        change = Change(past, verdict(made))
        if gone != was_denied:
            if gone:
                self._cancel(past, runs, change)
            else:
                self._estimate(past, spawn, made, change)
        elif not gone:
            self._move(self.targets.of(made, spawn["would"]), runs, change)
        if not same or any(run.number in self.fates for run in runs):
            self.changes.append(change)

    def _cancel(self, past: Past, runs: list[Run], change: Change) -> None:
        for run in runs:
            self.fates[run.number] = Fate(change, None, None)
        self.unlinked += past.tool == "Workflow" and not runs

    def _move(self, model: str | None, runs: list[Run], change: Change) -> None:
        """Put the runs on that model where it is another tier than the one that ran."""
        for run in runs:
            ran = self.targets.tier(run.model)
            if model is None:
                self.unknown += 1
            elif self.targets.tier(model) != ran:
                self.fates[run.number] = Fate(change, model, ran)

    def _estimate(self, past: Past, spawn: Json, made: Json, change: Change) -> None:
        """A spawn that was denied and would have run costs what its type usually does."""
        usual = self._usual(past, SIMULATED, self.targets.of(made, spawn["would"]))
        change.estimated = True
        change.simulated_usd = usual[0] if usual else None
        sides = ((0.0, 0.0), usual or (0.0, 0.0))
        place = (past.session, past.project, past.agent_number)
        self.accounts.move(past.at, place, sides, (False, usual is None))

    def _usual(self, past: Past, side: int, model: str | None) -> Figures | None:
        usual = self.accounts.usual(past.agent_number, side)
        if usual is None and model:
            shape = budgets.FIRST_RUN
            usd = self.prices.first_run(model, past.at, shape)
            return None if usd is None else (usd, sum(shape.values()))
        return usual

    def _reserve(
        self, past: Past, runs: list[Run], happened: str | None, simulated: str | None
    ) -> None:
        """Hold what each side's subagent is expected to spend; None where it does not run."""
        if past.tool == "Workflow" or not self.accounts.spending:
            return
        first = self._usual(past, HAPPENED, happened) if happened else None
        second = self._usual(past, SIMULATED, simulated) if simulated else None
        for run in runs[:1]:
            self.accounts.hold(past, run, first, second)

    def _runs(self, past: Past) -> list[Run]:
        """The subagents that a decision started or woke."""
        found: list[Run] = []
        if not past.reconstructed:  # of which each is one run
            found += self.by_call.get((past.session, past.tool_use_id), ())
        for agent_id in (past.agent_id, past.told.get("woken")):
            run = self._run_of(past, agent_id)
            if run and run not in found:
                found.append(run)
        return found

    def _run_of(self, past: Past, agent_id: str | None) -> Run | None:
        return self.by_id.get((past.session, agent_id)) if agent_id else None

    def _note(self, past: Past, *, happened: bool, simulated: bool) -> None:
        self.log.setdefault(past.session, []).append((past.at, happened, simulated))

    def _recent(self, past: Past, rules: Json) -> int:
        """New subagents in the fan-out's period: as recorded, and what differs since."""
        gate = rules["fan_out"]
        if not gate:
            return 0
        counts = [0, 0]
        for at, happened, simulated in reversed(self.log.get(past.session, ())):
            if at <= past.at - gate["seconds"]:
                break
            counts[HAPPENED] += happened
            counts[SIMULATED] += simulated
        own = (past.rules or {}).get("fan_out")
        if own and own["seconds"] == gate["seconds"] and past.facts is not None:
            return max(0, int(past.told.get("recent", 0)) + counts[SIMULATED] - counts[HAPPENED])
        return counts[SIMULATED]


def _absent() -> Json:
    reason = "the subagent it belongs to would not have run"
    return {"action": ABSENT, "set": None, "reason": reason, "budget": None, "level": "ok",
            "used": None, "note": None}  # fmt: skip

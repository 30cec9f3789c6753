"""What each budget of the other policy says at a moment of the past.

A budget with the definition it had is taken as recorded, plus what the other policy changed of the
spending so far; any other is reckoned from the responses themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from claude_tier_hooks import budget as budgets
from claude_tier_hooks import replayable
from claude_tier_hooks.shapes import Json

from claude_tier.report.simulate.accounts import Accounts, Figures
from claude_tier.report.simulate.history import Past, Windows
from claude_tier.report.simulate.tally import Key, Tally


class Standings:
    """The budgets of one policy, with the levels they were last at."""

    def __init__(
        self, rules: Json, tallies: Sequence[Tally], accounts: Accounts, windows: Windows
    ) -> None:
        self._rules, self._after = rules, tallies
        self._accounts, self._windows = accounts, windows
        self._levels: dict[tuple[str, Key], tuple[float, str]] = {}
        self._marks: dict[int, list[int]] = {}

    def of(self, past: Past) -> list[Json]:
        """Each budget of the other policy: recorded plus what differs, or reckoned anew."""
        return list(self._each_standing(past))

    def _each_standing(self, past: Past) -> Iterator[Json]:
        rules = {} if past.approximate else past.rules or {}
        marks = self._known(rules)
        own = replayable.standings(rules, past.told) if rules else []
        by_mark = dict(zip(marks, own, strict=False))
        weeks = rules.get("week_start") == self._rules["week_start"]
        for tally in self._after:
            same = tally.mark in marks and (weeks or tally.budget["period"] != "week")
            if same and tally.mark not in by_mark:
                continue  # no ledger could be asked then
            recorded = by_mark[tally.mark] if same else None
            if tally.plan:
                yield recorded or self._plan(tally, past, own)
            else:
                yield self._spending(tally, past, recorded)

    def _known(self, rules: Json) -> list[int]:
        """The fingerprints of the budgets of recorded rules, which many decisions share."""
        found = self._marks.get(id(rules))
        if found is None:
            found = [budgets.fingerprint(one) for one in rules.get("budgets", ())]
            if rules:
                self._marks[id(rules)] = found
        return found

    def _plan(self, tally: Tally, past: Past, own: list[Json]) -> Json:
        """A plan window as it was reported: what it would have said nobody knows."""
        period = tally.budget["period"]
        seen = [one for one in own if one["budget"]["unit"] == "plan_percent"]
        amount = next((one["amount"] for one in seen if one["budget"]["period"] == period), None)
        if amount is None:
            window = self._windows.at(period, past.at)
            amount = window[0] if window else None
        if amount is None:
            return {"budget": tally.budget, "used": None, "level": "ok", "gate": "ok"}
        return self._standing(tally, past, tally.since(past.at), (amount, 0.0))

    def _spending(self, tally: Tally, past: Past, recorded: Json | None) -> Json:
        key = tally.key(past.session, past.project, None)
        assert key is not None
        happened, simulated = tally.read(past.at, key)
        held, held_now = self._accounts.held(tally, past)
        if recorded is None:
            return self._standing(tally, past, tally.since(past.at), (simulated, held_now))
        if happened == simulated and held == held_now:
            self._remember(tally, past, recorded["since"], recorded["level"])
            return recorded
        amount = max(0.0, recorded["amount"] + simulated - happened)
        left = max(0.0, recorded["reserved"] + held_now - held)
        return self._standing(tally, past, recorded["since"], (amount, left))

    def _standing(self, tally: Tally, past: Past, since: float, figures: Figures) -> Json:
        """What the budget says of (spent, reserved), its memory included."""
        budget = tally.budget
        used, held = figures[0] / budget["limit"], figures[1] / budget["limit"]
        period = 0.0 if tally.rolls(past.at) else since
        before = self._before(tally, past, period)
        level = budgets.remembered(budget, used, before)
        gate = max(level, budgets.threshold(budget, used + held), key=budgets.LEVELS.index)
        self._remember(tally, past, period, level)
        return {"budget": budget, "since": since, "amount": figures[0], "reserved": figures[1],
                "used": used, "level": level, "gate": gate}  # fmt: skip

    def _before(self, tally: Tally, past: Past, period: float) -> str | None:
        key = tally.key(past.session, past.project, None)
        assert key is not None
        held = self._levels.get((tally.budget["name"], key))
        return held[1] if held and abs(held[0] - period) < budgets.JITTER else None

    def _remember(self, tally: Tally, past: Past, since: float, level: str) -> None:
        key = tally.key(past.session, past.project, None)
        assert key is not None
        period = 0.0 if tally.rolls(past.at) else since
        self._levels[tally.budget["name"], key] = (period, level)

"""A session's responses and all that decides what they are compared with."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from claude_tier_hooks import decision, ledger
from claude_tier_hooks.shapes import Json

from claude_tier.report import calendar
from claude_tier.report.savings import baselines, conversation, tokenizers
from claude_tier.report.savings.amounts import Amounts, total
from claude_tier.report.savings.rates import Rates, Response

_COLUMNS = (
    "at, coalesce(run, 0), agent, model, requests, fast, geo, web_searches, usd, "
    + ", ".join(ledger.KINDS[:5])
)
# Other sources than transcripts are no part of a conversation.
# By key where two have one time, so that it does not matter which was read first.
_RESPONSES = f"SELECT {_COLUMNS} FROM usage WHERE session = ? AND source = ? ORDER BY at, key"
_SESSION = (
    "SELECT project, model, (SELECT text FROM name WHERE id = host) FROM session WHERE id = ?"
)
# Of a session without subagents whose model never changed there is nothing to tell.
_WORTH = (
    "SELECT EXISTS (SELECT 1 FROM run WHERE session = ?1) OR"
    " (SELECT count(DISTINCT model) FROM bucket WHERE session = ?1) > 1"
)
_DECIDED = (
    "SELECT run.id, d.would FROM run JOIN decision d ON d.session = run.session"
    " AND (d.tool_use_id = run.tool_use_id OR d.agent_id = run.agent_id)"
    " WHERE run.session = ? AND d.would IS NOT NULL AND d.action IN (?, ?)"
)
DECISIVE = (decision.ASSIGNED, decision.LOWERED)


class Piece(NamedTuple):
    """One row of `saving`; `baseline` is 0 for the model everything is compared with, -1 for one
    that nobody knows."""

    at: float
    session: int
    run: int
    project: int
    agent: int
    model: int
    baseline: int
    sums: Amounts
    would_net: float | None

    def cells(self) -> tuple[object, ...]:
        return (*self[:7], *self.sums, self.would_net)


class Reader:
    """Reads sessions and compares each with `baseline` (`main` or a model)."""

    def __init__(self, db: sqlite3.Connection, rules: Json, baseline: str) -> None:
        self.db = db
        self.rules = rules
        self.baseline = baseline
        self.source = ledger.known_id(db, "transcript")
        self.texts: dict[int, str] = {}
        self.rates: dict[str | None, Rates] = {}
        self.read = 0  # responses, for whoever works in portions

    def pieces(self, session: int) -> list[Piece]:
        """The rows of `saving` of a session."""
        row = self.db.execute(_SESSION, (session,)).fetchone()
        if row is None or not self._worth(session):
            return []
        project, known, host = row
        rates = self.rates.setdefault(host, Rates(self.rules, host))
        main, runs = self._responses(session)
        found = [*self._of_main(session, project, main, rates)]
        decided = self._decided(session) if runs else {}
        for number, responses in runs.items():
            baseline = self.baseline
            if baseline == baselines.MAIN:
                baseline = conversation.model_at(main, responses[0].at, known) or ""
            place = (responses[0].at, session, number, project)
            found.append(self._of_run(place, responses, (baseline, decided.get(number)), rates))
        return found

    def _worth(self, session: int) -> bool:
        if self.baseline != baselines.MAIN:
            return True
        return bool(self.db.execute(_WORTH, (session,)).fetchone()[0])

    def _responses(self, session: int) -> tuple[list[Response], dict[int, list[Response]]]:
        """Those of the conversation itself, and those of each run."""
        main: list[Response] = []
        runs: dict[int, list[Response]] = {}
        for at, run, agent, model, requests, fast, geo, searches, usd, *tokens in self.db.execute(
            _RESPONSES, (session, self.source)
        ):
            one = Response(
                at, run, agent, self._text(model), requests, fast, geo, tuple(tokens), searches, usd
            )
            (runs.setdefault(run, []) if run else main).append(one)
            self.read += 1
        return main, runs

    def _text(self, number: int) -> str:
        if number not in self.texts:
            self.texts[number] = ledger.text_of(self.db, number) or "unknown"
        return self.texts[number]

    def _decided(self, session: int) -> dict[int, str]:
        """By run the model that would have run without the decision on it."""
        rows = self.db.execute(_DECIDED, (session, *DECISIVE)).fetchall()
        resolved = ((run, baselines.resolved(self.rules, would)) for run, would in rows)
        return {run: model for run, model in resolved if model is not None}

    def _of_run(
        self,
        place: tuple[float, int, int, int],
        found: list[Response],
        against: tuple[str, str | None],
        rates: Rates,
    ) -> Piece:
        baseline, would = against
        sums = conversation.of_run(found, baseline, rates)
        answered = next((one for one in found if one.requests), found[0])
        net = None
        if would is not None:
            same = tokenizers.same(would, baseline)
            other = sums if same else conversation.of_run(found, would, rates)
            net = other.net_usd if other.requests else None
        models = (self._number(answered.model), self._number_of_baseline(baseline))
        return Piece(*place, answered.agent, *models, sums, net)

    def _number(self, model: str) -> int:
        return ledger.known_id(self.db, model)

    def _number_of_baseline(self, baseline: str) -> int:
        return self._number(baseline) if self.baseline == baselines.MAIN else 0

    def _of_main(
        self, session: int, project: int, main: list[Response], rates: Rates
    ) -> Iterator[Piece]:
        """The conversation's changes of model, or against a named model each of its days."""
        if self.baseline == baselines.MAIN:
            each = [(one.at, one, sums) for one, sums in conversation.changes(main, rates)]
        else:
            each = [*_by_day(conversation.of_main(main, self.baseline, rates))]
        for at, one, sums in _merged(each):
            model = self._number(one.model)
            baseline = model if self.baseline == baselines.MAIN else 0
            yield Piece(at, session, 0, project, one.agent, model, baseline, sums, None)


Dated = tuple[float, Response, Amounts]


def _by_day(found: Iterable[tuple[Response, Amounts]]) -> Iterator[Dated]:
    """Each response dated by the first one on its model of that local day."""
    first: dict[tuple[int, str], float] = {}
    until, day = -1.0, 0
    for one, sums in found:
        if one.at >= until:
            day = calendar.day_of(one.at)
            until = calendar.start_of(day + 1)
        yield first.setdefault((day, one.model), one.at), one, sums


def _merged(found: Iterable[Dated]) -> Iterator[Dated]:
    """One for each time."""
    together: dict[float, list[tuple[Response, Amounts]]] = {}
    for at, one, sums in found:
        together.setdefault(at, []).append((one, sums))
    for at, each in together.items():
        yield at, each[0][0], total([sums for _, sums in each])

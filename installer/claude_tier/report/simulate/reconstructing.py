"""Subagent runs that no decision explains, as the spawns they must have been.

A history from before the install has no decisions, only what was used. What ran is what would have
run; who chose it is told by the conversation's own model.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from claude_tier_hooks import client, decision, ledger

from claude_tier.report.days import Span
from claude_tier.report.savings import conversation, tokenizers
from claude_tier.report.savings.rates import Response
from claude_tier.report.simulate import history
from claude_tier.report.simulate.history import Past, Run
from claude_tier.report.simulate.result import Verdict

# Where a run began after its session's first decision the gate was there and was not asked: it is
# one of a workflow, say, which no policy puts on another model.
_BEGAN = (
    "SELECT u.run, min(u.at) FROM usage u WHERE u.run IS NOT NULL GROUP BY u.run"
    " HAVING min(u.at) >= ?1 AND min(u.at) < ?2"
)
_DECIDED = "SELECT session, tool_use_id, agent_id, at FROM decision"
_SESSIONS = "SELECT s.id, s.project, n.text, s.model FROM session s LEFT JOIN name n ON n.id = s.id"
_CONVERSATIONS = (
    "SELECT u.session, u.at, u.model FROM usage u WHERE u.run IS NULL AND u.requests > 0"
    " AND u.source = ? ORDER BY u.session, u.at, u.key"
)
# What a transcript without a type is recorded as: a compaction's, or one nobody described.
NAMELESS = ("", "unknown")
CHOSEN, INHERITED = "parameter", "parent"


def unexplained(
    db: sqlite3.Connection, runs: Iterable[Run], span: Span
) -> list[tuple[float, Run, str]]:
    """(began, run, agent type) of the runs that began in that span without a decision."""
    decided: set[tuple[int, str]] = set()
    first: dict[int, float] = {}
    for session, call, agent_id, at in db.execute(_DECIDED):
        decided.update(((session, call), (session, agent_id)))
        first[session] = min(at, first.get(session, at))
    left = [
        one
        for one in runs
        if one.model
        and (session := one.session, one.tool_use_id) not in decided
        and (session, one.agent_id) not in decided
    ]
    if not left:
        return []
    types = _types(db, {one.agent for one in left})
    began = dict(db.execute(_BEGAN, history.ends(span)).fetchall())
    found = [
        (began[one.number], one, types[one.agent])
        for one in left
        if one.number in began and one.agent in types
    ]
    return [each for each in found if each[0] < first.get(each[1].session, float("inf"))]


def _types(db: sqlite3.Connection, numbers: Iterable[int]) -> dict[int, str]:
    texts = {number: ledger.text_of(db, number) or "" for number in numbers}
    return {number: text for number, text in texts.items() if text not in NAMELESS}


def spawns(db: sqlite3.Connection, runs: Iterable[Run], span: Span) -> list[Past]:
    """Each of those runs as a decision that nobody recorded, oldest first."""
    found = sorted(unexplained(db, runs, span))
    if not found:
        return []
    sessions = {number: row for number, *row in db.execute(_SESSIONS)}
    talks = _conversations(db, {run.session for _, run, _ in found})
    made = []
    for at, run, agent in found:
        project, named, known = sessions.get(run.session, (-1, None, None))
        model = conversation.model_at(talks.get(run.session, ()), at, known)
        same = model is not None and run.model is not None and tokenizers.same(run.model, model)
        made.append(_spawn(at, run, (agent, named or "", project), inherits=same))
    return made


def _spawn(at: float, run: Run, place: tuple[str, str, int], *, inherits: bool) -> Past:
    agent, named, project = place
    action = decision.LEFT if agent == client.FORK else decision.KEPT
    return Past(
        at=at,
        session=run.session,
        project=project,
        named=named,
        tool_use_id=run.tool_use_id or "",
        tool="Agent",
        agent=agent,
        agent_number=run.agent,
        would=run.model,
        origin=INHERITED if inherits else CHOSEN,
        parent=None,
        agent_id=run.agent_id,
        made=Verdict(action, None, None, None, None, None),
        rules=None,
        facts=None,
        reconstructed=True,
    )


def _conversations(db: sqlite3.Connection, sessions: set[int]) -> dict[int, list[Response]]:
    """By session the first response on each model it went on with; nothing else tells a model."""
    texts: dict[int, str] = {}
    found: dict[int, list[Response]] = {}
    source = ledger.known_id(db, "transcript")
    last = (-1, -1)
    for session, at, model in db.execute(_CONVERSATIONS, (source,)):
        if (session, model) == last or session not in sessions:
            continue
        last = (session, model)
        if model not in texts:
            texts[model] = ledger.text_of(db, model) or "unknown"
        found.setdefault(session, []).append(
            Response(at, 0, 0, texts[model], 1, 0, None, (), 0, None)
        )
    return found

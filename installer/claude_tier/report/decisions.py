"""What became of each new subagent: asked, set, why, and what really ran."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import NamedTuple

from claude_tier_hooks import decision, decisions

from claude_tier.report import figures
from claude_tier.report.days import Span

NONE = "No decision yet: they are recorded from the install on."
NO_MATCH = "No decision matches."
_COLUMNS = (
    "d.at, s.text, p.text, d.tool_use_id, d.tool, a.text, d.description, d.parent, d.asked,"
    " d.would, d.origin, d.action, d.set_tier, d.reason, d.budget, d.level, d.used, d.agent_id,"
    " d.ran, d.proof"
)
_FROM = (
    "decision d LEFT JOIN name s ON s.id = d.session LEFT JOIN name a ON a.id = d.agent"
    " LEFT JOIN session own ON own.id = d.session LEFT JOIN name p ON p.id = own.project"
)


@dataclass(frozen=True)
class Decision:
    """One decision. `asked` is the model parameter of the call, `would` what would have run and
    `origin` who chose that; `set` is the tier we put in its place; `used` the budget's share.
    `ran` is None until the client has said it, `proof` then whether it kept to `set`.
    """

    at: float
    session: str
    project: str | None
    tool_use_id: str
    tool: str
    agent: str
    description: str | None
    parent: str | None
    asked: str | None
    would: str | None
    origin: str | None
    action: str
    set: str | None
    reason: str | None
    budget: str | None
    level: str | None
    used: float | None
    agent_id: str | None
    ran: str | None
    proof: str | None

    def fields(self) -> dict[str, object]:
        return asdict(self)


class Slice(NamedTuple):
    """Which decisions: those of a span, of a session (its id or the beginning of it), the last.

    `before` is the time and tool_use_id of one that none of them may be as new as. An agent of the
    plugin is named with its prefix or without, a project by its number.
    """

    span: Span = Span()
    session: str | None = None
    last: int | None = None
    before: tuple[float, str] | None = None
    agent: str | None = None
    action: str | None = None
    project: int | None = None

    @property
    def values(self) -> dict[str, object]:
        """What the named parameters of a query are."""
        return {
            "since": self.span.since,
            "until": self.span.until,
            "session": self.session,
            "agent": self.agent,
            "action": self.action,
            "last_at": self.before[0] if self.before else None,
            "last_id": self.before[1] if self.before else None,
            "project": self.project,
            "last": -1 if self.last is None else self.last,
        }


def within(at: str) -> str:
    """The condition of a slice's span, session and project, on rows with that time.

    `s` is the name of the session, and `own` the session itself.
    """
    return (
        f"(:since IS NULL OR {at} >= :since) AND (:until IS NULL OR {at} < :until)"
        " AND (:session IS NULL OR substr(s.text, 1, length(:session)) = :session)"
        " AND (:project IS NULL OR own.project = :project)"
    )


def query(db: sqlite3.Connection, part: Slice) -> list[Decision]:
    """The decisions of that part, oldest first."""
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM {_FROM} WHERE {within('d.at')}"
        " AND (:agent IS NULL OR a.text IN (:agent, 'model-tier:' || :agent))"
        " AND (:action IS NULL OR d.action = :action)"
        " AND (:last_at IS NULL OR (d.at, d.tool_use_id) < (:last_at, :last_id))"
        " ORDER BY d.at DESC, d.tool_use_id DESC LIMIT :last",
        part.values,
    )
    return [Decision(*row) for row in rows][::-1]


def follow(
    read: Callable[[], Sequence[Decision]], pause: Callable[[], None]
) -> Iterator[list[Decision]]:
    """What is new or has changed, again and again: a decision comes once more with its proof."""
    known: dict[tuple[str, str], Decision] = {}
    while True:
        news = [one for one in read() if known.get((one.session, one.tool_use_id)) != one]
        known |= {(one.session, one.tool_use_id): one for one in news}
        yield news
        pause()


def as_text(found: Sequence[Decision]) -> str:
    """One block of lines for each."""
    return "\n\n".join("\n".join(_block(one)) for one in found)


def _block(one: Decision) -> Iterator[str]:
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(one.at))
    what = one.agent if one.tool == "Agent" else f"{one.agent} ({one.tool})"
    yield f"{when}  {what}  {printable(one.description or '')}".rstrip() + f"  [{one.session[:8]}]"
    yield f"  asked   {_asked(one)}"
    yield f"  set     {_set(one)}"
    if one.budget:
        yield f"  budget  {one.budget}, {one.level} at {figures.share(one.used)}"
    yield f"  ran     {_ran(one)}"


def printable(text: str) -> str:
    """A text that others wrote, without what would steer a terminal."""
    return "".join(c if c.isprintable() else " " for c in text)


def _asked(one: Decision) -> str:
    asked = one.asked or "no model"
    if one.would is None:
        return f"{asked}; what would run is not known"
    return f"{asked}; {printable(one.would)} would run ({one.origin})"


def _set(one: Decision) -> str:
    words = {decision.ASKED: "asked the user", decision.LEFT: "left alone"}
    because = f": {one.reason}" if one.reason else ""
    return f"{one.set or 'nothing'}, {words.get(one.action, one.action)}{because}"


def _ran(one: Decision) -> str:
    if one.ran is None:
        return "nothing" if one.action == decision.DENIED else "not seen yet"
    if one.proof is None:
        return one.ran
    return f"{one.ran}, {'as set' if one.proof == decisions.HELD else 'NOT as set'}"


def outline(one: Decision) -> tuple[str, str, str, str]:
    """One line of `status`: time, agent, what was set, and why."""
    at = time.strftime("%H:%M", time.localtime(one.at))
    what = one.set or one.ran or one.would or figures.UNKNOWN
    done = one.action if one.action == decision.DENIED else f"{one.action}: {what}"
    return at, one.agent, done, one.reason or ""

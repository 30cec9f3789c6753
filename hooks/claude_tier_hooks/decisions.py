"""Decision rows and reservations in the ledger: what was asked, set and really ran."""

from __future__ import annotations

import os
import sqlite3

from . import ledger, policy, reservations, state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .shapes import Json

COLUMNS = (
    "session", "tool_use_id", "at", "tool", "agent", "description", "asked", "would", "origin",
    "action", "set_tier", "reason", "budget", "level", "used", "parent", "agent_id",
    "facts", "rules",
)  # fmt: skip
HELD, OVER = "held", "over"


def record(db: sqlite3.Connection, row: Json) -> bool:
    """Write a decision once; False when it was there already (two installs act as one)."""
    values = {key: row[key] for key in COLUMNS if key in row}
    values["session"] = ledger.name_id(db, row["session"])
    values["agent"] = ledger.name_id(db, row["agent"])
    query = "INSERT OR IGNORE INTO decision (%s) VALUES (%s)" % (
        ", ".join(values),
        ", ".join("?" * len(values)),
    )
    if db.execute(query, tuple(values.values())).rowcount == 0:
        return False
    if row.get("rules_text"):
        kept = (row["rules"], row["at"], row["rules_text"])
        db.execute("INSERT OR IGNORE INTO rules (id, at, text) VALUES (?, ?, ?)", kept)
    return True


def drain(db: sqlite3.Connection) -> list[str]:
    """Import what waits in the spool; the files to `forget` once this transaction is committed.

    A file that is no decision of ours is put aside, so that it stops nothing.
    """
    files = []
    for file in ledger.spooled():
        waiting = state.read_json(file) or {}
        try:
            _import(db, waiting)
            files.append(file)
        except (KeyError, TypeError, ValueError, sqlite3.IntegrityError, sqlite3.ProgrammingError):
            state.log_fault("spool", ValueError("%s is no decision" % os.path.basename(file)))
            os.replace(file, file + ".bad")
    return files


def _import(db: sqlite3.Connection, waiting: Json) -> None:
    if "exchange" in waiting:
        from . import routed  # only a file of the router's pays for it

        routed.record(db, dict(waiting["exchange"]))
        return
    row: Json = dict(waiting["decision"])
    if record(db, row) and waiting.get("held"):
        session = db.execute(
            "SELECT project FROM session WHERE id = ?", (ledger.known_id(db, row["session"]),)
        ).fetchone()
        reservations.hold(db, row, waiting["held"], session[0] if session else -1)


def forget(files: list[str]) -> None:
    """The rows are in the ledger; a file that stays is imported again and changes nothing."""
    for file in files:
        try:
            os.unlink(file)
        except OSError as fault:  # noqa: PERF203 - somebody else may have imported it as well
            state.log_fault("spool", fault)


def prove(
    db: sqlite3.Connection, session: int, tool_use_id: str, ran: str, tiers: list[str]
) -> Json | None:
    """Keep what really ran beside what was decided; the decision, None when it is known already."""
    row = db.execute(
        "SELECT set_tier, action, reason, name.text FROM decision JOIN name ON name.id = agent"
        " WHERE session = ? AND tool_use_id = ? AND ran IS NULL",
        (session, tool_use_id),
    ).fetchone()
    if row is None:
        return None
    wanted = row[0]
    over = wanted and policy.cheaper(wanted, policy.tier_of(ran, tiers), tiers)
    proof = (OVER if over else HELD) if wanted else None
    db.execute(
        "UPDATE decision SET ran = ?, proof = ? WHERE session = ? AND tool_use_id = ?",
        (ran, proof, session, tool_use_id),
    )
    return {"set": wanted, "action": row[1], "reason": row[2], "agent": row[3], "proof": proof}


def prove_by_runs(db: sqlite3.Connection, session: int, tiers: list[str]) -> None:
    """Fill in what ran from the subagents' own transcripts, where no tool result said it."""
    rows = db.execute(
        "SELECT d.tool_use_id, r.model FROM decision d JOIN run r"
        " ON r.session = d.session AND r.tool_use_id = d.tool_use_id"
        " WHERE d.session = ? AND d.ran IS NULL AND r.model IS NOT NULL",
        (session,),
    ).fetchall()
    for tool_use_id, ran in rows:
        prove(db, session, tool_use_id, ran, tiers)


def link(db: sqlite3.Connection, session: int, tool_use_id: str, agent_id: str) -> None:
    """Tell the decision and its reservation which subagent they became."""
    for table in ("decision", "reservation"):
        db.execute(
            "UPDATE %s SET agent_id = ? WHERE session = ? AND tool_use_id = ?" % table,
            (agent_id, session, tool_use_id),
        )


def release(
    db: sqlite3.Connection, session: int, run: tuple[str, str, str | None], now: float
) -> None:
    """The subagent (id, type, tool_use_id) ended: its reservation goes, its run is marked.

    More than once does no harm. A one-answer agent may end before its transcript is there.
    """
    agent_id, agent, tool_use_id = run
    db.execute(
        "DELETE FROM reservation WHERE session = ? AND (agent_id = ? OR tool_use_id = ?)",
        (session, agent_id, tool_use_id),
    )
    db.execute(
        "INSERT INTO run (agent_id, session, agent, tool_use_id, ended) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET ended = excluded.ended",
        (agent_id, session, ledger.name_id(db, agent), tool_use_id, now),
    )


def forsake(db: sqlite3.Connection, session: int, turn: float) -> None:
    """The conversation's turn ended then: an agent it asked for that was not launched was refused.

    By the user or a rule, after us; no event says so. Those that subagents ask for may run on.
    """
    db.execute(
        "DELETE FROM reservation WHERE session = ?1 AND agent_id IS NULL AND tool_use_id IN"
        " (SELECT tool_use_id FROM decision WHERE session = ?1 AND tool = 'Agent'"
        " AND parent IS NULL AND at < ?2)",
        (session, turn),
    )


def wake(db: sqlite3.Connection, session: int, agent_id: str) -> None:
    """A finished subagent was sent a message and runs again, under the same id."""
    db.execute(
        "UPDATE run SET ended = NULL WHERE session = ? AND agent_id = ?", (session, agent_id)
    )

"""Decision rows and reservations in the ledger: what was asked, set and really ran."""

from __future__ import annotations

import os

from . import ledger, policy, state

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3

    from .shapes import Json

HELD, OVER = "held", "over"


def record(db: sqlite3.Connection, row: Json) -> bool:
    """Write a decision once; False when it was there already (two installs act as one)."""
    values = dict(row)
    values["session"] = ledger.name_id(db, row["session"])
    values["agent"] = ledger.name_id(db, row["agent"])
    query = "INSERT OR IGNORE INTO decision (%s) VALUES (%s)" % (
        ", ".join(values),
        ", ".join("?" * len(values)),
    )
    return db.execute(query, tuple(values.values())).rowcount > 0


def drain(db: sqlite3.Connection) -> list[str]:
    """Import what waits in the spool; the files to `forget` once this transaction is committed."""
    files = ledger.spooled()
    for file in files:
        row = state.read_json(file)
        if row:
            record(db, row)
    return files


def forget(files: list[str]) -> None:
    for file in filter(os.path.exists, files):
        os.unlink(file)


def prove(
    db: sqlite3.Connection, session: int, tool_use_id: str, ran: str, tiers: list[str]
) -> Json | None:
    """Keep what really ran beside what was decided; the decision, None when there is none."""
    row = db.execute(
        "SELECT set_tier, action, reason, name.text FROM decision JOIN name ON name.id = agent"
        " WHERE session = ? AND tool_use_id = ?",
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
    db: sqlite3.Connection, session: int, agent_id: str, tool_use_id: str | None, now: float
) -> None:
    """The subagent ended: its reservation goes, its run is marked; more than once does no harm."""
    db.execute(
        "DELETE FROM reservation WHERE session = ? AND (agent_id = ? OR tool_use_id = ?)",
        (session, agent_id, tool_use_id),
    )
    db.execute(
        "UPDATE run SET ended = ? WHERE session = ? AND agent_id = ?", (now, session, agent_id)
    )

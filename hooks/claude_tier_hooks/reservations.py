"""What running subagents are expected to spend yet, held back at the gate.

A reservation ends with its subagent, at the latest after an hour without word of it. It is an
estimate and counts nowhere but at the gate.
"""

from __future__ import annotations

from . import budget, ledger, policy, prices, state

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3

    from .shapes import Json

LASTS = 3600  # seconds without word of the subagent
COLUMNS = (
    "session",
    "tool_use_id",
    "at",
    "expires",
    "agent",
    "project",
    "agent_id",
    "usd",
    "tokens",
)


def estimate(db: sqlite3.Connection, rules: Json, row: Json, here: Json) -> Json:
    """The reservation for a decision's row: what a run of that type usually costs."""
    usual = budget.typical(db, ledger.known_id(db, row["agent"]), row["at"])
    if usual is None:
        usual = _first_run(db, rules, row, here)
    # A woken subagent is known by its id already; a new one gets its own later.
    return {"agent_id": row.get("woken"), "usd": usual[0], "tokens": usual[1]}


def _first_run(db: sqlite3.Connection, rules: Json, row: Json, here: Json) -> tuple[float, int]:
    shape = budget.FIRST_RUN
    tokens = sum(shape.values())
    host = db.execute(
        "SELECT name.text FROM session JOIN name ON name.id = host WHERE session.id = ?",
        (here["session"],),
    ).fetchone()
    provider = rules["hosts"].get(host[0]) if host else None
    if provider and provider.get("free"):
        return 0.0, tokens
    model = row["set_tier"] or row["would"] or ""
    named = (state.read_json(policy.data_file("builtins.json")) or {}).get("models", {})
    return prices.price(rules, named.get(model, model), row["at"], shape) or 0.0, tokens


def hold(db: sqlite3.Connection, row: Json, held: Json, project: int) -> None:
    """Write the reservation of a decision in the transaction that is open."""
    values = (
        ledger.name_id(db, row["session"]), row["tool_use_id"], row["at"], row["at"] + LASTS,
        ledger.name_id(db, row["agent"]), project, held["agent_id"], held["usd"], held["tokens"],
    )  # fmt: skip
    db.execute(
        "INSERT OR REPLACE INTO reservation (%s) VALUES (%s)"
        % (", ".join(COLUMNS), ", ".join("?" * len(COLUMNS))),
        values,
    )


def waiting() -> tuple[float, int]:
    """(dollars, tokens) that decisions in the spool hold, while the ledger cannot be written."""
    rows = (state.read_json(file) or {} for file in ledger.spooled())
    held = [row["held"] for row in rows if isinstance(row.get("held"), dict)]
    return sum(one["usd"] for one in held), sum(one["tokens"] for one in held)

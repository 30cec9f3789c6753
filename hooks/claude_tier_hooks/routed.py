"""Requests of the router in the ledger: what each used, and how it went.

A request that got figures is a row of usage like any other, under the source `router/PROVIDER` or
`router/PROVIDER/ROUTE`, so that budgets and reports see it. The client knows nothing of it: what
is compared with the client's own figures leaves these sources out. `exchange` has one row for each
request, also for those that nobody answered. No prompt or answer is in it.

The caller holds the transaction.
"""

from __future__ import annotations

import json
import sqlite3

from . import ledger, usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .shapes import Json

SOURCE = "router"
SESSION = "router:"  # and the project's root: a request from outside of any session
AGENT = "router"
ANSWERED, FAILED, CANCELLED = "answered", "failed", "cancelled"
COLUMNS = (
    "id", "at", "session", "origin", "route", "asked", "target", "model", "usage", "seconds",
    "attempts", "outcome",
)  # fmt: skip


def source(provider: str, route: str | None) -> str:
    return "/".join(filter(None, (SOURCE, provider, route)))


def record(db: sqlite3.Connection, row: Json) -> bool:
    """Write one request once; False when it was there already.

    `row` is that of `exchange` with the session's text, its `cwd`, where it is not the router's own
    an `agent`, and `used`: None, or {provider, model, final, usd and the kinds of ledger.KINDS}.
    `usd` None is a request without a price.
    """
    if db.execute("SELECT 1 FROM exchange WHERE id = ?", (row["id"],)).fetchone():
        return False
    used = row["used"]
    name = source(used["provider"], row["route"]) if used else SOURCE
    recorder = usage.Recorder(db, {}, name)
    session = recorder.session(row["session"], row["cwd"])
    values = dict(row, session=session["id"], attempts=json.dumps(row["attempts"]), usage=None)
    if used:
        values["usage"] = _use(db, row, session, recorder.source)
    db.execute(
        "INSERT INTO exchange (%s) VALUES (%s)"
        % (", ".join(COLUMNS), ", ".join("?" * len(COLUMNS))),
        tuple(values[column] for column in COLUMNS),
    )
    return True


def _use(db: sqlite3.Connection, row: Json, session: Json, number: int) -> str:
    """Add what it used to the rows and to the sums; its key."""
    used, at = row["used"], row["at"]
    key = "msg_router_%s" % row["id"]
    agent, model = ledger.name_id(db, row.get("agent") or AGENT), ledger.name_id(db, used["model"])
    counts = [used[kind] for kind in ledger.KINDS]
    usd = used["usd"]
    cells = (
        at, session["id"], agent, None, model, number, 1, int(used["final"]), usage.PAID, 0,
        None, *counts, usd, None,
    )  # fmt: skip
    db.execute(usage.INSERT, (key, *cells))
    start = int(at // ledger.BUCKET)
    sums = (1, *counts, usd or 0.0, int(usd is None))
    place = (start, session["id"], agent, model, number, session["project"])
    db.execute(ledger.ADD_TO_BUCKET, (*place, *sums))
    db.execute(
        "UPDATE session SET last = ?1 WHERE id = ?2 AND coalesce(last, 0) < ?1",
        (at, session["id"]),
    )
    return key

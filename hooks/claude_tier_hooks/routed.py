"""Requests of the router in the ledger: what each used, and how it went.

A request that got figures is a row of usage like any other, under the source `router/PROVIDER` or
`router/PROVIDER/ROUTE`, so that budgets and reports see it. The client knows nothing of it: what
is compared with the client's own figures leaves these sources out. `exchange` has one row for each
request, also for those that nobody answered. No prompt or answer is in it.

A try that broke off was paid for as well, and is a row of its own where something is known of it:
the least that it used, and so never final.

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
KEY = "msg_router_"  # and the id of the request; of a try without an answer its number after that
# The rows of usage of an exchange `e`: of all its tries, and of those without an answer. They are
# ranges, which the index of keys finds; ` comes right after _.
OF_ALL = "key >= '%s' || e.id AND key < '%s' || e.id || '`'" % (KEY, KEY)
OF_LOST = "key >= '%s' || e.id || '_' AND key < '%s' || e.id || '`'" % (KEY, KEY)
IS_LOST = "instr(substr(key, %d), '_') > 0" % (len(KEY) + 1)  # of a row of the router's
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
    `usd` None is a request without a price. `lost` has the like of each try without an answer.
    """
    if db.execute("SELECT 1 FROM exchange WHERE id = ?", (row["id"],)).fetchone():
        return False
    session = usage.Recorder(db, {}, SOURCE).session(row["session"], row["cwd"])
    key = KEY + row["id"] if row["used"] else None
    values = dict(row, session=session["id"], attempts=json.dumps(row["attempts"]), usage=key)
    if key:
        _use(db, dict(row, key=key), session)
    for number, used in enumerate(row.get("lost") or (), 1):
        _use(db, dict(row, key="%s%s_%d" % (KEY, row["id"], number), used=used), session)
    db.execute(
        "INSERT INTO exchange (%s) VALUES (%s)"
        % (", ".join(COLUMNS), ", ".join("?" * len(COLUMNS))),
        tuple(values[column] for column in COLUMNS),
    )
    return True


def _use(db: sqlite3.Connection, row: Json, session: Json) -> None:
    """Add what it used to the rows, under its `key`, and to the sums."""
    used, at = row["used"], row["at"]
    number = ledger.name_id(db, source(used["provider"], row["route"]))
    agent, model = ledger.name_id(db, row.get("agent") or AGENT), ledger.name_id(db, used["model"])
    counts = [used[kind] for kind in ledger.KINDS]
    usd = used["usd"]
    cells = (
        at, session["id"], agent, None, model, number, 1, int(used["final"]), usage.PAID, 0,
        None, *counts, usd, None,
    )  # fmt: skip
    db.execute(usage.INSERT, (row["key"], *cells))
    start = int(at // ledger.BUCKET)
    sums = (1, *counts, usd or 0.0, int(usd is None))
    place = (start, session["id"], agent, model, number, session["project"])
    db.execute(ledger.ADD_TO_BUCKET, (*place, *sums))
    db.execute(
        "UPDATE session SET last = ?1 WHERE id = ?2 AND coalesce(last, 0) < ?1",
        (at, session["id"]),
    )

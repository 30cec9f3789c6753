"""Usage that had no price when it was counted, priced once its model has one."""

from __future__ import annotations

import sqlite3

from . import ledger, prices, routed, unlisted
from .usage import Recorder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .shapes import Json

BATCH = 2000  # responses of one transaction, so that no hook waits long


def models(db: sqlite3.Connection) -> list[tuple[str, int]]:
    """(model, responses) of what the ledger holds without a price, the most used first."""
    return db.execute(
        "SELECT text, count(*) AS n FROM usage JOIN name ON name.id = model"
        " WHERE usd IS NULL GROUP BY model ORDER BY n DESC, text"
    ).fetchall()


def settle(db: sqlite3.Connection, policy: Json) -> int:
    """Price what has a price by now, from what is kept of it; how many responses that were."""
    keys = _candidates(db, policy)
    settled = 0
    for start in range(0, len(keys), BATCH):
        with ledger.Writing(db):
            recorder = Recorder(db, policy)
            settled += sum(map(recorder.reprice, keys[start : start + BATCH]))
            recorder.finish()
    return settled


def _candidates(db: sqlite3.Connection, policy: Json) -> list[str]:
    """Keys of responses whose model or host the policy has learned of."""
    table = policy.get("models") or {}
    named = [model for model, _ in models(db) if model in table or prices.plain_id(model) in table]
    numbers = [ledger.known_id(db, model) for model in named]
    hosts = [ledger.known_id(db, host) for host in policy.get("hosts") or ()]
    query = "SELECT key FROM usage WHERE usd IS NULL AND (model IN (%s) OR session IN" % _marks(
        numbers
    )
    query += " (SELECT id FROM session WHERE host IN (%s)))" % _marks(hosts)
    query += " AND source NOT IN (%s)" % unlisted.ROUTED
    found = [row[0] for row in db.execute(query, (*numbers, *hosts))]
    return found + _routed(db, policy)


def _routed(db: sqlite3.Connection, policy: Json) -> list[str]:
    """Of the router's requests that were counted, those whose provider has a price by now.

    Half of an answer's figures are no price; what is known of a try without an answer is all there
    will be.
    """
    rows = db.execute(
        "SELECT key, s.text, m.text, at FROM usage JOIN name s ON s.id = source"
        " JOIN name m ON m.id = model WHERE usd IS NULL AND source IN (%s)"
        " AND (final OR %s)" % (unlisted.ROUTED, routed.IS_LOST)
    ).fetchall()
    return [key for key, *where in rows if _has_price(policy, *where)]


def _has_price(policy: Json, source: str, model: str, at: float) -> bool:
    table = prices.of_provider(policy, policy, source.split("/")[1])
    return table is None or prices.entry(table.get("models") or {}, model, at) is not None


def _marks(values: list[int]) -> str:
    return ", ".join("?" * len(values))

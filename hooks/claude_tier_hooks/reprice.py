"""Prices for usage that had none, once the table has learnt them. Priced rows are never changed."""

from __future__ import annotations

from . import ledger, prices

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3

    from .shapes import Json, Row

_KINDS = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h", "web_searches")


def unpriced(db: sqlite3.Connection, policy: Json) -> int:
    """Price what can be priced now, sums included, in one transaction; the number of rows."""
    with ledger.Writing(db):
        return sum(_one(db, policy, row) for row in _rows(db))


def _rows(db: sqlite3.Connection) -> list[Row]:
    return db.execute(
        "SELECT u.id, u.at, u.session, u.agent, u.model, u.source, u.run, u.requests, u.fast,"
        " u.geo, name.text, %s FROM usage u JOIN name ON name.id = u.model WHERE u.usd IS NULL"
        % ", ".join("u." + kind for kind in ledger.KINDS)
    ).fetchall()


def _one(db: sqlite3.Connection, policy: Json, row: Row) -> int:
    number, at, session, agent, model, source, run, requests, fast, geo, name = row[:11]
    usage: Json = dict(zip(_KINDS, row[11:]), geo=geo, speed="fast" if fast else None)
    usd = prices.price(policy, name, at, usage)
    if usd is None:
        return 0
    db.execute("UPDATE usage SET usd = ? WHERE id = ?", (usd, number))
    if run:
        db.execute("UPDATE run SET usd = usd + ? WHERE id = ?", (usd, run))
    db.execute(
        "UPDATE bucket SET usd = usd + ?, unpriced_requests = unpriced_requests - ? WHERE"
        " start = ? AND session = ? AND agent = ? AND model = ? AND source = ?",
        (usd, requests, int(at // ledger.BUCKET), session, agent, model, source),
    )
    return 1

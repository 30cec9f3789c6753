"""The sums the ledger keeps, against the rows they are sums of."""

from __future__ import annotations

import sqlite3

from claude_tier_hooks import ledger, unlisted

CENT = 1e-6  # dollars; sums are moved by differences, whose rounding adds up
KEY = ("start", "session", "agent", "model", "source")
_KEYS = ", ".join(KEY)
_TOKENS = " + ".join(ledger.KINDS[:5])


def _of_rows(table: str, where: str = "1", *, sign: str = "") -> str:
    """The sums of some rows of `usage` (or of a table like it) by quarter hour."""
    kinds = ", ".join(f"{sign}sum({kind}) AS {kind}" for kind in ledger.KINDS)
    return (
        f"SELECT CAST(at AS INTEGER) / {ledger.BUCKET} AS start, session, agent, model, source,"
        f" {sign}sum(requests) AS requests, {kinds}, {sign}sum(coalesce(usd, 0.0)) AS usd,"
        f" {sign}sum(usd IS NULL) AS unpriced_requests"
        f" FROM {table} WHERE {where} GROUP BY 1, 2, 3, 4, 5"
    )


def move(db: sqlite3.Connection, table: str, where: str = "1", *, sign: str = "") -> None:
    """Add the rows of a table like `usage` to the sums; `sign` "-" takes them out."""
    project = "coalesce((SELECT project FROM session WHERE id = used.session), 0)"
    columns = ", ".join(ledger.SUMS)
    added = ", ".join(f"{one} = {one} + excluded.{one}" for one in ledger.SUMS)
    db.execute(
        f"INSERT INTO bucket ({_KEYS}, project, {columns}) SELECT {_KEYS}, {project}, {columns}"
        f" FROM ({_of_rows(table, where, sign=sign)}) AS used WHERE 1"
        f" ON CONFLICT DO UPDATE SET {added}"
    )
    ran = f"SELECT run, sum(coalesce(usd, 0.0)) AS usd, sum({_TOKENS}) AS tokens FROM {table}"
    db.execute(
        f"UPDATE run SET usd = run.usd + {sign or '+'} used.usd, tokens = run.tokens"
        f" + {sign or '+'} used.tokens FROM ({ran} WHERE {where} GROUP BY run) AS used"
        " WHERE used.run = run.id"
    )


def _wanted(db: sqlite3.Connection) -> str:
    """Every quarter hour as it should be."""
    main = ledger.known_id(db, ledger.MAIN)
    source = ledger.known_id(db, unlisted.SOURCE)
    kinds = ", ".join(ledger.KINDS)
    beyond = (
        f"SELECT CAST(at AS INTEGER) / {ledger.BUCKET}, session, {main}, model, {source}, 0,"
        f" {kinds}, coalesce(usd, 0.0), 0 FROM unlisted"
    )
    return f"{_of_rows('usage')} UNION ALL {beyond}"


def _wrong_quarters(db: sqlite3.Connection) -> str:
    """The keys of quarter hours whose sums, or whose project, are not those of their rows."""
    sums = ledger.SUMS
    kept = ", ".join(f"-{one}" for one in sums)
    off = " OR ".join(f"abs(sum({one})) > {CENT if one == 'usd' else 0}" for one in sums)
    moved = (
        f"SELECT {', '.join('bucket.' + one for one in KEY)} FROM bucket"
        " JOIN session ON session.id = bucket.session"
        " WHERE bucket.project <> session.project"
    )
    return (
        f"SELECT {_KEYS} FROM (SELECT {_KEYS}, {', '.join(sums)} FROM ({_wanted(db)})"
        f" UNION ALL SELECT {_KEYS}, {kept} FROM bucket) GROUP BY {_KEYS} HAVING {off}"
        f" UNION {moved}"
    )


_SPANS = " UNION ALL ".join(
    f"SELECT {length} AS length, start / {length // ledger.BUCKET} AS start, project, agent,"
    f" sum(usd) AS usd, sum({_TOKENS}) AS tokens, sum(unpriced_requests) AS unpriced_requests"
    " FROM bucket GROUP BY 1, 2, 3, 4"
    for length in ledger.SPANS
)
_WRONG_SPANS = (
    "SELECT length, start, project, agent FROM (SELECT * FROM (" + _SPANS + ") UNION ALL"
    " SELECT length, start, project, agent, -usd, -tokens, -unpriced_requests FROM span)"
    " GROUP BY 1, 2, 3, 4"
    f" HAVING abs(sum(usd)) > {CENT} OR sum(tokens) <> 0 OR sum(unpriced_requests) <> 0"
)
_RUNS = (
    f"SELECT run AS id, sum(coalesce(usd, 0.0)) AS usd, sum({_TOKENS}) AS tokens FROM usage"
    " WHERE run IS NOT NULL GROUP BY run"
)
_WRONG_RUNS = (
    f"SELECT run.id FROM run LEFT JOIN ({_RUNS}) AS used ON used.id = run.id"
    f" WHERE abs(run.usd - coalesce(used.usd, 0)) > {CENT}"
    " OR run.tokens <> coalesce(used.tokens, 0)"
)


def wrong(db: sqlite3.Connection) -> dict[str, int]:
    """How many quarter hours, spans and runs do not hold the sums of their rows."""
    queries = {"quarters": _wrong_quarters(db), "spans": _WRONG_SPANS, "runs": _WRONG_RUNS}
    return {
        name: db.execute(f"SELECT count(*) FROM ({query})").fetchone()[0]
        for name, query in queries.items()
    }


def mend(db: sqlite3.Connection) -> int:
    """Set right what is wrong, and only that; how much it was. No hook waits when it is nothing."""
    found = sum(wrong(db).values())
    if found:
        with ledger.Writing(db):
            _mend_quarters(db)
            db.execute("DELETE FROM span")
            db.execute(f"INSERT INTO span {_SPANS}")
            _mend_runs(db)
    return found


def _mend_quarters(db: sqlite3.Connection) -> None:
    columns = ", ".join(ledger.SUMS)
    project = "coalesce((SELECT project FROM session WHERE id = used.session), 0)"
    db.execute(f"CREATE TEMP TABLE wrong AS {_wrong_quarters(db)}")
    db.execute(f"DELETE FROM bucket WHERE ({_KEYS}) IN (SELECT {_KEYS} FROM wrong)")
    db.execute(
        f"INSERT INTO bucket ({_KEYS}, project, {columns}) SELECT {_KEYS}, {project}, {columns}"
        f" FROM ({_wanted(db)}) AS used WHERE ({_KEYS}) IN (SELECT {_KEYS} FROM wrong)"
    )
    db.execute("DROP TABLE wrong")


def _mend_runs(db: sqlite3.Connection) -> None:
    db.execute(
        "UPDATE run SET usd = coalesce(used.usd, 0), tokens = coalesce(used.tokens, 0)"
        f" FROM (SELECT run.id AS id, mine.usd AS usd, mine.tokens AS tokens FROM run"
        f" LEFT JOIN ({_RUNS}) AS mine ON mine.id = run.id) AS used WHERE used.id = run.id"
    )

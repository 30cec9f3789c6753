"""What the client charged in a session without a transcript row: compaction, titles.

Per session and model max(0, the last cost-state - the usage of every source), recomputed and never
added. A cost-state is cumulative; a fall below a segment's first figure starts a new one; a fork's
begins with its parent's figure at the fork. The caller holds the transaction.
"""

from __future__ import annotations

import json
import sqlite3

from . import ledger, prices, transcripts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .shapes import Json, Row

    State = tuple[float, float, str, int]  # when, dollars, figures by model, order of reading

SOURCE = "unlisted"
# The router's own requests: the client's figures know nothing of them.
ROUTED = "SELECT id FROM name WHERE text >= 'router/' AND text < 'router0'"
_FIELDS = (
    ("inputTokens", "input"),
    ("outputTokens", "output"),
    ("cacheReadInputTokens", "cache_read"),
    ("cacheCreationEphemeral5mInputTokens", "cache_write_5m"),
    ("cacheCreationEphemeral1hInputTokens", "cache_write_1h"),
    ("webSearchRequests", "web_searches"),
)
_KINDS = len(ledger.KINDS)
_client: Json = {}


def remember(db: sqlite3.Connection, session: int, row: Json, at: float) -> bool:
    """Keep a cost-state; False when it is known already or says nothing.

    Known by its figures: where it stood may change when the client rewrites a file.
    """
    models = row.get("modelUsage")
    total = transcripts.dollars(row.get("totalCostUSD"))
    if not isinstance(models, dict) or total is None:
        return False
    figures = {name: _figures(one) for name, one in models.items() if isinstance(one, dict)}
    text = json.dumps(figures, sort_keys=True)
    done = db.execute(
        "INSERT INTO cost_state (session, seq, at, total, models)"
        " SELECT ?1, (SELECT coalesce(max(seq), 0) + 1 FROM cost_state"
        " WHERE session = ?1), ?2, ?3, ?4 WHERE NOT EXISTS (SELECT 1 FROM cost_state"
        " WHERE session = ?1 AND total = ?3 AND models = ?4)",
        (session, at, total, text),
    )
    return done.rowcount > 0


def _figures(one: Json) -> list[float]:
    """The token kinds, then dollars; a cache write without the split counts as 5 minutes."""
    found = [transcripts.number(one.get(field)) for field, _ in _FIELDS]
    written = transcripts.number(one.get("cacheCreationInputTokens"))
    found[3] = max(found[3], written - found[4])
    return [*found, transcripts.dollars(one.get("costUSD")) or 0.0]


def charged(db: sqlite3.Connection, session: int) -> dict[str, list[float]] | None:
    """Per model what the client charged this session; None when nothing says, or a fork's
    parent is not known well enough to take its share off."""
    states = states_of(db, session)
    if not states:
        return None
    # The client may have removed the rows that dated one, which then seems to be a fall: of the
    # order in time and the order of reading the one with fewer falls is right.
    read = sorted(states, key=lambda one: one[3])
    figures: dict[str, list[float]] = {}
    for segment in min(_segments(states), _segments(read), key=len):
        _add(figures, segment, 1)
    (parent,) = db.execute("SELECT parent FROM session WHERE id = ?", (session,)).fetchone()
    if parent is None:
        return figures
    (forked,) = db.execute(
        "SELECT min(at) FROM usage WHERE session = ? AND source NOT IN (%s)" % ROUTED, (session,)
    ).fetchone()
    before = [one for one in states_of(db, parent) if forked is None or one[0] <= forked]
    if before:
        _add(figures, json.loads(before[-1][2]), -1)
    elif not _was_read(db, parent):
        return None
    return figures


def _was_read(db: sqlite3.Connection, session: int) -> bool:
    """Whether the session's own transcript was seen; without a saved cost its fork began at 0."""
    row = db.execute("SELECT file FROM session WHERE id = ?", (session,)).fetchone()
    return bool(row and row[0])


def states_of(db: sqlite3.Connection, session: int) -> list[State]:
    query = "SELECT at, total, models, seq FROM cost_state WHERE session = ? ORDER BY at, seq"
    return db.execute(query, (session,)).fetchall()


def _segments(states: list[State]) -> list[dict[str, list[float]]]:
    """The greatest figures of each segment by model; one begins below the first of that before.

    Processes that resume one session at a time each go on from what it had then, and write in
    turn: a figure below another's is no fall.
    """
    found: list[dict[str, list[float]]] = []
    first = 0.0
    for _, total, models, _ in states:
        if not found or total < first - 1e-12:
            first = total
            found.append({})
        for name, values in json.loads(models).items():
            known = found[-1].setdefault(name, values)
            found[-1][name] = [max(pair) for pair in zip(known, values)]
    return found


def _add(figures: dict[str, list[float]], models: dict[str, list[float]], sign: int) -> None:
    for name, values in models.items():
        sums = figures.setdefault(name, [0.0] * (_KINDS + 1))
        for n, value in enumerate(values):
            sums[n] += sign * value


def recompute(db: sqlite3.Connection, sessions: set[int], table: Json, hosts: Json) -> None:
    """Bring `unlisted` up to date for these sessions and the forks of them."""
    if not sessions or not db.execute("SELECT 1 FROM cost_state LIMIT 1").fetchone():
        return
    for session in sorted(sessions | _forks(db, sessions)):
        (host,) = db.execute(
            "SELECT (SELECT text FROM name WHERE id = host) FROM session WHERE id = ?", (session,)
        ).fetchone()
        _recompute_one(db, session, prices.of_host(table, hosts, host))


def _forks(db: sqlite3.Connection, sessions: set[int]) -> set[int]:
    marks = ", ".join("?" * min(len(sessions), 500))
    found = db.execute(
        "SELECT id FROM session WHERE parent IN (%s)" % marks, sorted(sessions)[:500]
    )
    return {row[0] for row in found}


def _recompute_one(db: sqlite3.Connection, session: int, table: Json | None) -> None:
    figures = charged(db, session)
    if (
        figures is None
        and not db.execute("SELECT 1 FROM unlisted WHERE session = ?", (session,)).fetchone()
    ):
        return
    listed = with_rows(db, session)
    otherwise = priced_otherwise(db, session)
    states = states_of(db, session)
    at = states[-1][0] if states else 0.0
    wanted = {}
    for name, values in folded(figures or {}).items():
        seen = listed.get(fold(name), [0.0] * (_KINDS + 1))
        tokens = [max(0, int(a - b)) for a, b in zip(values[:_KINDS], seen)]
        if any(tokens):
            beyond = None if fold(name) in otherwise else values[_KINDS] - seen[_KINDS]
            usd = _dollars(name, tokens, at, table, beyond)
            wanted[ledger.name_id(db, name)] = (at, *tokens, usd)
    _replace(db, session, wanted)


def fold(name: str) -> str:
    """One name for what requests and answers spell with and without a date or a window."""
    return prices.plain_id(name) if "claude-" in name.lower() else name


def folded(figures: dict[str, list[float]]) -> dict[str, list[float]]:
    """The figures of each model once; by the name that the client uses, if it uses only one."""
    names: dict[str, list[str]] = {}
    for name in figures:
        names.setdefault(fold(name), []).append(name)
    found = {}
    for name, spelled in names.items():
        sums = [sum(column) for column in zip(*(figures[one] for one in spelled))]
        found[spelled[0] if len(spelled) == 1 else name] = sums
    return found


def with_rows(db: sqlite3.Connection, session: int) -> dict[str, list[float]]:
    """What has rows by the model that was asked for, as the client sums it."""
    sums = ", ".join("sum(%s)" % kind for kind in (*ledger.KINDS, "usd"))
    answered = db.execute(
        "SELECT text, %s FROM bucket JOIN name ON name.id = model"
        " WHERE session = ? AND source <> ? AND source NOT IN (%s) GROUP BY model" % (sums, ROUTED),
        (session, ledger.known_id(db, SOURCE)),
    )
    figures: dict[str, list[float]] = {}
    for name, *values in answered.fetchall():
        _add(figures, {fold(name): values}, 1)
    renamed = db.execute(
        "SELECT (SELECT text FROM name WHERE id = model), (SELECT text FROM name WHERE id = asked),"
        " %s FROM usage WHERE session = ? AND asked IS NOT NULL GROUP BY model, asked" % sums,
        (session,),
    )
    for model, asked, *found in renamed.fetchall():
        values = [value or 0.0 for value in found]
        _add(figures, {fold(model): values}, -1)
        _add(figures, {fold(asked): values}, 1)
    return figures


def priced_otherwise(db: sqlite3.Connection, session: int) -> set[str]:
    """Models whose rows do not cost what the client reckons: answered by another, or free."""
    found = db.execute(
        "SELECT text FROM name JOIN usage ON name.id = asked WHERE session = ?1"
        " UNION SELECT text FROM name JOIN usage ON name.id = model WHERE session = ?1"
        " AND usd = 0 AND input_tokens + output_tokens > 0 AND source NOT IN (%s)" % ROUTED,
        (session,),
    )
    return {fold(row[0]) for row in found}


def _dollars(
    name: str, tokens: list[int], at: float, table: Json | None, beyond: float | None
) -> float | None:
    """What is missing costs: `beyond` of the client's figure where our prices are the client's.

    Elsewhere the tokens at our price, without the step of long prompts: in how many calls they
    were used is not known.
    """
    if table is None:
        return 0.0
    rate = prices.entry(table.get("models") or {}, name, at)
    if rate is None:
        return None
    if beyond is not None and rate == prices.entry(_shipped(), name, at):
        return max(0.0, beyond)
    used = dict(zip((*prices.KINDS, "web_searches"), tokens))
    return prices.price(dict(table, models={name: [dict(rate, above=None)]}), name, at, used)


def _shipped() -> Json:
    """The prices that Claude Code itself reckons with, read when they are first needed."""
    if not _client:
        _client.update(prices.shipped().get("models") or {})
    return _client


def _replace(db: sqlite3.Connection, session: int, wanted: dict[int, Row]) -> None:
    """Set the session's rows, moving the sums by what changed."""
    columns = "at, %s, usd" % ", ".join(ledger.KINDS)
    now = db.execute("SELECT model, %s FROM unlisted WHERE session = ?" % columns, (session,))
    known = {row[0]: tuple(row[1:]) for row in now.fetchall()}
    for model in sorted(known.keys() | wanted.keys()):
        old, new = known.get(model), wanted.get(model)
        if old == new:
            continue
        _sum(db, session, model, old, -1)
        _sum(db, session, model, new, 1)
        db.execute("DELETE FROM unlisted WHERE session = ? AND model = ?", (session, model))
        if new:
            marks = ", ".join("?" * (len(new) + 2))
            db.execute(
                "INSERT INTO unlisted (session, model, %s) VALUES (%s)" % (columns, marks),
                (session, model, *new),
            )


def _sum(db: sqlite3.Connection, session: int, model: int, row: Row | None, sign: int) -> None:
    if row is None:
        return
    project = db.execute("SELECT project FROM session WHERE id = ?", (session,)).fetchone()
    values = [0, *(sign * n for n in row[1 : _KINDS + 1]), sign * (row[-1] or 0.0), 0]
    main, source = ledger.name_id(db, ledger.MAIN), ledger.name_id(db, SOURCE)
    key = (int(row[0] // ledger.BUCKET), session, main, model, source)
    db.execute(ledger.ADD_TO_BUCKET, (*key, project[0] if project else 0, *values))

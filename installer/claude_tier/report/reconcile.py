"""The ledger beside what the client itself saved of each session's cost (`cost-state`).

A session is compared as a whole. What its transcript rows lack is in the ledger as `unlisted`, so
rows and unlisted together are what the client charged, unless there is a reason.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, astuple, dataclass
from typing import Any

from claude_tier_hooks import ledger, prices, unlisted
from claude_tier_hooks.shapes import Json

from claude_tier.report import totals
from claude_tier.report.days import Slice

CENT = 0.01
UNSAVED, FORK, LATER = "not saved", "fork", "used since"
UNLISTED, UNPRICED, PRICES, UNKNOWN = "unlisted", "unpriced", "other prices", "unknown"
WORDS = {
    UNSAVED: "the client saved no cost",
    FORK: "forked from a session whose cost is not known",
    LATER: "used since the client last saved",
    UNLISTED: "charged without a row of ours (compaction, titles, a missed row)",
    UNPRICED: "some models have no price here",
    PRICES: "your prices, or what the models that answered cost, are not the client's",
    UNKNOWN: "nothing here explains it (see below)",
}
# An older runtime does not write when a session was last used; its sums know to the quarter hour.
_SESSIONS = (
    "SELECT session.id, n.text, p.text,"
    " max(coalesce(session.last, total.at), coalesce(total.at, session.last)) AS used,"
    " session.host, EXISTS (SELECT 1 FROM cost_state WHERE cost_state.session = session.id)"
    " FROM session JOIN name n ON n.id = session.id"
    " LEFT JOIN name p ON p.id = session.project"
    " LEFT JOIN session_total total ON total.session = session.id"
    " WHERE (:since IS NULL OR used >= :since) AND (:until IS NULL OR used < :until)"
    " AND (:project IS NULL OR session.project = :project)"
    f" AND NOT {totals.OWN.format('n.text')} ORDER BY used DESC, n.text"
)


@dataclass(frozen=True)
class Amount:
    """Tokens by kind, and dollars; `usd` is None where some of it has no price."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_5m_tokens: int = 0
    cache_write_1h_tokens: int = 0
    web_searches: int = 0
    usd: float | None = 0.0

    def __add__(self, other: Amount) -> Amount:
        return self._with(other, 1)

    def __sub__(self, other: Amount) -> Amount:
        return self._with(other, -1)

    def _with(self, other: Amount, sign: int) -> Amount:
        *mine, usd = astuple(self)
        *theirs, more = astuple(other)
        counts = [one + sign * two for one, two in zip(mine, theirs, strict=True)]
        known = usd is not None and more is not None
        return _of([*counts, usd + sign * more if known else None])

    @property
    def tokens(self) -> int:
        written = self.cache_write_5m_tokens + self.cache_write_1h_tokens
        return self.input_tokens + self.output_tokens + self.cache_read_tokens + written

    def same_tokens(self) -> bool:
        """Whether, as a difference, it is none; the client may not say how long it wrote for."""
        written = self.cache_write_5m_tokens + self.cache_write_1h_tokens
        return not any((self.input_tokens, self.output_tokens, self.cache_read_tokens, written))


@dataclass(frozen=True)
class Model:
    """One model of a session, by the name that was asked for."""

    model: str
    rows: Amount
    unlisted: Amount
    client: Amount


@dataclass(frozen=True)
class Session:
    """`saved_at` and `client` are None where nothing was saved or a fork's share is not known.

    `reasons` say why the figures may differ; `agrees` is None where they cannot be compared.
    """

    session: str
    project: str
    last: float | None
    saved_at: float | None
    rows: Amount
    unlisted: Amount
    client: Amount | None
    models: tuple[Model, ...]
    reasons: tuple[str, ...]
    agrees: bool | None

    @property
    def difference(self) -> Amount | None:
        return None if self.client is None else self.rows + self.unlisted - self.client

    @property
    def unlisted_share(self) -> float | None:
        """Of what the client charged; a row that we missed would be in it."""
        mine, whole = self.unlisted.usd, self.client.usd if self.client else None
        return mine / whole if mine is not None and whole else None

    @property
    def verdict(self) -> str:
        """One of COUNTS."""
        if self.agrees is not None:
            return "agree" if self.agrees else "differ"
        why = next(one for one in (UNSAVED, FORK, LATER) if one in self.reasons)
        return why.replace(" ", "_")

    def fields(self) -> dict[str, object]:
        """The JSON of it."""
        off = self.difference
        return {
            **asdict(self),
            "difference": None if off is None else asdict(off),
            "unlisted_share": self.unlisted_share,
        }

    def flat(self) -> dict[str, object]:
        """The row of a CSV."""
        off = self.difference
        return {
            "session": self.session,
            "project": self.project,
            "last": self.last,
            "saved_at": self.saved_at,
            "rows_tokens": self.rows.tokens,
            "rows_usd": self.rows.usd,
            "unlisted_tokens": self.unlisted.tokens,
            "unlisted_usd": self.unlisted.usd,
            "client_tokens": self.client.tokens if self.client else None,
            "client_usd": self.client.usd if self.client else None,
            "difference_tokens": off.tokens if off else None,
            "difference_usd": off.usd if off else None,
            "agrees": self.agrees,
            "reasons": "; ".join(self.reasons),
        }


COUNTS = ("agree", "differ", "used_since", "not_saved", "fork")
COLUMNS = (
    "session", "project", "last", "saved_at", "rows_tokens", "rows_usd", "unlisted_tokens",
    "unlisted_usd", "client_tokens", "client_usd", "difference_tokens", "difference_usd",
    "agrees", "reasons",
)  # fmt: skip


@dataclass(frozen=True)
class Reconciliation:
    """The sessions, the newest first; the sums are of those that could be compared."""

    sessions: tuple[Session, ...]

    @property
    def compared(self) -> list[Session]:
        return [one for one in self.sessions if one.agrees is not None]

    @property
    def counts(self) -> dict[str, int]:
        """How many sessions of each verdict; together all of them."""
        found = Counter(one.verdict for one in self.sessions)
        return {name: found[name] for name in COUNTS}

    @property
    def agrees(self) -> bool:
        return all(one.agrees for one in self.compared)

    def fields(self) -> dict[str, object]:
        """The JSON of it."""
        rows, beyond, client = self.sums()
        return {
            "agrees": self.agrees,
            "compared": len(self.compared),
            "counts": self.counts,
            "sessions": [one.fields() for one in self.sessions],
            "totals": {
                "rows": asdict(rows),
                "unlisted": asdict(beyond),
                "client": asdict(client),
                "difference": asdict(rows + beyond - client),
            },
        }

    def sums(self) -> tuple[Amount, Amount, Amount]:
        """Rows, unlisted and the client's own figures of what was compared."""
        compared = self.compared
        return (
            added(one.rows for one in compared),
            added(one.unlisted for one in compared),
            added(one.client or Amount() for one in compared),
        )


def added(amounts: Iterable[Amount]) -> Amount:
    found = Amount()
    for one in amounts:
        found = found + one
    return found


def query(db: sqlite3.Connection, rules: Json, part: Slice) -> Reconciliation:
    """Compare the sessions that were last used in that part of the ledger."""
    since, until = part.span
    values = {"since": since, "until": until, "project": part.project}
    found = db.execute(_SESSIONS, values).fetchall()
    wholes = _whole_sessions(db)
    sessions = [
        _session(db, rules, row, wholes.get(row[0])) if row[5] else _unsaved(row, wholes)
        for row in found
        if row[5] or row[0] in wholes
    ]
    return Reconciliation(tuple(sessions))


def _whole_sessions(db: sqlite3.Connection) -> dict[int, Amount]:
    kinds = ", ".join(ledger.KINDS)
    query = f"SELECT session, {kinds}, usd, unpriced_requests FROM session_total"
    return {row[0]: _amount(row[1:8], blind=bool(row[8])) for row in db.execute(query)}


def _unsaved(row: Sequence[object], amounts: dict[int, Amount]) -> Session:
    number, name, project, last = row[:4]
    return Session(
        session=str(name),
        project=str(project),
        last=last,  # type: ignore[arg-type]
        saved_at=None,
        rows=amounts[number],  # type: ignore[index]
        unlisted=Amount(),
        client=None,
        models=(),
        reasons=(UNSAVED,),
        agrees=None,
    )


def _session(
    db: sqlite3.Connection, rules: Json, row: Sequence[object], shown: Amount | None
) -> Session:
    number, name, project, last, host = row[:5]
    assert isinstance(number, int)
    saved_at = unlisted.states_of(db, number)[-1][0]
    charged = unlisted.charged(db, number)
    blind = _blind(db, number) if shown and shown.usd is None else set()
    models = tuple(_models(db, number, unlisted.folded(charged or {}), blind))
    rows, beyond = added(one.rows for one in models), added(one.unlisted for one in models)
    client = None if charged is None else added(one.client for one in models)
    off = None if client is None else rows + beyond - client
    later = isinstance(last, (int, float)) and _used(db, number, last) > saved_at
    reasons = [
        *[FORK] * (client is None),
        *[LATER] * later,
        *[UNLISTED] * (beyond.tokens > 0),
        *[UNPRICED] * ((rows + beyond).usd is None),
        *[PRICES] * _priced_otherwise(db, rules, number, host, [one.model for one in models]),
    ]
    agrees = None if off is None or later else _agrees(off, reasons)
    return Session(
        session=str(name),
        project=str(project),
        last=last if isinstance(last, (int, float)) else None,
        saved_at=saved_at,
        rows=rows,
        unlisted=beyond,
        client=client,
        models=models,
        reasons=tuple([*reasons, UNKNOWN] if agrees is False else reasons),
        agrees=agrees,
    )


def _used(db: sqlite3.Connection, number: int, last: float) -> float:
    """When the client last used it: what the router did in its name is not the client's."""
    others = f"source {'{}'} IN ({unlisted.ROUTED})"
    query = f"SELECT max(at) FROM usage WHERE session = ? AND {others}"
    (routed,) = db.execute(query.format(""), (number,)).fetchone()
    if routed is None:
        return last
    (used,) = db.execute(query.format("NOT"), (number,)).fetchone()
    return float(used or 0.0)


def _agrees(off: Amount, reasons: Sequence[str]) -> bool:
    """Token for token, and to the cent unless there is a reason for other dollars."""
    dollars = off.usd is not None and abs(off.usd) < CENT
    return off.same_tokens() and (dollars or UNPRICED in reasons or PRICES in reasons)


def _models(
    db: sqlite3.Connection, number: int, charged: dict[str, list[float]], blind: set[str]
) -> Iterator[Model]:
    """What is known of each, by the name without date and window."""
    shown, beyond = unlisted.with_rows(db, number), _beyond(db, number)
    client = {unlisted.fold(name): values for name, values in charged.items()}
    for name in sorted(shown.keys() | beyond.keys() | client.keys()):
        rows = _amount(shown.get(name), blind=name in blind)
        yield Model(name, rows, beyond.get(name, Amount()), _amount(client.get(name)))


def _amount(values: Sequence[float] | None, *, blind: bool = False) -> Amount:
    if values is None:
        return Amount()
    *counts, usd = values
    return _of([*map(int, counts), None if blind else usd])


def _of(values: Sequence[Any]) -> Amount:
    return Amount(**dict(zip((*ledger.KINDS, "usd"), values, strict=True)))


def _beyond(db: sqlite3.Connection, number: int) -> dict[str, Amount]:
    kinds = ", ".join(ledger.KINDS)
    rows = db.execute(
        f"SELECT text, {kinds}, usd FROM unlisted JOIN name ON name.id = model WHERE session = ?",
        (number,),
    )
    return {
        unlisted.fold(row[0]): _amount(row[1:8], blind=row[7] is None) for row in rows.fetchall()
    }


def _blind(db: sqlite3.Connection, number: int) -> set[str]:
    """The models whose rows have no price, by the name that was asked for."""
    rows = db.execute(
        "SELECT DISTINCT text FROM usage JOIN name ON name.id = coalesce(asked, model)"
        f" WHERE session = ? AND usd IS NULL AND source NOT IN ({unlisted.ROUTED})",
        (number,),
    )
    return {unlisted.fold(row[0]) for row in rows.fetchall()}


def _priced_otherwise(
    db: sqlite3.Connection, rules: Json, number: int, host: object, models: Sequence[str]
) -> bool:
    """Whether our dollars need not be the client's: by configuration, or another model answered."""
    if unlisted.priced_otherwise(db, number):
        return True
    text = ledger.text_of(db, host) if isinstance(host, int) else None
    if text in rules["hosts"]:
        return True
    shipped = prices.shipped().get("models") or {}
    table = rules.get("models") or {}
    return any(table.get(name) != shipped.get(name) for name in map(prices.plain_id, models))

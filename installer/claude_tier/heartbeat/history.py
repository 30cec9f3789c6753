"""Receipts as they are read: what became of the planned times of beats, also of those long gone."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from claude_tier_hooks import routed

from claude_tier.config.providers import CLAUDE
from claude_tier.errors import UserError
from claude_tier.heartbeat import models
from claude_tier.heartbeat.receipts import Origin, Status
from claude_tier.pipelines.screen import dollars
from claude_tier.report import figures
from claude_tier.report.decisions import printable
from claude_tier.report.table import Column, render
from claude_tier.routing.target import Target

NONE = "No receipt yet: ticks write them, `claude-tier heartbeat install` has ticks come."
COLUMNS = (
    Column("At"),
    Column("Beat"),
    Column("Times", figures=True, spare=3),
    Column("Came to"),
    Column("Because"),
    Column("Answered", spare=1),
    Column("Cost", figures=True),
    Column("Took", figures=True, spare=2),
)
_QUERY = (
    "SELECT n.text, r.slot, r.last, r.slots, r.origin, r.status, r.reason, r.began, r.ended,"
    " r.asked, r.served, r.ok, r.saved_bytes, r.saved_usd, r.exchange,"
    f" (SELECT CASE count(usd) WHEN count(*) THEN sum(usd) END FROM usage WHERE {routed.OF_ALL}),"
    f" e.target, e.attempts, EXISTS (SELECT 1 FROM usage WHERE {routed.OF_ALL})"
    " FROM receipt r JOIN name n ON n.id = r.beat LEFT JOIN exchange e ON e.id = r.exchange"
    " WHERE (?1 IS NULL OR n.text = ?1 OR substr(n.text, -length(?1) - 1) = '#' || ?1)"
    " AND (?2 IS NULL OR r.last >= ?2) AND (NOT ?4 OR r.status <> 'skipped')"
    " ORDER BY r.slot DESC, n.text LIMIT ?3"
)


@dataclass(frozen=True)
class Receipt:
    """What became of the `slots` planned times from `slot` to `last`; times are epoch seconds.

    `ok` is whether the model said that all is well. `usd` is of all that was asked, also in vain;
    None where nothing was, or a part has no price. `target` is whom the router had the answer of,
    and `sent` whether anything left for anybody. `saved_usd` is about what a request that was not
    sent would have cost.
    """

    beat: str
    slot: float
    last: float
    slots: int
    origin: Origin
    status: Status
    reason: str | None
    began: float | None
    ended: float | None
    asked: str | None
    served: str | None
    ok: bool | None
    saved_bytes: int | None
    saved_usd: float | None
    exchange: str | None
    usd: float | None
    target: str | None = None
    sent: bool = False

    @property
    def name(self) -> str:
        return self.beat.rpartition("#")[2]

    @property
    def came_to(self) -> str:
        """Its status, or what the model said: well, alert."""
        if self.status == "ran":
            return "well" if self.ok else "alert"
        return self.status

    @property
    def answered(self) -> str:
        """Who answered; with the provider, and beside what was asked, where they differ."""
        if not self.served or not self.target:
            return self.served or ""
        provider, _, model = self.target.partition("/")
        names = (self.target, model) if provider == CLAUDE else (self.target,)
        if self.asked in names and models.is_served_by(Target(provider, model), self.served):
            return self.served
        return f"{provider}/{self.served}, asked {self.asked}"

    def fields(self) -> dict[str, object]:
        """The JSON of it."""
        file = self.beat.rpartition("#")[0]
        return {**asdict(self), "beat": self.name, "file": file, "came_to": self.came_to}


def query(
    db: sqlite3.Connection, beat: str | None, *, since: float | None = None, most: int = -1
) -> list[Receipt]:
    """Those of a beat, by its name or with its file, or of all; oldest first.

    UserError for a beat that has none and never had.
    """
    found = [_receipt(row) for row in db.execute(_QUERY, (beat, since, most, False))][::-1]
    if beat is not None and not found and since is None:
        raise UserError(f"{beat} has no receipt", "`claude-tier heartbeat list` shows every beat.")
    return found


def newest(db: sqlite3.Connection, beat: str, *, run: bool = False) -> Receipt | None:
    """The newest of a beat, with its file; of one that was begun where `run` says so."""
    row = db.execute(_QUERY, (beat, None, 1, run)).fetchone()
    return _receipt(row) if row else None


def _receipt(row: Sequence[object]) -> Receipt:
    *plain, attempts, used = row
    values = dict(zip(Receipt.__dataclass_fields__, plain, strict=False))
    ok = values["ok"]
    values["ok"] = None if ok is None else bool(ok)
    answered = used or values["target"] is not None
    values["sent"] = values["exchange"] is not None and bool(answered or _reached(attempts))
    return Receipt(**values)  # type: ignore[arg-type]


def _reached(attempts: object) -> bool:
    """Whether anybody was there to be asked; also where the request is not in the ledger yet."""
    found = json.loads(attempts) if isinstance(attempts, str) else []
    return not found or any(not one["skipped"] and one["cause"] != "connect" for one in found)


def as_text(found: Sequence[Receipt], *, width: int) -> str:
    """A line for each receipt, and the sums below."""
    if not found:
        return NONE
    rows = [
        [
            moments(one),
            one.name,
            f"{one.slots}" if one.slots > 1 else "",
            one.came_to + (" (by hand)" if one.origin == "hand" else ""),
            printable(one.reason or ""),
            printable(one.answered),
            dollars(one.usd) if one.sent else "",
            "" if one.began is None or one.ended is None else f"{one.ended - one.began:.0f} s",
        ]
        for one in found
    ]
    return f"{render(COLUMNS, rows, width=width)}\n\n{summary(found)}"


def summary(found: Sequence[Receipt]) -> str:
    """How many ran and what they cost, and what was not sent."""
    ran = [one for one in found if one.sent]
    unpriced = any(one.usd is None for one in ran)
    spent = figures.money(sum(one.usd or 0.0 for one in ran), at_least=unpriced)
    text = f"{figures.plural(len(ran), 'request')}, {spent}."
    kept = [one for one in found if one.saved_bytes is not None]
    if kept:
        size = figures.size(sum(one.saved_bytes or 0 for one in kept))
        saved = dollars(sum(one.saved_usd or 0.0 for one in kept))
        times = figures.plural(sum(one.slots for one in kept), "request")
        text += f" Not sent: {times}, {size}, about {saved}."
    return text


def moments(one: Receipt) -> str:
    """When, in local time: Nov 27 18:00, or Nov 27 18:00 - 19:30."""
    first, last = datetime.fromtimestamp(one.slot), datetime.fromtimestamp(one.last)
    if one.slots == 1:
        return f"{first:%b %d %H:%M}"
    same = first.date() == last.date()
    return f"{first:%b %d %H:%M} - {last:{'' if same else '%b %d '}%H:%M}"

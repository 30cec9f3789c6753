"""Every request of the router into the ledger: what it used, what that cost, how it went.

A ledger that is locked or broken does not keep the answer back: the row waits in the spool.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from claude_tier_hooks import ledger, prices, project, routed
from claude_tier_hooks.shapes import Json

from claude_tier.config import policy, pricing
from claude_tier.routing import target as targets
from claude_tier.routing.answer import Attempt, Lost
from claude_tier.routing.prompt import Finished, Usage, Used
from claude_tier.routing.target import Target

if TYPE_CHECKING:
    from claude_tier.config import Config

PATIENCE = 2.0  # seconds; the answer is there already, so that its row may wait a little
# A beat is no request of a session: budgets know it as an agent of its own.
OF_ITSELF = "heartbeat"
_COUNTS = dict(zip(ledger.KINDS, (*prices.KINDS, "web_searches"), strict=True))


@dataclass(frozen=True)
class Exchange:
    """One request: where it came from, whom it asked, how it went. `end` is of who answered.

    `lost` is what the tries of it used that came to no answer.
    """

    id: str
    at: float
    origin: str
    route: str | None
    asked: Target
    attempts: Sequence[Attempt]
    outcome: str
    target: Target | None = None
    end: Finished | None = None
    usd: float | None = None
    seconds: float = 0.0
    lost: Sequence[Lost] = ()


def price(config: Config, rules: Json, target: Target, used: Used, *, now: float) -> float | None:
    """Dollars of one answer, or of what came of it; None where nobody knows.

    The user's own price for that provider, else what the provider says it charged, else, where it
    is Anthropic itself, the price table.
    """
    provider = targets.providers(config)[target.provider]
    if provider.free:
        return 0.0
    usage, model = used.usage, used.model
    named = {model, prices.plain_id(model)} & provider.prices.keys()
    if usage.usd is not None and not named:
        return usage.usd
    if not usage.measured:
        return None
    return prices.price(_table(config, rules, target.provider), model, now, counts(usage))


def _table(config: Config, rules: Json, name: str) -> Json:
    """The prices that hold at a provider which is not free."""
    table = {key: rules.get(key) for key in ("models", "geo", "web_search_usd")}
    own = targets.providers(config)[name].prices
    if own:
        return table | {"models": pricing.merge(table["models"] or {}, own)}
    return prices.of_provider(table, {"providers": policy.providers(config)}, name) or {}


def counts(usage: Usage) -> dict[str, int]:
    """The tokens by the names that prices have for them."""
    return {name: getattr(usage, name) for name in _COUNTS.values()}


class Books:
    """Writes the requests of one process."""

    def __init__(self, warn: Callable[[str], None], *, folder: str) -> None:
        self._warn = warn
        self._folder = folder

    def write(self, exchange: Exchange) -> None:
        """Write one request; into the spool where the ledger cannot be had, and that is said."""
        row = self._row(exchange)
        try:
            db = ledger.connect(patience=PATIENCE)
            try:
                with ledger.Writing(db):
                    routed.record(db, row)
            finally:
                db.close()
        except (sqlite3.Error, OSError, ledger.DamagedError) as fault:
            self._spool(row, fault)

    def _spool(self, row: Json, fault: Exception) -> None:
        text = " ".join(str(fault).split())
        try:
            ledger.spool({"exchange": row})
        except OSError as error:
            self._warn(f"this request is not counted: {text}; {error.strerror}")
        else:
            self._warn(f"the ledger cannot be written ({text}): the request is counted later")

    def _row(self, exchange: Exchange) -> Json:
        target = exchange.target
        return {
            "id": exchange.id,
            "at": exchange.at,
            "session": self._session(exchange.origin),
            "agent": OF_ITSELF if exchange.origin == OF_ITSELF else routed.AGENT,
            "cwd": self._folder,
            "origin": exchange.origin,
            "route": exchange.route,
            "asked": str(exchange.asked),
            "target": str(target) if target else None,
            "model": exchange.end.model if exchange.end else None,
            "seconds": exchange.seconds,
            "attempts": [one.fields() for one in exchange.attempts],
            "outcome": exchange.outcome,
            "used": _used(target, exchange.end, exchange.usd) if target and exchange.end else None,
            "lost": [_lost(one) for one in exchange.lost],
        }

    def _session(self, origin: str) -> str:
        """The session of Claude Code that asked, else one that belongs to the project."""
        if origin == OF_ITSELF:
            return f"{OF_ITSELF}:{project.root(self._folder)}"
        own = os.environ.get("CLAUDE_CODE_SESSION_ID")
        return own or routed.SESSION + project.root(self._folder)


def _used(target: Target, used: Used, usd: float | None) -> Json:
    usage = used.usage
    return {
        "provider": target.provider,
        "model": used.model,
        "final": usage.measured,
        "usd": usd,
        **{kind: getattr(usage, name) for kind, name in _COUNTS.items()},
    }


def _lost(lost: Lost) -> Json:
    """Figures without an end are the least that was used."""
    return {**_used(lost.target, lost.used, lost.usd), "final": False}

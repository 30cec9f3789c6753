"""What is configured: where each provider is, where its key comes from, what it costs, what cools.

No key is shown, only its place and whether it can be had.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from claude_tier_hooks import cooldowns, ledger
from claude_tier_hooks.shapes import Json

from claude_tier.config.providers import USUAL, Provider
from claude_tier.errors import UserError
from claude_tier.report.table import Column, render
from claude_tier.routing import keys
from claude_tier.routing.target import providers

if TYPE_CHECKING:
    from claude_tier.config import Config

STATES = ("provider", "account", "model", "cause", "why", "since", "until")
OWN_PRICE = frozenset({"openrouter", "litellm"})  # they say what each answer cost


@dataclass(frozen=True)
class Key:
    """Where a key comes from, and what keeps it from being used; the key itself is not in it."""

    place: str
    present: bool
    message: str | None = None
    remedy: str | None = None

    def __str__(self) -> str:
        if self.present:
            return self.place
        there = Path(self.place).expanduser().exists()
        return f"{self.place}: {'refused' if there else 'missing'}"

    def fields(self) -> dict[str, object]:
        named = asdict(self)
        return {"from": named.pop("place"), **named}


@dataclass(frozen=True)
class Listed:
    """One provider; `local` tells whether what is sent there stays here, `price` who knows it."""

    name: str
    kind: str | None
    address: str | None
    key: Key | None
    local: bool
    price: str
    cooling: tuple[Json, ...]

    def fields(self) -> dict[str, object]:
        return {**vars(self), "key": self.key.fields() if self.key else None}


def listed(config: Config, cooling: Iterable[Json]) -> tuple[Listed, ...]:
    """Every provider of the configuration, and `claude`; `cooling` are the ledger's rows."""
    rows = list(cooling)
    return tuple(_listed(name, one, rows) for name, one in providers(config).items())


def _listed(name: str, provider: Provider, rows: Sequence[Json]) -> Listed:
    account, key = _key(provider)
    own = [row for row in rows if row["provider"] == name]
    if provider.kind != "claude-cli":
        own = [row for row in own if row["account"] == account]
    return Listed(
        name=name,
        kind=provider.kind,
        address=provider.url,
        key=key,
        local=provider.runs_here(""),
        price=_price(provider),
        cooling=tuple({state: row[state] for state in STATES[2:]} for row in own),
    )


def _key(provider: Provider) -> tuple[str, Key | None]:
    place = provider.key_file or provider.key_variable
    if place is None:
        return cooldowns.NO_KEY, None
    try:
        return keys.of(provider).account, Key(place, present=True)
    except UserError as error:
        return cooldowns.NO_KEY, Key(place, present=False, message=error.message, remedy=error.hint)


def _price(provider: Provider) -> str:
    if provider.free:
        return "free"
    if provider.prices:
        return "yours"
    if provider.kind in OWN_PRICE:
        return "as it says"
    usual = USUAL["anthropic"].base_url
    at_anthropic = provider.kind == "claude-cli" or provider.url == usual
    return "price table" if at_anthropic else "unknown"


def cooling(now: float) -> list[Json]:
    """What the ledger keeps out now; raises UserError where it cannot be read."""
    if not os.path.exists(ledger.file()):  # noqa: PTH110 - the hooks' paths are text
        return []
    try:
        db = ledger.connect()
    except (ledger.DamagedError, sqlite3.Error) as fault:
        raise UserError(
            f"what is cooling is not known, the ledger cannot be read: {fault}"
        ) from fault
    try:
        rows = cooldowns.listed(db, now)
    finally:
        db.close()
    return [row for row in rows if row["until"] is None or row["until"] > now]


def as_text(found: Sequence[Listed], *, width: int) -> str:
    """A table, and a line for each key that cannot be had."""
    columns = (
        Column("Provider"),
        Column("Kind"),
        Column("Address", spare=2),
        Column("Key"),
        Column("Local"),
        Column("Price", spare=1),
        Column("Cooling"),
    )
    rows = [
        (
            one.name,
            one.kind or "prices only",
            one.address or "",
            str(one.key) if one.key else "",
            "yes" if one.local else "no",
            one.price,
            ", ".join(_cooling(row) for row in one.cooling),
        )
        for one in found
    ]
    return render(columns, rows, width=width)


def _cooling(row: Json) -> str:
    what = "all models" if row["model"] == cooldowns.EVERY else row["model"]
    return f"{what} ({row['cause']})"

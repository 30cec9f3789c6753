"""The cooldowns that all processes share, as the router asks for and keeps them.

A ledger that is locked or broken never keeps an answer back: then nothing is kept out, and that is
said once.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from claude_tier_hooks import cooldowns, ledger

from claude_tier.errors import UserError
from claude_tier.routing import keys, wording
from claude_tier.routing import target as targets
from claude_tier.routing.cooling import Cooling
from claude_tier.routing.fault import Fault

if TYPE_CHECKING:
    from claude_tier.config import Config
    from claude_tier.config.providers import Provider

UNUSABLE = (sqlite3.Error, OSError, ledger.DamagedError)


class Place(NamedTuple):
    """What is kept out: a model under one account of a provider."""

    provider: str
    account: str
    model: str


@dataclass(frozen=True)
class Admission:
    """Whether a target may be asked: `kept` says why not, `probe` that this is its one try."""

    probe: bool = False
    kept: Cooling | None = None


class Cooldowns:
    """Looks into the ledger right before an attempt, and writes into it right after."""

    def __init__(
        self, config: Config, *, clock: Callable[[], float], warn: Callable[[str], None]
    ) -> None:
        self._config = config
        self._clock = clock
        self._warn = warn

    def admit(self, place: Place) -> Admission:
        """Whether it may be asked now."""
        now = self._clock()
        with said(self._warn), closing(ledger.connect()) as db:
            probe, row = cooldowns.admit(db, place, now)
            return Admission(probe, Cooling.of(row, now) if row else None)
        return Admission()

    def standing(self, place: Place) -> Cooling | None:
        """What keeps it out now, without a claim to try it."""
        now = self._clock()
        with said(self._warn), closing(ledger.connect()) as db:
            row = cooldowns.standing(db, place, now)
            return Cooling.of(row, now) if row else None
        return None

    def fail(self, place: Place, fault: Fault) -> tuple[Cooling | None, bool]:
        """(what keeps it out from now on, whether this very failure began it)."""
        now = self._clock()
        until = fault.until
        if until is None and fault.retry_after is not None:
            until = now + fault.retry_after
        known = {
            "cause": fault.cause,
            "why": _told(fault),
            "until": until,
            # Nobody there is nobody there for every model.
            "everywhere": fault.everywhere or fault.cause == "connect",
        }
        ceiling = targets.providers(self._config)[place.provider].longest_cooldown
        with said(self._warn), closing(ledger.connect()) as db, ledger.Writing(db):
            row, first = cooldowns.fail(db, place, known, now, ceiling)
            return Cooling.of(row, now) if row else None, first
        return None, True

    def answered(self, place: Place, began: float) -> None:
        """It answered a request that began then."""
        with said(self._warn), closing(ledger.connect()) as db:
            if cooldowns.waits(db, place):
                with ledger.Writing(db):
                    cooldowns.answered(db, place, began)

    def release(self, place: Place) -> None:
        """Its one try ended without a verdict."""
        with said(self._warn), closing(ledger.connect()) as db, ledger.Writing(db):
            cooldowns.release(db, place)


def _told(fault: Fault) -> str:
    """there is no `claude` on PATH; install Claude Code, ..."""
    return f"{wording.plain(fault.message)}; {fault.remedy}" if fault.remedy else fault.message


def current(found: Iterable[Cooling], config: Config) -> tuple[Cooling, ...]:
    """Without those of a key that was replaced, or of a provider that is configured no more."""
    known = targets.providers(config)
    there = (one for one in found if one.provider in known)
    return tuple(one for one in there if not _is_replaced(one, known[one.provider]))


def _is_replaced(one: Cooling, provider: Provider) -> bool:
    """`claude` has an account for each environment, and this one's says nothing about others'."""
    if provider.kind == "claude-cli":
        return False
    try:
        return keys.of(provider).account != one.account
    except UserError:  # without a key here; elsewhere there may be one
        return False


@contextmanager
def said(warn: Callable[[str], None]) -> Iterator[None]:
    """Turn what is wrong with the ledger into a warning; the block is left at that point."""
    try:
        yield
    except UNUSABLE as fault:
        text = " ".join(str(fault).split())
        warn(f"the ledger cannot be used ({text}): cooldowns and figures may be missing")

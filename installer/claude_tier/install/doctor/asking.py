"""Whom the router can ask: providers without their key, and those that are kept out."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

from claude_tier_hooks import ledger

from claude_tier.errors import UserError
from claude_tier.install.doctor.machine import Machine
from claude_tier.install.doctor.report import Finding, ok, warning

if TYPE_CHECKING:
    from claude_tier.config import Config
    from claude_tier.routing.cooling import Cooling

NAME = "providers"


def providers(machine: Machine) -> Iterator[Finding]:
    """Every provider that is configured has its key, none is cooling, and no switch keeps it out.

    Nothing is asked: `claude-tier providers check` does that.
    """
    from claude_tier import config

    try:
        known = config.load(machine.state / config.CONFIG).config
    except config.ConfigError:  # another check says so
        return
    found = [*_keyless(known), *_emergency(machine), *_cooling(machine, known)]
    yield from found
    if known.providers and not found:
        yield ok(NAME, "every provider has what it needs; `providers check` asks them")


def _keyless(known: Config) -> Iterator[Finding]:
    from claude_tier.routing import keys

    for name, provider in known.providers.items():
        try:
            keys.of(provider)
        except UserError as error:  # noqa: PERF203 - each of them counts
            yield warning(NAME, f"{name}: {error.message}", error.hint)


def _emergency(machine: Machine) -> Iterator[Finding]:
    from claude_tier.routing import by_hand

    on = by_hand.standing(machine.now)
    if on:
        said = f"emergency mode, {on.text(machine.now)}: only models on this machine are asked"
        yield warning(NAME, said, f"Run `{on.ends}` to have the others asked as well.")


def _cooling(machine: Machine, known: Config) -> Iterator[Finding]:
    from claude_tier.routing import cooldown, wording

    for one in cooldown.current(_kept(machine), known):
        why = wording.cause(one)
        said = f"{one.what} is not asked {wording.until(one, machine.now)} ({why})"
        yield warning(NAME, said, f"Run `{one.clear}` to have it asked at once.")


def _kept(machine: Machine) -> tuple[Cooling, ...]:
    """What is kept out; nothing where the ledger cannot be read, which is another check's."""
    from claude_tier.routing import cooling

    path = machine.state / "ledger.db"
    if not path.exists():
        return ()
    try:
        with closing(ledger.connect(str(path))) as db:
            found = cooling.listed(db, machine.now)
    except (sqlite3.Error, ledger.DamagedError):
        return ()
    return tuple(one for one in found if one.holds(machine.now))

"""Whom the router can ask: providers without their key, and those that are kept out."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

from claude_tier_hooks import ledger

from claude_tier.errors import UserError
from claude_tier.install.doctor.machine import Machine
from claude_tier.install.doctor.report import Finding, ok, warning

if TYPE_CHECKING:
    from claude_tier.config import Config

NAME = "providers"


def providers(machine: Machine) -> Iterator[Finding]:  # noqa: ARG001 - what all checks get
    """Every provider that is configured has its key, and none is cooling.

    Nothing is asked: `claude-tier providers check` does that.
    """
    from claude_tier import config, paths

    try:
        known = config.load(paths.state_dir() / config.CONFIG).config
    except config.ConfigError:  # another check says so
        return
    found = [*_keyless(known), *_cooling()]
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


def _cooling() -> Iterator[Finding]:
    from claude_tier.routing import cooling, wording

    now = time.time()
    with closing(ledger.connect()) as db:
        rows = cooling.listed(db, now)
    for one in rows:
        why = f"{wording.CAUSES[one.cause]}: {one.why}"
        yield warning(NAME, f"{one.what} is not asked {wording.until(one, now)} ({why})", one.clear)

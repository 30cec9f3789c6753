"""A ledger of its own for each history, and what was saved in it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from books import NOON
from claude_tier.report import caches, days, ledger_file, savings
from claude_tier.report.savings import Savings
from claude_tier_hooks import ledger, policy

ALWAYS = days.Span()

Saved = Callable[..., Savings]


@pytest.fixture
def db(home: Path) -> Iterator[sqlite3.Connection]:
    found = ledger.connect(patience=10)
    yield found
    found.close()


@pytest.fixture
def saved(db: sqlite3.Connection) -> Saved:
    """The savings of everything the transcripts hold by now."""

    def found(
        against: str | None = None,
        span: days.Span = ALWAYS,
        **rules: object,
    ) -> Savings:
        whole = {**policy.load(), **rules}
        ledger_file.catch_up(db, whole)
        caches.bring_up(db)
        savings.bring_up(db, whole)
        return savings.query(db, whole, span, baseline=against, now=NOON)

    return found

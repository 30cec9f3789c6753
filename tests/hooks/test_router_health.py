"""The router's health in a few words, from the ledger and the switch of emergency mode."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from books import HOUR, NOON
from claude_tier_hooks import cooldowns, ledger, router_health


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    """The ledger in use."""
    with closing(ledger.connect()) as opened:
        yield opened


def fail(db: sqlite3.Connection, provider: str, cause: str = "server", model: str = "m") -> None:
    """A failure at noon."""
    fault = {"cause": cause, "why": "because", "until": None}
    with ledger.Writing(db):
        cooldowns.fail(db, (provider, "-", model), fault, NOON, 7200)


def switch(home: Path, text: str) -> None:
    folder = home / ".claude/claude-tier"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "emergency").write_text(text)


def said(db: sqlite3.Connection, now: float = NOON) -> str:
    return router_health.words(router_health.query(db, now), now)


def test_a_router_that_is_well_says_nothing(db: sqlite3.Connection) -> None:
    """Nothing failed, and the switch was never touched."""
    assert router_health.query(db, NOON) == {"cooldowns": [], "emergency": None}
    assert said(db) == ""


def test_what_is_cooling_is_named_and_several_are_counted(db: sqlite3.Connection) -> None:
    """Two models of one provider are one name."""
    fail(db, "openrouter", model="a")
    fail(db, "openrouter", model="b")
    assert said(db) == "openrouter cooling"
    fail(db, "lan")
    assert said(db) == "2 providers cooling"


def test_a_cooldown_that_is_over_is_not_said(db: sqlite3.Connection) -> None:
    """Its row waits for the next request; while that one tries, the others still keep away."""
    fail(db, "lan")
    assert said(db, NOON + 29) == "lan cooling"
    assert said(db, NOON + 30) == ""
    assert router_health.query(db, NOON + 30)["cooldowns"]
    cooldowns.admit(db, ("lan", "-", "m"), NOON + 30)
    assert said(db, NOON + 31) == "lan cooling"


@pytest.mark.parametrize(
    ("until", "words"),
    [(None, "local only"), (NOON + HOUR, "local only until 13:00"), (NOON, "")],
)
def test_emergency_mode_comes_before_what_is_cooling(
    home: Path, db: sqlite3.Connection, until: float | None, words: str
) -> None:
    """With its end where it has one; one that is over is off."""
    switch(home, json.dumps({"since": NOON - 60, "until": until}))
    assert said(db) == words
    fail(db, "lan")
    assert said(db) == (words or "lan cooling")


@pytest.mark.parametrize(
    "text",
    ['{"until": 1e300}', '{"until": "soon"}', '{"until": NaN, "since": []}', "{}", "[]", "half of"],
)
def test_a_switch_with_a_time_that_is_none_has_no_end(
    home: Path, db: sqlite3.Connection, text: str
) -> None:
    """Whoever wrote it wanted it on."""
    switch(home, text)
    assert router_health.emergency(NOON) == {"since": None, "until": None}
    assert said(db) == "local only"


def test_a_name_steers_no_terminal(db: sqlite3.Connection) -> None:
    """The ledger keeps whatever it was given."""
    fail(db, "a\x1b[2J\u202eb")
    assert said(db) == "a?[2J?b cooling"

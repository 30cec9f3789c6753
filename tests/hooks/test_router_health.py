"""The router's health in a few words, from the ledger and the switch of emergency mode."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from books import HOUR, NOON
from claude_tier_hooks import cooldowns, ledger, policy, router_health
from claude_tier_hooks.shapes import Json


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


def looked(db: sqlite3.Connection, now: float = NOON) -> Json:
    return router_health.query(db, policy.load(), -1, now)


def said(db: sqlite3.Connection, now: float = NOON) -> str:
    return "".join(router_health.words(looked(db, now), now))


def test_a_router_that_is_well_says_nothing(db: sqlite3.Connection) -> None:
    """Nothing failed, and the switch was never touched."""
    assert looked(db) == {"cooldowns": [], "emergency": None}
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
    assert looked(db, NOON + 30)["cooldowns"]
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
    why = ", switched on by hand, `claude-tier emergency off` ends it" * bool(words)
    assert said(db) == words + why
    fail(db, "lan")
    assert said(db) == (words + why or "lan cooling")


@pytest.mark.parametrize(("until", "end"), [(None, ""), (NOON + HOUR, ", until 13:00")])
def test_a_session_is_told_in_a_sentence(
    home: Path, db: sqlite3.Connection, until: float | None, end: str
) -> None:
    """Of the router, since the session itself goes on."""
    switch(home, json.dumps({"until": until}))
    assert router_health.sentence(looked(db)["emergency"], NOON) == (
        "emergency mode: the router asks only models on this machine"
        f" (switched on by hand{end}); `claude-tier emergency off` ends it"
    )


def test_a_name_steers_no_terminal(db: sqlite3.Connection) -> None:
    """The ledger keeps whatever it was given."""
    fail(db, "a\x1b[2J\u202eb")
    assert said(db) == "a?[2J?b cooling"

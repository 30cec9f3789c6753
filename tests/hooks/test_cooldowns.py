"""Cooldowns in the ledger: how long, who may try, and what ends them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from books import NOON
from claude_tier.routing import keys
from claude_tier_hooks import cooldowns, ledger, schema
from hypothesis import given
from hypothesis import strategies as st

PLACE = ("api", "0123456789ab", "alpha")
OTHER = ("api", "0123456789ab", "beta")
CEILING = 7200
DAY = 86400.0


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    """The ledger in use."""
    with closing(ledger.connect()) as opened:
        yield opened


def fail(
    db: sqlite3.Connection, cause: str, now: float, *, place: tuple[str, ...] = PLACE,
    until: float | None = None, everywhere: bool = False, ceiling: float = CEILING,
) -> tuple[dict[str, object], bool]:  # fmt: skip
    """A failure, and the row that comes of it."""
    fault = {"cause": cause, "why": "because", "until": until, "everywhere": everywhere}
    with ledger.Writing(db):
        row, first = cooldowns.fail(db, place, fault, now, ceiling)
    return row or {}, first


@pytest.mark.parametrize(
    ("cause", "steps"),
    [
        ("billing", [300, 900, 1800, 3600, 3600]),
        ("server", [30, 60, 120, 300, 300]),
        ("connect", [30, 60, 120, 300, 300]),
        ("model", [300, 300]),
    ],
)
def test_each_failed_try_makes_the_next_cooldown_longer(
    db: sqlite3.Connection, cause: str, steps: list[int]
) -> None:
    """Up to the last step."""
    now = NOON
    for seconds in steps:
        row, _ = fail(db, cause, now)
        assert row["until"] == now + seconds
        assert row["since"] == NOON
        now += seconds


def test_failures_that_were_under_way_together_count_once(db: sqlite3.Connection) -> None:
    """Only the first begins the cooldown."""
    assert fail(db, "server", NOON)[1]
    for second in range(1, 20):
        row, first = fail(db, "server", NOON + second)
        assert not first
        assert row["step"] == 0


def test_the_providers_ceiling_is_never_exceeded(db: sqlite3.Connection) -> None:
    """Only a time that the server names itself may be later."""
    assert fail(db, "billing", NOON, ceiling=60)[0]["until"] == NOON + 60
    named = NOON + 3 * DAY
    assert fail(db, "billing", NOON, until=named, ceiling=60)[0]["until"] == named


def test_a_time_beyond_belief_is_cut(db: sqlite3.Connection) -> None:
    """A month is the longest that any limit lasts."""
    row, _ = fail(db, "billing", NOON, until=NOON + 1e9)
    assert row["until"] == NOON + cooldowns.FARTHEST


def test_a_provider_without_cooldown_is_never_kept_out(db: sqlite3.Connection) -> None:
    """Neither are causes that say nothing about the target."""
    assert fail(db, "server", NOON, ceiling=0) == ({}, True)
    assert fail(db, "size", NOON) == ({}, True)
    assert fail(db, "request", NOON) == ({}, True)


def test_a_refused_key_has_no_end(db: sqlite3.Connection) -> None:
    """Where another key is another account; elsewhere it is tried now and then."""
    assert fail(db, "key", NOON, everywhere=True)[0]["until"] is None
    login = ("claude", cooldowns.LOGIN, "sonnet")
    assert fail(db, "key", NOON, place=login, everywhere=True)[0]["until"] == NOON + 300
    assert cooldowns.standing(db, OTHER, NOON + 900 * DAY)
    assert cooldowns.standing(db, ("api", "ffffffffffff", "alpha"), NOON) is None


def test_the_whole_account_keeps_out_each_of_its_models(db: sqlite3.Connection) -> None:
    """And a model of its own only itself."""
    fail(db, "billing", NOON)
    assert cooldowns.standing(db, OTHER, NOON) is None
    fail(db, "billing", NOON, everywhere=True)
    assert cooldowns.standing(db, OTHER, NOON)


def test_one_of_all_gets_the_try(db: sqlite3.Connection) -> None:
    """The others keep away until it ends, or its claim does."""
    fail(db, "server", NOON)
    assert cooldowns.admit(db, PLACE, NOON + 29)[1]
    assert cooldowns.admit(db, PLACE, NOON + 30) == (True, None)
    assert cooldowns.admit(db, PLACE, NOON + 31)[1]
    assert cooldowns.admit(db, PLACE, NOON + 30 + cooldowns.CLAIM) == (True, None)


def test_a_try_without_a_verdict_is_the_next_ones(db: sqlite3.Connection) -> None:
    """Whoever made it was cancelled, say."""
    fail(db, "server", NOON)
    assert cooldowns.admit(db, PLACE, NOON + 30)[0]
    with ledger.Writing(db):
        cooldowns.release(db, PLACE)
    assert cooldowns.admit(db, PLACE, NOON + 30)[0]


def test_an_answer_clears_what_failed_before_it_began(db: sqlite3.Connection) -> None:
    """One that was under way already says nothing."""
    fail(db, "server", NOON)
    with ledger.Writing(db):
        assert cooldowns.answered(db, PLACE, NOON - 1) == 0
        assert cooldowns.answered(db, PLACE, NOON + 30) == 1
    assert cooldowns.listed(db, NOON) == []


def test_a_key_that_works_forgets_the_one_that_was_refused(db: sqlite3.Connection) -> None:
    """It would be listed for ever."""
    fail(db, "key", NOON, everywhere=True)
    with ledger.Writing(db):
        cooldowns.answered(db, ("api", "ffffffffffff", "alpha"), NOON + 1)
    assert cooldowns.listed(db, NOON) == []


def test_after_a_day_a_failure_is_the_first_again(db: sqlite3.Connection) -> None:
    """And nobody has to try."""
    fail(db, "billing", NOON)
    later = NOON + 300 + cooldowns.KEPT
    assert cooldowns.admit(db, PLACE, later) == (False, None)
    assert cooldowns.listed(db, later) == []
    row, _ = fail(db, "billing", later)
    assert (row["step"], row["since"]) == (0, later)


def test_a_graver_cause_takes_the_place_of_another(db: sqlite3.Connection) -> None:
    """And never ends earlier than what was there."""
    fail(db, "pace", NOON, until=NOON + 5000)
    row, _ = fail(db, "billing", NOON + 1)
    assert (row["cause"], row["until"]) == ("billing", NOON + 5000)


@pytest.mark.parametrize(
    ("named", "left"),
    [((), 0), (("api",), 1), (("api", "alpha"), 2), (("else",), 3)],
)
def test_clearing_frees_what_is_named(
    db: sqlite3.Connection, named: tuple[str, ...], left: int
) -> None:
    """Everything, a provider, one model."""
    for place in (PLACE, OTHER, ("lan", "-", "alpha")):
        fail(db, "billing", NOON, place=place)
    with ledger.Writing(db):
        cooldowns.clear(db, *named)
    assert len(cooldowns.listed(db, NOON)) == left


def test_a_key_has_one_fingerprint() -> None:
    """Hooks and router name the same account."""
    assert cooldowns.fingerprint("sk-x") == keys.fingerprint("sk-x")
    assert "sk-x" not in cooldowns.fingerprint("sk-x")


STEPS = st.one_of(
    st.tuples(st.just("wait"), st.floats(1, 5000)),
    st.tuples(st.just("fail"), st.sampled_from(sorted(cooldowns.STEPS))),
    st.tuples(st.just("answer"), st.none()),
    st.tuples(st.just("admit"), st.none()),
)


@given(steps=st.lists(STEPS, max_size=30), ceiling=st.integers(0, 7200))
def test_it_holds_whatever_happens(steps: list[tuple[str, object]], ceiling: int) -> None:
    """At most one try at a time, no cooldown above its ceiling, and no row that cannot end."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        schema.bring_up(db)
        now, tried = NOON, None
        for what, value in steps:
            if what == "wait":
                now += float(str(value))
            elif what == "fail":
                row, _ = fail(db, str(value), now, ceiling=ceiling)
                tried = None
                limit = max(now, NOON) + ceiling
                assert not row or row["until"] is None or float(str(row["until"])) <= limit
            elif what == "answer":
                with ledger.Writing(db):
                    cooldowns.answered(db, PLACE, now)
                tried = None
                assert cooldowns.admit(db, PLACE, now) == (False, None)
            else:
                probe, kept = cooldowns.admit(db, PLACE, now)
                assert not (probe and kept)
                if probe:
                    assert tried is None or now >= tried + cooldowns.CLAIM
                    tried = now


def test_a_failure_that_is_yet_to_come_keeps_nothing_out(db: sqlite3.Connection) -> None:
    """The clock was ahead when it was written."""
    fail(db, "pace", NOON + 400 * DAY, until=NOON + 410 * DAY)
    assert cooldowns.standing(db, PLACE, NOON) is None
    assert cooldowns.listed(db, NOON) == []
    fail(db, "server", NOON)
    assert cooldowns.standing(db, PLACE, NOON + 1)
    assert cooldowns.standing(db, PLACE, NOON + DAY) is None


def test_a_try_that_is_yet_to_come_keeps_nobody_waiting(db: sqlite3.Connection) -> None:
    """The clock was set back since it was claimed."""
    fail(db, "server", NOON)
    assert cooldowns.admit(db, PLACE, NOON + DAY / 2)[0]
    assert cooldowns.admit(db, PLACE, NOON + 3600) == (True, None)

"""What holds of the savings of any history."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from functools import cache
from typing import NamedTuple

import pytest
from books import HAIKU, NOON, OPUS, SONNET
from claude_tier.report import caches, savings
from claude_tier.report.days import Span
from claude_tier.report.savings import Savings
from claude_tier_hooks import ledger, policy, prices, schema
from hypothesis import given
from hypothesis import strategies as st

OLD, UNPRICED = "claude-haiku-4-5", "mystery-1"
MODELS = (OPUS, SONNET, HAIKU, OLD, UNPRICED)
RULES = policy.load()


class Row(NamedTuple):
    """One response: `run` 0 is the conversation's own, `minute` counts from noon."""

    session: str
    run: int
    minute: int
    model: str
    tokens: tuple[int, ...]
    requests: int
    fast: bool

    @property
    def at(self) -> float:
        return NOON + 60 * self.minute


def rows(models: Sequence[str] = MODELS) -> st.SearchStrategy[list[Row]]:
    made = st.builds(
        Row,
        session=st.sampled_from(["a", "b"]),
        run=st.integers(0, 3),
        minute=st.sampled_from([0, 1, 2, 3, 1440, 1441, 2880]),  # often together
        model=st.sampled_from(models),
        tokens=st.tuples(*[st.integers(0, 150_000)] * 5),
        requests=st.sampled_from([1, 1, 1, 0]),
        fast=st.booleans(),
    )
    return st.lists(made, max_size=12)


def ledger_of(history: Iterable[tuple[int, Row]]) -> sqlite3.Connection:
    """A ledger in memory that was told these responses, each with its number, in that order."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    empty().backup(db)
    told(db, history)
    return db


@cache
def empty() -> sqlite3.Connection:
    """A ledger without rows, to be copied: making the tables takes longer than filling them."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    for statement in schema.SCHEMA:
        db.execute(statement)
    return db


@pytest.fixture(scope="module", autouse=True)
def _closed() -> Iterator[None]:
    yield
    empty().close()
    empty.cache_clear()


def told(db: sqlite3.Connection, history: Iterable[tuple[int, Row]]) -> None:
    for number, row in history:
        session, model = ledger.name_id(db, row.session), ledger.name_id(db, row.model)
        agent = ledger.name_id(db, f"agent-{row.run}" if row.run else "main")
        source, project = ledger.name_id(db, "transcript"), ledger.name_id(db, "/repo/app")
        db.execute("INSERT OR IGNORE INTO session (id, project) VALUES (?, ?)", (session, project))
        run = None
        if row.run:
            key = (f"run-{row.run}", session)
            db.execute(
                "INSERT OR IGNORE INTO run (agent_id, session, agent) VALUES (?, ?, ?)",
                (*key, agent),
            )
            query = "SELECT id FROM run WHERE agent_id = ? AND session = ?"
            (run,) = db.execute(query, key).fetchone()
        usage = dict(zip(prices.KINDS, row.tokens, strict=True), speed="fast" if row.fast else None)
        usd = prices.price(RULES, row.model, row.at, usage)
        kinds = (row.tokens[0], row.tokens[1], *row.tokens[2:])
        db.execute(
            "INSERT INTO usage (key, at, session, agent, run, model, source, requests, final,"
            f" owned, fast, {', '.join(ledger.KINDS)}, usd) VALUES ({', '.join('?' * 18)})",
            (f"msg_{number:06}", row.at, session, agent, run, model, source, row.requests, 1, 1,
             int(row.fast), *kinds, 0, usd),
        )  # fmt: skip
        sums = (row.requests, *kinds, 0, usd or 0.0, int(usd is None))
        quarter = int(row.at // ledger.BUCKET)
        db.execute(ledger.ADD_TO_BUCKET, (quarter, session, agent, model, source, project, *sums))


def saved(db: sqlite3.Connection, baseline: str | None = None) -> Savings:
    caches.bring_up(db)
    savings.bring_up(db, RULES)
    return savings.query(db, RULES, Span(), baseline=baseline, now=NOON)


def kept(db: sqlite3.Connection) -> list[tuple[object, ...]]:
    """The rows of `saving` without the numbers that depend on who came first."""
    text = "(SELECT text FROM name WHERE id = {})".format
    names = ", ".join(map(text, ("session", "agent", "model", "baseline")))
    return db.execute(
        f"SELECT at, {names}, (SELECT agent_id FROM run WHERE id = run), requests, left_out,"
        " corrected, uncorrected, usd, baseline_usd, startup_usd, rebuild_usd, would_net"
        " FROM saving ORDER BY at, 2, 3, 4"
    ).fetchall()


def money(found: Savings) -> list[tuple[object, ...]]:
    parts = (*found.by_day, *found.by_agent, *found.by_model)
    shown = sorted(((one.key, one.instead_of, *one.amounts) for one in parts), key=repr)
    return [("total", found.usd, *found.total), *shown]


def assert_alike(one: Iterable[Sequence[object]], other: Iterable[Sequence[object]]) -> None:
    """The same but for what floats lose when they are added in another order."""
    for mine, theirs in zip(one, other, strict=True):
        for value, wanted in zip(mine, theirs, strict=True):
            exact = not isinstance(wanted, float) or value is None
            assert value == (wanted if exact else pytest.approx(wanted, rel=1e-9, abs=1e-12))


@given(rows((OPUS,)))
def test_where_everything_ran_on_the_baseline_nothing_is_saved(history: list[Row]) -> None:
    main = [Row(name, 0, -1, OPUS, (1, 1, 0, 0, 0), 1, False) for name in "ab"]
    with closing(ledger_of(enumerate(main + history))) as db:
        for found in (saved(db), saved(db, OPUS)):
            assert found.usd == 0
            assert found.total.gross_usd == 0
            assert {one.usd for one in found.by_day} <= {0}
            assert (found.startup_usd, found.rebuild_usd) == (0, 0)


@given(rows(), st.sampled_from([None, OPUS, HAIKU, OLD]))
def test_the_net_is_never_above_the_gross(history: list[Row], baseline: str | None) -> None:
    with closing(ledger_of(enumerate(history))) as db:
        found = saved(db, baseline)
    for one in (found.total, *(part.amounts for part in found.by_day + found.by_agent)):
        assert one.net_usd <= one.gross_usd
        assert one.startup_usd >= 0
        assert one.rebuild_usd >= 0


@given(rows(), st.sampled_from([None, OPUS, HAIKU]))
def test_days_agents_and_models_add_up_to_the_whole(
    history: list[Row], baseline: str | None
) -> None:
    with closing(ledger_of(enumerate(history))) as db:
        found = saved(db, baseline)
    for parts in (found.by_day, found.by_agent, found.by_model):
        for column, whole in enumerate(found.total):
            assert sum(one.amounts[column] for one in parts) == pytest.approx(whole, abs=1e-9)


@given(rows(), st.randoms(use_true_random=False))
def test_the_order_in_which_responses_are_read_does_not_matter(
    history: list[Row], random: object
) -> None:
    numbered = [*enumerate(history)]
    shuffled = [*numbered]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    with closing(ledger_of(numbered)) as one, closing(ledger_of(shuffled)) as other:
        assert_alike(money(saved(one)), money(saved(other)))
        assert kept(one) == kept(other)


@given(rows(), st.integers(0, 12))
def test_what_is_brought_up_bit_by_bit_is_what_is_reckoned_at_once(
    history: list[Row], cut: int
) -> None:
    numbered = [*enumerate(history)]
    with closing(ledger_of(numbered[:cut])) as bits, closing(ledger_of(numbered)) as once:
        saved(bits)
        told(bits, numbered[cut:])
        assert_alike(money(saved(bits)), money(saved(once)))
        assert kept(bits) == kept(once)


@given(rows())
def test_what_has_no_price_changes_no_sum_of_dollars(history: list[Row]) -> None:
    """Their runs hold nothing but them, so that none is the start of one that has a price."""
    mysteries = [row._replace(model=UNPRICED, run=9) for row in history if row.requests]
    priced = [row for row in history if row.model != UNPRICED and row.run]
    main = [Row(name, 0, -1, OPUS, (1, 1, 0, 0, 0), 1, False) for name in "ab"]
    with (
        closing(ledger_of(enumerate(main + priced))) as one,
        closing(ledger_of(enumerate(main + priced + mysteries))) as other,
    ):
        without, with_them = saved(one), saved(other)
    assert with_them.left_out == without.left_out + len(mysteries)
    assert_alike([with_them.total[4:]], [without.total[4:]])
    if mysteries and not without.total.requests and not without.total.left_out:
        assert with_them.usd is None


@given(rows((OPUS, SONNET, HAIKU, OLD)))
def test_each_response_is_priced_as_hooks_price_it(history: list[Row]) -> None:
    """Against a named model every request's gross baseline is the hooks' own price of it."""
    with closing(ledger_of(enumerate(history))) as db:
        found = saved(db, SONNET)
    wanted = 0.0
    for row in history:
        factor = 1.275 if row.model == OLD and row.requests else 1
        usage = {k: n * factor for k, n in zip(prices.KINDS, row.tokens, strict=True)}
        usage["speed"] = "fast" if row.fast else None  # type: ignore[assignment]
        model = SONNET if row.requests else row.model
        wanted += prices.price(RULES, model, row.at, usage) or 0.0
    assert found.baseline_usd == pytest.approx(wanted)
    assert found.total.requests == sum(row.requests for row in history)

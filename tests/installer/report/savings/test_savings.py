"""Savings against histories reckoned by hand, at the shipped prices.

Dollars per million tokens, as input / output / cache read / 5-minute write / 1-hour write:
opus-5-5 4 / 20 / 0.2 / 5 / 8, sonnet-5-5 (from 2026-10-07) 2 / 10 / 0.1 / 2.5 / 4,
haiku-5-5 0.1 / 0.5 / 0.01 / 0.125 / 0.2 and five times that above a prompt of 100,000 tokens,
haiku-4-5 1 / 5 / 0.1 / 1.25 / 2.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from books import HAIKU, HOUR, NOON, OPUS, SONNET, answer, tokens
from claude_tier.errors import UserError
from claude_tier.report import savings
from claude_tier.report.savings import Savings, conversation, tokenizers
from claude_tier.report.savings.rates import Rates, Response, read_instead
from claude_tier_hooks import ledger, policy

OLD_HAIKU = "claude-haiku-4-5-20251001"
M = 1e6

Saved = Callable[..., Savings]


def test_a_subagent_on_haiku_saves_the_difference_less_its_start(home: Path, saved: Saved) -> None:
    answer(home, OPUS, at=NOON, **tokens(10, 500))
    answer(home, HAIKU, at=NOON + 60, agent="Explore", **tokens(1000, 400, 0, 20_000))
    answer(home, HAIKU, at=NOON + 90, agent="Explore", **tokens(500, 2000, 20_000, 5000))

    found = saved()

    first = (1000 * 4 + 400 * 20 + 20_000 * 5) / M  # 0.112
    second = (500 * 4 + 2000 * 20 + 20_000 * 0.2 + 5000 * 5) / M  # 0.071
    ran = (1000 * 0.1 + 400 * 0.5 + 20_000 * 0.125) / M  # 0.0028
    ran += (500 * 0.1 + 2000 * 0.5 + 20_000 * 0.01 + 5000 * 0.125) / M  # 0.001875
    assert found.baseline_usd == pytest.approx(first + second)
    assert found.actual_usd == pytest.approx(ran)
    assert found.startup_usd == pytest.approx((1000 * 4 + 20_000 * 5) / M)  # 0.104
    assert found.rebuild_usd == 0
    assert found.usd == pytest.approx(0.112 + 0.071 - 0.104 - 0.004675)  # 0.074325
    assert found.total.requests == 2
    assert [(one.key, one.usd) for one in found.by_agent] == [("Explore", found.usd)]
    assert [(one.key, one.instead_of) for one in found.by_model] == [(HAIKU, OPUS)]


def test_a_run_that_lost_its_cache_is_credited_what_reading_it_would_have_cost(
    home: Path, saved: Saved
) -> None:
    answer(home, OPUS, at=NOON, **tokens(10, 500))
    answer(home, SONNET, at=NOON + 60, agent="Explore", **tokens(0, 100, 0, 30_000))
    answer(home, SONNET, at=NOON + 2 * HOUR, agent="Explore", **tokens(200, 100, 10_000, 22_000))

    found = saved()

    # 30,000 were cached, 10,000 of them were read: 20,000 of the 22,000 were written again.
    assert found.rebuild_usd == pytest.approx(20_000 * (5 - 0.2) / M)  # 0.096
    assert found.startup_usd == pytest.approx(30_000 * 5 / M)
    second = (200 * 4 + 100 * 20 + 10_000 * 0.2 + 22_000 * 5) / M
    gross = (100 * 20 + 30_000 * 5) / M + second
    ran = (100 * 10 + 30_000 * 2.5) / M
    ran += (200 * 2 + 100 * 10 + 10_000 * 0.1 + 22_000 * 2.5) / M
    assert found.usd == pytest.approx(gross - ran - 0.15 - 0.096)


def test_a_run_that_costs_more_than_it_saves_is_a_negative_row(home: Path, saved: Saved) -> None:
    answer(home, OPUS, at=NOON, **tokens(10, 500))
    answer(home, SONNET, at=NOON + 60, agent="Plan", **tokens(0, 10, 0, 100_000))

    found = saved()

    # Without the prompt the baseline has 10 x 20; the run paid 10 x 10 and 100,000 x 2.5.
    assert found.usd == pytest.approx((10 * 20 - 10 * 10 - 100_000 * 2.5) / M)  # -0.2499
    assert found.usd is not None
    assert found.usd < 0
    shown = savings.as_text(found, width=80)
    assert shown.startswith("Lost $0.25 against")
    assert "-$0.25" in shown


def test_the_step_of_long_prompts_is_judged_for_each_request(home: Path, saved: Saved) -> None:
    answer(home, HAIKU, at=NOON, **tokens(10, 500))
    for n in range(3):
        answer(home, SONNET, at=NOON + 60 + n, agent="Plan", **tokens(0, 1000, 60_000, 0))
    answer(home, SONNET, at=NOON + 90, agent="Plan", **tokens(1, 1000, 100_000, 0))

    found = saved()

    short = (1000 * 0.5 + 60_000 * 0.01) / M
    long = (1 * 0.1 + 1000 * 0.5 + 100_000 * 0.01) * 5 / M
    assert found.baseline_usd == pytest.approx(3 * short + long)
    assert found.usd is not None
    assert found.usd < 0  # a dearer model than that of the conversation


def test_prices_hold_on_the_day_of_the_request(home: Path, saved: Saved) -> None:
    before = NOON - 60 * 86400  # 2026-09-22: sonnet-5-5 reads its cache at 0.2
    for start in (before, NOON):
        session = f"session-{start:.0f}"
        answer(home, SONNET, at=start, session=session, **tokens(10, 10))
        answer(home, HAIKU, at=start + 1, session=session, agent="a", **tokens(0, 0, 1))
        answer(home, HAIKU, at=start + 2, session=session, agent="a", **tokens(0, 0, 50_000))

    found = saved()

    days_ = [one.amounts.baseline_usd for one in found.by_day]
    assert days_ == pytest.approx([50_001 * 0.2 / M, 50_001 * 0.1 / M])


def test_the_baseline_is_the_main_model_at_the_start_of_the_run(home: Path, saved: Saved) -> None:
    answer(home, OPUS, at=NOON, **tokens(10, 10))
    answer(home, HAIKU, at=NOON + 10, agent="first", **tokens(0, 1000))
    answer(home, SONNET, at=NOON + 20, **tokens(10, 10))
    answer(home, HAIKU, at=NOON + 30, agent="second", **tokens(0, 1000))

    found = saved()

    sums = {one.key: one.amounts.baseline_usd for one in found.by_agent}
    assert sums == {"first": pytest.approx(0.02), "second": pytest.approx(0.01)}


def test_a_changed_main_model_loses_what_it_writes_to_the_cache_again(
    home: Path, saved: Saved
) -> None:
    answer(home, OPUS, at=NOON, **tokens(0, 10, 0, 80_000))
    answer(home, SONNET, at=NOON + 60, **tokens(0, 10, 0, 81_000))
    answer(home, SONNET, at=NOON + 90, **tokens(0, 10, 81_000, 500))

    found = saved()

    assert found.usd == pytest.approx(-80_000 * (2.5 - 0.1) / M)  # at its own model: -0.192
    assert found.total.requests == 0
    assert [one.key for one in found.by_agent] == ["main"]


def test_tokens_are_converted_between_tokenizers_and_the_source_is_said(
    home: Path, saved: Saved
) -> None:
    answer(home, OPUS, at=NOON, **tokens(10, 10))
    answer(home, OLD_HAIKU, at=NOON + 1, agent="Explore", **tokens(0, 1))
    answer(home, OLD_HAIKU, at=NOON + 2, agent="Explore", **tokens(1000, 2000))

    found = saved()

    assert found.baseline_usd == pytest.approx((1000 * 4 + 2001 * 20) * 1.275 / M)
    assert found.total.corrected == 2
    assert found.fields()["token_factor"] == 1.275
    assert "1.275" in found.sentence
    assert tokenizers.SOURCE in found.sentence


def test_within_one_tokenizer_nothing_is_converted_nor_said(home: Path, saved: Saved) -> None:
    answer(home, OPUS, at=NOON, **tokens(10, 10))
    answer(home, HAIKU, at=NOON + 1, agent="Explore", **tokens(0, 1))
    assert saved().total.corrected == 0
    assert "1.275" not in saved().sentence


@pytest.mark.parametrize(
    ("model", "generation"),
    [
        ("claude-3-5-haiku-20241022", 1),
        ("claude-haiku-4-5", 1),
        ("us.anthropic.claude-opus-4-6-v1:0", 1),
        ("claude-opus-4", 1),
        ("claude-opus-4-7", 2),
        ("claude-sonnet-5", 2),
        ("claude-opus-5-5[1m]", 2),
        ("claude-fable-5-2", 2),
        ("glm-4.7", None),
        ("qwen3-coder", None),
    ],
)
def test_the_tokenizer_of_a_model(model: str, generation: int | None) -> None:
    assert tokenizers.generation(model) == generation


def test_a_model_that_is_not_claude_is_not_converted_and_that_is_said(
    home: Path, saved: Saved
) -> None:
    glm = {"from": None, "until": None, "input": 1, "output": 2, "cache_read": 1,
           "cache_write_5m": 1, "cache_write_1h": 1}  # fmt: skip
    table = {**policy.load()["models"], "glm-4.7": [glm]}
    answer(home, OPUS, at=NOON, **tokens(10, 10))
    answer(home, "glm-4.7", at=NOON + 1, agent="Explore", **tokens(0, 1000))

    found = saved(models=table)

    assert found.baseline_usd == pytest.approx(1000 * 20 / M)
    assert found.total.uncorrected == 1
    assert "no conversion" in found.sentence


def test_what_has_no_price_is_left_out_and_counted(home: Path, saved: Saved) -> None:
    answer(home, OPUS, at=NOON, **tokens(10, 10))
    answer(home, "mystery-1", at=NOON + 1, agent="Explore", **tokens(0, 1000))
    only = saved()
    assert only.usd is None
    assert only.left_out == 1
    assert "1 response left out" in only.sentence
    assert "unpriced" in savings.as_text(only, width=80)

    answer(home, HAIKU, at=NOON + 2, agent="Plan", **tokens(0, 1000))
    both = saved()
    assert both.usd == pytest.approx(1000 * (20 - 0.5) / M)
    assert both.left_out == 1


def test_a_baseline_without_a_price_leaves_out_too(home: Path, saved: Saved) -> None:
    answer(home, "mystery-1", at=NOON, **tokens(10, 10))
    answer(home, HAIKU, at=NOON + 1, agent="Explore", **tokens(0, 1000))
    found = saved()
    assert (found.usd, found.left_out, found.actual_usd) == (None, 1, 0)


def test_what_a_free_host_answers_costs_nothing_on_any_model(
    home: Path, db: sqlite3.Connection, saved: Saved
) -> None:
    hosts = {"127.0.0.1:11434": {"name": "local", "free": True}}
    answer(home, OPUS, at=NOON, **tokens(10, 10))
    answer(home, HAIKU, at=NOON + 1, agent="Explore", **tokens(0, 1000))
    saved()
    with ledger.Writing(db):
        host = ledger.name_id(db, "127.0.0.1:11434")
        db.execute("UPDATE session SET host = ?", (host,))
        db.execute("UPDATE usage SET usd = 0")
    found = saved(hosts=hosts)
    assert (found.usd, found.actual_usd, found.baseline_usd, found.startup_usd) == (0, 0, 0, 0)


def test_any_model_can_be_the_baseline_of_everything(home: Path, saved: Saved) -> None:
    answer(home, SONNET, at=NOON, **tokens(0, 1000))
    answer(home, HAIKU, at=NOON + 86400, agent="Explore", **tokens(0, 1000))

    found = saved(against="opus")

    assert found.baseline == OPUS
    assert [(one.key, one.usd) for one in found.by_day] == [
        ("2026-11-21", pytest.approx(1000 * (20 - 10) / M)),
        ("2026-11-22", pytest.approx(1000 * (20 - 0.5) / M)),
    ]
    assert saved(against="claude-fable-5-2").usd == pytest.approx((40 - 10 + 40 - 0.5) / 1000)
    assert saved().usd == pytest.approx(1000 * (10 - 0.5) / M)  # nothing of it was kept


def test_an_unknown_baseline_is_refused_with_the_nearest_names(saved: Saved) -> None:
    with pytest.raises(UserError, match="claude-opus-5-6") as refused:
        saved(against="claude-opus-5-6")
    assert "claude-opus-5-5" in str(refused.value.hint)


def test_what_is_no_part_of_a_conversation_is_not_compared(
    home: Path, db: sqlite3.Connection, saved: Saved
) -> None:
    answer(home, OPUS, at=NOON, **tokens(10, 10))
    answer(home, SONNET, at=NOON + 1, **tokens(10, 1000))
    saved()
    with ledger.Writing(db):
        other = ledger.name_id(db, "router")
        db.execute("UPDATE usage SET source = ? WHERE at > ?", (other, NOON))
        db.execute("INSERT OR IGNORE INTO stale (number, kind) SELECT id, 'saving' FROM session")
    assert saved(against="opus").total.requests == 1


def test_a_run_on_the_baseline_costs_on_it_what_was_booked(
    home: Path, db: sqlite3.Connection, saved: Saved
) -> None:
    answer(home, OPUS, at=NOON, **tokens(10, 10))
    answer(home, OPUS + "-20261101", at=NOON + 1, agent="Explore", **tokens(0, 1000))
    saved()
    with ledger.Writing(db):
        db.execute("UPDATE usage SET usd = 0.1 + 0.2 WHERE run IS NOT NULL")
        db.execute("INSERT OR IGNORE INTO stale (number, kind) SELECT id, 'saving' FROM session")
    found = saved()
    assert (found.usd, found.actual_usd, found.baseline_usd) == (0, 0.1 + 0.2, 0.1 + 0.2)


def response(model: str, *, requests: int = 1, **fields: object) -> Response:
    """Of 1000 tokens in and 1000 out, on its own model's price of 1 dollar."""
    one = Response(NOON, 1, 1, model, requests, 0, None, (1000, 1000, 0, 0, 0), 0, 1.0)
    return one._replace(**fields)


def test_an_advisor_costs_the_same_and_is_no_start() -> None:
    rates = Rates(policy.load(), None)
    advised = response(OPUS, requests=0)
    sums = conversation.of_run([advised, response(HAIKU)], SONNET, rates)
    assert sums.requests == 1
    assert sums.actual_usd == 2
    assert sums.baseline_usd == pytest.approx(1 + 0.012)
    assert sums.startup_usd == pytest.approx(1000 * 2 / M)


def test_mode_region_and_searches_of_the_request_hold_for_the_baseline() -> None:
    rates = Rates(policy.load(), None)
    one = response(HAIKU, fast=1, geo="us", web_searches=3)
    plain = (1000 * 4 + 1000 * 20) / M
    assert rates.cost(OPUS, one, one.tokens) == pytest.approx(plain * 2 * 1.1 + 0.03)


def test_the_dearest_writes_are_taken_for_those_that_were_repeated() -> None:
    assert read_instead((1, 2, 3, 40, 50), 60) == (1, 2, 63, 30, 0)


def test_a_model_that_changes_at_the_very_moment_is_the_new_one(home: Path, saved: Saved) -> None:
    answer(home, OPUS, at=NOON, **tokens(10, 10))
    answer(home, SONNET, at=NOON + 10, **tokens(10, 10))
    answer(home, HAIKU, at=NOON + 10, agent="Explore", **tokens(0, 1000))
    assert saved().baseline_usd == pytest.approx(1000 * 10 / M)

"""Prices of single requests, against figures Claude Code 2.1.329 itself charged."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from claude_tier_hooks import prices
from hypothesis import given
from hypothesis import strategies as st

TABLE = prices.shipped()
NOW = datetime(2026, 11, 20, tzinfo=timezone.utc).timestamp()
COUNT = st.integers(0, 2_000_000)


def cost(model: str, when: float = NOW, **usage: Any) -> float | None:
    return prices.price(TABLE, model, when, {**dict.fromkeys(prices.KINDS, 0), **usage})


MILLION = 1_000_000


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("claude-haiku-4-5", (1, 5, 0.10, 1.25, 2)),
        ("claude-sonnet-5-5", (2, 10, 0.10, 2.5, 4)),
        ("claude-sonnet-5", (2, 10, 0.20, 2.5, 4)),
        ("claude-sonnet-4-6", (3, 15, 0.30, 3.75, 6)),
        ("claude-opus-5-5", (4, 20, 0.20, 5, 8)),
        ("claude-opus-5", (5, 25, 0.50, 6.25, 10)),
        ("claude-opus-4-1", (15, 75, 1.5, 18.75, 30)),
        ("claude-fable-5-2", (8, 40, 0.20, 10, 16)),
        ("claude-fable-5-1", (10, 50, 0.25, 12.5, 20)),
        ("claude-mythos-5", (10, 50, 1.00, 12.5, 20)),
    ],
)
def test_each_kind_has_its_own_price(model: str, expected: tuple[float, ...]) -> None:
    """A cache read is no fixed share of the input price."""
    found = [cost(model, **{kind: MILLION}) for kind in prices.KINDS]
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("kind", ["input", "cache_read", "cache_write_5m", "cache_write_1h"])
def test_above_100000_prompt_tokens_haiku_costs_five_times(kind: str) -> None:
    """Strictly above, of any prompt kind together; then every token of the request."""
    at = cost("claude-haiku-5-5", **{kind: 100_000}, output=1000)
    above = cost("claude-haiku-5-5", **{kind: 100_001}, output=1000)
    one = cost("claude-haiku-5-5", **{kind: 1})
    assert at is not None
    assert one is not None
    assert above == pytest.approx(5 * (at + one))


def test_output_does_not_count_towards_the_step() -> None:
    small = cost("claude-haiku-5-5", input=99_999, output=50_000)
    assert small == pytest.approx(99_999 * 0.10e-6 + 50_000 * 0.5e-6)


def test_the_step_is_judged_for_each_call_of_a_response() -> None:
    """Two calls of 60,000 tokens stay below it, though they add up to 120,000."""
    parts = [[60_000, 100, 0, 0, 0], [60_000, 100, 0, 0, 0]]
    apart = cost("claude-haiku-5-5", input=120_000, output=200, parts=parts)
    whole = cost("claude-haiku-5-5", input=120_000, output=200)
    assert apart == pytest.approx(0.0121)
    assert whole == pytest.approx(5 * 0.0121)


@pytest.mark.parametrize(
    ("model", "times"),
    [
        ("claude-opus-5-5", 2),
        ("claude-fable-5-2", 2),
        ("claude-opus-5", 2),
        ("claude-opus-4-7", 6),
        ("claude-sonnet-5-5", 1),
    ],
)
def test_fast_mode_multiplies_every_token(model: str, times: int) -> None:
    """Where the model has a fast mode."""
    usage = dict.fromkeys(prices.KINDS, 1000)
    slow = cost(model, **usage)
    assert slow
    assert cost(model, **usage, speed="fast") == pytest.approx(times * slow)


def test_us_inference_costs_a_tenth_more_but_not_for_searches() -> None:
    usage = {"input": MILLION, "web_searches": 3}
    assert cost("claude-opus-5-5", **usage, geo="us") == pytest.approx(4.4 + 0.03)
    for geo in ("", "not_available", None, "eu"):
        assert cost("claude-opus-5-5", **usage, geo=geo) == pytest.approx(4.03)


def test_a_price_holds_from_its_date() -> None:
    """Sonnet 5.5's cache read halved on 2026-10-07, in UTC."""
    change = datetime(2026, 10, 7, tzinfo=timezone.utc).timestamp()
    assert cost("claude-sonnet-5-5", change - 1, cache_read=MILLION) == pytest.approx(0.20)
    assert cost("claude-sonnet-5-5", change, cache_read=MILLION) == pytest.approx(0.10)


@pytest.mark.parametrize(
    "model",
    [
        "claude-unknown-9",
        "claude-opus-5-9",
        "glm-4.7",
        "qwen3-coder",
        "opus",
        "",
        "claude",
        "unknown",
    ],
)
def test_an_unknown_model_has_no_price(model: str) -> None:
    """Not the nearest one's, and not 0."""
    assert cost(model, input=MILLION) is None


@pytest.mark.parametrize(
    "model",
    [
        "claude-haiku-4-5-20251001",
        "claude-haiku-4-5[1m]",
        "us.anthropic.claude-haiku-4-5-20251001-v1:0",
        "anthropic/claude-haiku-4-5",
        "claude-haiku-4-5@20251001",
        "CLAUDE-HAIKU-4-5",
    ],
)
def test_one_model_has_many_spellings(model: str) -> None:
    """A date, a window, another cloud's name."""
    assert cost(model, input=MILLION) == pytest.approx(1.0)


@given(st.fixed_dictionaries(dict.fromkeys(prices.KINDS, COUNT)))
def test_a_request_costs_the_sum_of_its_kinds(usage: dict[str, int]) -> None:
    """For a model without steps, whatever the figures."""
    alone = [cost("claude-opus-5-5", **{kind: n}) or 0.0 for kind, n in usage.items()]
    assert cost("claude-opus-5-5", **usage) == pytest.approx(sum(alone))

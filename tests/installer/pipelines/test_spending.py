"""Budgets: what is refused before it is asked, and what ends the run."""

from __future__ import annotations

import pytest
from claude_tier.config import Config
from claude_tier.errors import UserError
from claude_tier.pipelines.spending import Purse, Rates
from claude_tier.routing.prompt import Prompt
from claude_tier.routing.target import Target
from claude_tier_hooks import policy

SONNET, HAIKU = Target("claude", "sonnet"), Target("claude", "haiku")
FREE, UNPRICED = Target("free", "x"), Target("unpriced", "x")
PROVIDERS = {
    "free": {"kind": "ollama", "free": True},
    "unpriced": {"kind": "ollama", "base_url": "http://127.0.0.1:11435"},
    "own": {
        "kind": "openai-compatible",
        "base_url": "http://127.0.0.1:9",
        "prices": {"glm": {"input": 2.0, "output": 4.0}},
    },
}
PROMPT = Prompt.of("x" * 3_000_000)  # a million tokens and one, by estimate


@pytest.fixture
def rates() -> Rates:
    return Rates(Config.model_validate({"providers": PROVIDERS}), policy.load())


def test_a_price_is_the_users_or_the_tables_or_unknown(rates: Rates) -> None:
    """An alias of the client has the price of the newest model of that family."""
    table = rates.rules["models"]
    assert rates.usd(Target("own", "glm"), prompt=1_000_000, answer=1_000_000) == 6.0
    assert rates.usd(FREE, prompt=1_000_000) == 0.0
    assert rates.usd(UNPRICED, prompt=1_000_000) is None
    for target in (SONNET, HAIKU):
        dollars = table[f"claude-{target.model}-5-5"][0]["input"]
        assert rates.usd(target, prompt=100_000) == pytest.approx(dollars / 10)


def test_what_is_too_dear_is_left_out_and_said(rates: Rates) -> None:
    """The others stay, in order."""
    dear, cheap = (rates.usd(one, prompt=PROMPT.estimated_tokens) for one in (SONNET, HAIKU))
    assert dear is not None
    assert cheap is not None
    found = Purse((dear + cheap) / 2, "the budget of the step a").afford(
        [SONNET, HAIKU, FREE], PROMPT, rates
    )
    assert found.targets == (HAIKU, FREE)
    assert found.reserved == cheap
    assert len(found.notices) == 1
    assert found.notices[0].startswith("claude/sonnet was left out: its prompt alone costs about $")


def test_a_request_that_nobody_may_answer_is_refused(rates: Rates) -> None:
    """By the purse that is the tighter one."""
    above = Purse(0.01, "the budget of the pipeline p")
    for limit, named in (
        (None, "the budget of the pipeline p"),
        (0.001, "the budget of the step a"),
    ):
        with pytest.raises(UserError, match=f"refused by {named}: claude/sonnet"):
            Purse(limit, "the budget of the step a", above=above).afford([SONNET], PROMPT, rates)


def test_no_budget_holds_what_has_no_price_and_that_is_said(rates: Rates) -> None:
    """Free is a price."""
    found = Purse(0.01, "the budget of the step a").afford([UNPRICED, FREE], PROMPT, rates)
    assert found == ((UNPRICED, FREE), ("unpriced/x has no price: no budget holds it",), 0.0)


def test_nothing_is_begun_once_a_limit_is_reached(rates: Rates) -> None:
    """Not with a free target either: the limit of the run is its end."""
    above = Purse(1.0, "the budget of the pipeline p")
    purse = Purse(None, "the budget of the step a", above=above)
    purse.pay(0.4)
    purse.afford([FREE], PROMPT, rates)
    purse.pay(0.6)
    with pytest.raises(
        UserError, match=r"the budget of the pipeline p is used up: \$1.0000 of \$1"
    ):
        purse.afford([FREE], PROMPT, rates)


def test_branches_side_by_side_share_what_is_left(rates: Rates) -> None:
    """What is under way is held back until it is paid."""
    cost = rates.usd(HAIKU, prompt=PROMPT.estimated_tokens)
    assert cost is not None
    above = Purse(cost * 1.5, "the budget of the pipeline p")
    purse = Purse(None, "the budget of the step a", above=above)
    with purse.holding(purse.afford([HAIKU], PROMPT, rates).reserved), pytest.raises(UserError):
        purse.afford([HAIKU], PROMPT, rates)
    assert purse.afford([HAIKU], PROMPT, rates).targets == (HAIKU,)


def test_what_nobody_priced_is_counted_apart() -> None:
    """Never as 0 dollars."""
    above = Purse(1.0, "the budget of the pipeline p")
    Purse(None, "the budget of the step a", above=above).pay(None)
    assert (above.spent, above.unpriced) == (0.0, 1)

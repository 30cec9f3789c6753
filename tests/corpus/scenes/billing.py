"""Everything that changes the price of a request."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

from .. import price_oracle
from ..answer import Answer, Iteration, Tokens
from ..dialect import MIDDLE
from ..forms import growing
from ..stage import Stage

HAIKU = "claude-haiku-5-5"
OPUS = "claude-opus-5-5"
ADVISOR = "claude-fable-5-1"


def every_model(stage: Stage) -> None:
    """Each listed model is used once, with every kind of token."""
    session = stage.session()
    for model in price_oracle.RATES:
        tokens = Tokens(1009, 997, 40_009, 2003, 3001, 1)
        session.answer(Answer(model, tokens, web_fetches=2))
        session.main.tool_result("ok")


def dated_and_unknown_models(stage: Stage) -> None:
    """A release date at the end changes no price; a model nobody lists has none."""
    session = stage.session()
    dated = ("claude-haiku-4-5-20251001", "claude-opus-4-1-20250805", "claude-opus-5-5-20261014")
    unknown = ("glm-4.7", "claude-unknown-9", "qwen3-coder:30b", "claude-haiku-5-5-20261101-x")
    for model in (*dated, *unknown):
        session.answer(Answer(model, stage.tokens()), blocks=2)
    session.save()


def fast_mode(stage: Stage) -> None:
    """Fast mode multiplies every token's price, on the models that have it."""
    session = stage.session()
    for model in (*price_oracle.FAST, "claude-sonnet-5-5", HAIKU):
        session.answer(Answer(model, stage.tokens(), speed="fast"), blocks=2)


def inference_in_the_us(stage: Stage) -> None:
    """US inference adds a tenth to the tokens, not to the web searches."""
    session = stage.session()
    session.answer(Answer(OPUS, replace(stage.tokens(), web_searches=3), geo="us"))
    session.answer(Answer(OPUS, stage.tokens(), geo="us", speed="fast"))
    session.answer(Answer(HAIKU, stage.tokens(130_000), geo="us"))
    session.answer(Answer(OPUS, stage.tokens(), geo="global"))


def web_searches(stage: Stage) -> None:
    """A web search costs a cent, a web fetch nothing."""
    session = stage.session()
    for count in (1, 5):
        tokens = replace(stage.tokens(), web_searches=count)
        session.answer(Answer("claude-sonnet-5-5", tokens, web_fetches=4), growing, blocks=3)


def long_haiku_prompts(stage: Stage) -> None:
    """Above 100,000 prompt tokens, not at it, all of a haiku request costs five times as much."""
    session = stage.session()
    for prompt in (99_999, 100_000, 100_001, 400_000):
        tokens = Tokens(5, 60_000, prompt - 1205, 200, 1000)
        session.answer(Answer(HAIKU, tokens))


def long_prompt_in_passes(stage: Stage) -> None:
    """Message iterations meet the step one by one, if they add up to the whole."""
    session = stage.session()
    short = Tokens(10, 300, 60_000, 500, 400)
    long = Tokens(20, 400, 120_000, 0, 900)
    for passes in ((short, short), (short, long), (long, long)):
        parts = tuple(Iteration("message", tokens) for tokens in passes)
        session.answer(Answer(HAIKU, sum(passes, Tokens()), iterations=parts), blocks=2)
    odd = (Iteration("message", short),)
    session.answer(Answer(HAIKU, short + long, iterations=odd))


def both_cache_writes(stage: Stage) -> None:
    """One request writes to both caches, each with its own price."""
    session = stage.session(dialect=MIDDLE)
    session.answer(Answer("claude-opus-4-8", Tokens(3, 800, 20_000, 5000, 7000)), growing, blocks=2)


def price_change(stage: Stage) -> None:
    """Sonnet 5.5's cache reads halved on 2026-10-07: the first row's date decides."""
    change = datetime(2026, 10, 7, tzinfo=timezone.utc)
    session = stage.session(at=change - timedelta(hours=3))
    for seconds in (-7200, -0.02, 0, 7200):
        session.main.now = change + timedelta(seconds=seconds, milliseconds=-40)
        session.answer(Answer("claude-sonnet-5-5", stage.tokens(50_000)), growing, blocks=3)


def advisor(stage: Stage) -> None:
    """An advisor is billed at its own model, and is no request of its own."""
    session = stage.session()
    for model, form_blocks in ((OPUS, 1), (HAIKU, 3)):
        tokens = stage.tokens(60_000)
        advice = Iteration("advisor_message", Tokens(70_000, 600, 0, 30, 0), ADVISOR)
        parts = (Iteration("message", tokens), advice)
        session.answer(Answer(model, tokens, iterations=parts), blocks=form_blocks)
    session.answer(Answer(OPUS, stage.tokens()))
    session.save()


def iterations_not_billed(stage: Stage) -> None:
    """Compaction and fallback iterations stand beside the whole and are not added."""
    session = stage.session()
    for kind in ("compaction", "fallback_message"):
        tokens = stage.tokens()
        beside = Iteration(kind, Tokens(90_000, 4000), "claude-sonnet-5-5")
        parts = (beside, Iteration("message", tokens))
        session.answer(Answer(OPUS, tokens, iterations=parts), blocks=2)


SCENES = (
    every_model,
    dated_and_unknown_models,
    fast_mode,
    inference_in_the_us,
    web_searches,
    long_haiku_prompts,
    long_prompt_in_passes,
    both_cache_writes,
    price_change,
    advisor,
    iterations_not_billed,
)

"""Where a task goes: the user's routes in order, the shipped table, and why not another."""

from __future__ import annotations

import pytest
from claude_tier.config.routing import TASK_KINDS
from claude_tier.routing import routes
from claude_tier.routing.classify import recognise
from claude_tier.routing.routes import Choice, choose, of_kind, same_word
from routers import configured

SUMMARY = "Summarise these notes in three sentences"
FILLED = """\
providers: {here: {kind: ollama, models: {tiny: {window: 4000}, big: {window: 100000}}}}
chains: {cheap: [here/tiny, claude/haiku]}
router: {default: claude/opus, small: here/tiny, coding: here/coder, large: here/big}
"""


def chosen(text: str, config: str = FILLED, *, context_tokens: int | None = None) -> Choice:
    found = recognise(text, context_tokens=context_tokens)
    return choose(configured(config), found, text)


def route(conditions: str, name: str = "mine", target: str = "cheap") -> str:
    """The configuration with one route."""
    return f"{FILLED}routes: [{{name: {name}, conditions: {{{conditions}}}, target: {target}}}]\n"


def first(choice: Choice) -> str:
    return str(choice.targets[0])


def test_every_kind_has_a_role() -> None:
    """No kind is forgotten in the shipped table."""
    assert set(routes.SHIPPED) == set(TASK_KINDS)


@pytest.mark.parametrize(
    ("text", "name", "target"),
    [
        (SUMMARY, "summarise", "here/tiny"),
        ("Write a unit test for parse()", "code", "here/coder"),
        ("Prove that the sum of two odd numbers is even", "reasoning", "here/big"),
        ("Are we affected by CVE-2021-44228?", "security", "claude/sonnet"),
        ("continue", "default", "claude/opus"),
    ],
)
def test_without_routes_the_kind_decides(text: str, name: str, target: str) -> None:
    """By the role of its kind; what cannot be told is the default's."""
    choice = chosen(text)
    assert (choice.route, first(choice)) == (name, target)


def test_a_role_that_is_not_filled_is_the_default() -> None:
    """And the reason says so."""
    choice = chosen(SUMMARY, "router: {default: claude/opus}\n")
    assert (choice.route, first(choice)) == ("summarise", "claude/opus")
    assert "not filled" in choice.why


def test_the_first_route_that_applies_is_taken() -> None:
    """Those before it say why not; those after it are not looked at."""
    config = f"""{FILLED}routes:
  - {{name: one, conditions: {{kinds: [code]}}, target: claude}}
  - {{name: two, conditions: {{kinds: summarise}}, target: cheap}}
  - {{name: three, target: large}}
"""
    choice = chosen(SUMMARY, config)
    assert choice.route == "two"
    assert [str(one) for one in choice.targets] == ["here/tiny", "claude/haiku"]
    assert [(one.route, one.matched) for one in choice.considered] == [
        ("one", False),
        ("two", True),
    ]
    assert choice.considered[0].why == "it is for code"


@pytest.mark.parametrize(
    ("conditions", "why"),
    [
        ("kinds: [code]", "it is for code"),
        ("keywords: [invoice]", "none of its keywords is there: invoice"),
        ("complexity: [high]", "it is for a complexity that is high"),
        ("max_context_tokens: 10", "it is for at most 10 tokens of context"),
        ("kinds: [summarise], keywords: [invoice]", "none of its keywords is there: invoice"),
    ],
)
def test_a_condition_that_does_not_hold_is_named(conditions: str, why: str) -> None:
    """All of those that are given must hold."""
    choice = chosen(SUMMARY, route(conditions))
    assert choice.route == "summarise"
    assert choice.considered[0].why == why


@pytest.mark.parametrize(
    "conditions",
    [
        "kinds: [code, summarise]",
        "keywords: [invoice, note]",
        "complexity: [low, medium]",
        "max_context_tokens: 1000",
        "tools: []",
        "kinds: [summarise], keywords: [NOTES], tools: [files]",
        "",
    ],
)
def test_conditions_that_hold_lead_to_the_target(conditions: str) -> None:
    """A list holds where one of it does."""
    assert chosen(SUMMARY, route(conditions)).route == "mine"


def test_a_target_that_lacks_a_tool_is_passed_over() -> None:
    """What the task needs must be among what the route's target can use."""
    choice = chosen("Fix src/parse.py and make sure the tests pass", route("tools: [files]"))
    assert choice.considered[0].why == "it cannot use shell"
    both = route("tools: [shell, files]")
    assert chosen("Fix src/parse.py and make sure the tests pass", both).route == "mine"


def test_a_model_that_cannot_hold_the_context_is_left_out() -> None:
    """Of a chain; the window is the configuration's."""
    choice = chosen(SUMMARY, route("kinds: [summarise]"), context_tokens=9000)
    assert [str(one) for one in choice.targets] == ["claude/haiku"]


def test_a_route_whose_models_are_all_too_small_is_passed_over() -> None:
    """So is a role of the shipped table, and the next that can hold it is asked."""
    choice = chosen(SUMMARY, route("", target="here/tiny"), context_tokens=9000)
    assert (choice.route, first(choice)) == ("summarise", "claude/opus")
    assert [one.why for one in choice.considered] == [
        "none of its models holds 9,000 tokens",
        "none of its models holds 9,000 tokens",
        None,
    ]


def test_there_is_a_target_even_where_none_is_known_to_hold_the_context() -> None:
    """The request itself fails then, with its reason."""
    small = """\
providers: {here: {kind: ollama, models: {tiny: {window: 4000}}}}
router: {default: here/tiny, claude: here/tiny}
"""
    choice = chosen(SUMMARY, small, context_tokens=9000)
    assert first(choice) == "here/tiny"
    assert choice.why == "no model is known to hold the context"


def test_a_kind_alone_takes_the_route_for_it() -> None:
    """One with more conditions needs a text to judge by."""
    config = f"""{FILLED}routes:
  - {{name: one, conditions: {{kinds: [code], keywords: [sql]}}, target: large}}
  - {{name: two, conditions: {{kinds: [code, refactor]}}, target: cheap}}
"""
    choice = of_kind(configured(config), "code")
    assert (choice.route, first(choice)) == ("two", "here/tiny")
    other = of_kind(configured(config), "summarise")
    assert (other.route, first(other)) == ("summarise", "here/tiny")


@pytest.mark.parametrize(
    ("text", "keyword"),
    [
        ("the Notes of Monday", "note"),
        ("a note", "notes"),
        ("diese Rechnungen", "Rechnung"),
        ("mehrere PRÜFUNGEN", "pruefung"),
        ("the quarterly report, again", "quarterly reports"),
        ("all logs", "log"),
    ],
)
def test_a_keyword_is_found_in_any_case_and_inflection(text: str, keyword: str) -> None:
    """Umlauts may be spelled out."""
    assert routes.has_keyword(text, [keyword])


@pytest.mark.parametrize(
    ("text", "keyword"),
    [
        ("it is not there", "note"),
        ("keynotes", "note"),
        ("logic", "log"),
        ("report, quarterly", "quarterly report"),
        ("the quarterly", "quarterly report"),
        ("", "note"),
        ("anything", "?!"),
    ],
)
def test_a_keyword_is_a_whole_word(text: str, keyword: str) -> None:
    """Not a part of one, nor words in another order."""
    assert not routes.has_keyword(text, [keyword])


def test_words_are_the_same_either_way_round() -> None:
    """Whichever is the longer."""
    assert same_word("notes", "note")
    assert same_word("note", "notes")
    assert not same_word("plant", "plan")

"""For how long a fault holds, for what, and what can be done about it."""

from __future__ import annotations

import pytest
from claude_tier.routing.fault import Fault
from claude_tier.routing.providers import verdict
from fault_server import FAULTS, FaultServer
from faults import fault as catalogue
from faults.anthropic import REGAINED_AT

from .asking import KEY, VARIABLE, WAYS, Way, ask, client


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, KEY)


def _fault(name: str, way: Way | None = None) -> Fault:
    fault: catalogue.Fault = FAULTS[name]
    with FaultServer(fault) as server:
        found = ask(client(server.url, way or WAYS[fault.api][0]), stream=not fault.plain).fault
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("name", "seconds"),
    [
        ("anthropic_pace", 17),
        ("anthropic_plan_window", 6457),
        ("openai_pace", 4.6),
        ("openai_pace_in_words", 432),
        ("openrouter_pace", 12),
        ("openrouter_in_flight", 3),
        ("litellm_pace", 60),
        ("openai_quota", None),
        ("anthropic_overloaded", None),
    ],
)
def test_a_wait_is_as_long_as_the_server_says(name: str, seconds: float | None) -> None:
    """In its headers, or in its words."""
    assert _fault(name).retry_after == seconds


@pytest.mark.parametrize("name", ["spend_cap", "usage_limit", "workspace_limit"])
def test_a_limit_holds_until_the_named_date(name: str) -> None:
    """Not for as long as we would guess."""
    assert _fault(f"anthropic_{name}").until == REGAINED_AT


def test_a_budget_of_openrouter_holds_until_its_reset() -> None:
    """It stands beside the words."""
    fault = _fault("openrouter_budget")

    assert (fault.until, fault.everywhere) == (REGAINED_AT, True)


@pytest.mark.parametrize(
    ("name", "way", "everywhere"),
    [
        ("anthropic_credit", Way("anthropic"), True),
        ("anthropic_credit", Way("anthropic-compatible"), False),
        ("anthropic_key", Way("anthropic"), True),
        ("anthropic_pace", Way("anthropic"), False),
        ("openai_quota", Way("openai", "/v1"), True),
        ("openai_quota", Way("openai-compatible", "/v1"), False),
        ("openrouter_credits", None, True),
        ("openrouter_key_limit", None, True),
        ("openrouter_in_flight", None, False),
        # One of the accounts behind a proxy is not the proxy.
        ("litellm_upstream_billing", None, False),
        ("litellm_budget", None, False),
        ("litellm_key", None, False),
    ],
)
def test_an_account_is_out_where_it_is_the_vendors(
    name: str, way: Way | None, everywhere: bool
) -> None:
    """Behind a proxy others may still answer."""
    assert _fault(name, way).everywhere == everywhere


@pytest.mark.parametrize(
    "name", ["anthropic_key", "openai_key", "openrouter_key", "litellm_key", "llama_server_key"]
)
def test_a_refused_key_is_named_by_its_variable(name: str) -> None:
    """That is what the user can change."""
    assert _fault(name).remedy == f"set {VARIABLE} to a valid key"


@pytest.mark.parametrize(
    ("error", "cause", "status"),
    [
        ({"type": "overloaded_error", "message": "Overloaded"}, "server", None),
        ({"type": "rate_limit_error", "message": "slower"}, "pace", None),
        ({"type": "tokens", "code": "rate_limit_exceeded", "message": "slower"}, "pace", None),
        ({"type": "None", "code": "429", "message": "litellm.RateLimitError"}, "pace", 429),
        ({"code": 402, "message": "Insufficient credits"}, "billing", 402),
        ({"code": 401, "message": "User not found."}, "key", 401),
        ({"code": "odd", "message": "who knows"}, "server", None),
        ("just words", "server", None),
    ],
)
def test_an_error_within_a_stream_says_itself_what_it_is(
    error: object, cause: str, status: int | None
) -> None:
    """The status of the reply was that of an answer."""
    fault = verdict.judge(verdict.Failure(200, {}, error), vendor=True, now=0.0)

    assert (fault.cause, fault.status) == (cause, status)


def test_a_redirect_is_told_and_not_followed() -> None:
    """It would take the key along."""
    assert "not followed" in _fault("redirect", Way("anthropic")).message


@pytest.mark.parametrize(
    "words", ["\x1b[2J\x1b]0;owned\x07gone", "two\nlines\r\n", "right\u202eleft", "x" * 9000]
)
def test_a_servers_words_are_one_line_that_a_terminal_does_not_obey(words: str) -> None:
    """Cut to what can be read."""
    fault = catalogue.Fault("server", 500, {"error": {"message": words}})
    with FaultServer(fault) as server:
        found = ask(client(server.url, Way("openai-compatible", "/v1"))).fault

    assert found is not None
    assert found.message.isprintable()
    assert len(found.message) <= 300


@pytest.mark.parametrize("words", ["spend" * 500_000, "try again in " + "1" * 2_000_000])
def test_endless_words_keep_nobody_busy(words: str) -> None:
    """Only their beginning is judged; expressions would take hours for all of them."""
    headers = {"retry-after": "1" * 100_000, "x-ratelimit-reset": "1" * 1_000_000}
    failure = verdict.Failure(429, headers, {"error": {"message": words}})

    assert verdict.judge(failure, vendor=True, now=1e9).cause == "pace"


@pytest.mark.parametrize(
    ("status", "words", "cause"),
    [
        (404, "the model billing_helper does not exist", "model"),
        (403, "billing_not_active", "billing"),
        (400, "string_above_max_length", "size"),
        (400, "the input token count (9) exceeds the maximum number of tokens allowed", "size"),
    ],
)
def test_words_count_for_what_they_are(status: int, words: str, cause: str) -> None:
    """A name of a model is not a word about money, and a size has many words."""
    failure = verdict.Failure(status, {}, {"error": {"message": words}})

    assert verdict.judge(failure, vendor=True, now=0.0).cause == cause

"""Answers and failures, told apart; tests/e2e/test_group_fallbacks.py has the client's own."""

from __future__ import annotations

import json

import pytest
from claude_tier.groups import verdict


@pytest.mark.parametrize(
    "printed",
    ["All good.\n", "", "Error: Reached max turns (1)", "The API Error you saw is old.", "é"],
)
def test_other_words_are_no_failure_of_the_api(printed: str) -> None:
    """Only how the client begins one."""
    assert verdict.failure(printed, output_format="text") is None


RESULT = {"type": "result", "is_error": True, "terminal_reason": "api_error", "result": "API Error"}


@pytest.mark.parametrize("verbose", [False, True])
def test_the_clients_own_result_tells(verbose: bool) -> None:
    """With --verbose it is the last of a list."""
    said = [{"type": "system"}, RESULT] if verbose else RESULT

    assert verdict.failure(json.dumps(said), output_format="json") == "API Error"


@pytest.mark.parametrize(
    "changed",
    [
        {"is_error": False},
        {"terminal_reason": "max_turns", "subtype": "error_max_turns"},
        {"terminal_reason": None, "api_error_status": None},
    ],
)
def test_a_result_of_another_kind_is_no_failure_of_the_api(changed: dict[str, object]) -> None:
    """Too many turns are the run's own."""
    assert verdict.failure(json.dumps({**RESULT, **changed}), output_format="json") is None


@pytest.mark.parametrize("printed", ["", "[]", "{", "[1]", "null", "5", '"text"'])
def test_what_is_no_result_is_no_failure_of_the_api(printed: str) -> None:
    """It is shown as it is."""
    assert verdict.failure(printed, output_format="json") is None


def test_an_older_result_tells_by_the_status_alone() -> None:
    """It had no reason of its own."""
    said = {"is_error": True, "api_error_status": 529}

    assert verdict.failure(json.dumps(said), output_format="json") == "the API did not answer"

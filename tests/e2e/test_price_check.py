"""`prices --check` against the real client: its own dollars are the witness."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from books import HAIKU, OPUS, policy
from claude_tier import cli
from claude_tier.livecheck import Usage
from claude_tier.livecheck.client import CLIENT_VARIABLE
from claude_tier.report import price_check
from claude_tier.report.price_check import CASES, Case
from claude_tier_hooks import prices
from examples import examples

SHIPPED = prices.shipped()["models"]
FAST = [model for model, entries in SHIPPED.items() if any(one.get("fast") for one in entries)]
# Every rate of every model in two requests, on both sides of the longest prompt at a base rate.
ALL_AT_ONCE = (
    Case(
        "all kinds of tokens, a prompt of 100,000, US inference and web searches",
        Usage(88_000, 2_000, 3_000, 4_000, 5_000, web_searches=3, inference_geo="us"),
        {"geo": "us", "web_searches": 3},
    ),
    Case("a prompt of 100,001", Usage(88_001, 2_000, 3_000, 4_000, 5_000)),
)
OTHERS = ("two calls in one response", "a cache write without its split", "fast mode")
THOROUGH = examples(1) > 1


def test_the_client_charges_what_the_table_says_but_for_a_price_of_ours(
    client_program: Path,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Every model and kind of request agrees; one price changed by hand is found, and no other.

    Thoroughly, that is each model with each kind.
    """
    changed = {**SHIPPED, OPUS: [{**SHIPPED[OPUS][0], "input": 5}]}
    some = {model: changed[model] for model in (*FAST, HAIKU)}
    others = [case for case in CASES if case.name in OTHERS]
    asked = [(changed, CASES)] if THOROUGH else [(changed, ALL_AT_ONCE), (some, others)]
    monkeypatch.setenv(CLIENT_VARIABLE, str(client_program))

    for models, cases in asked:
        policy(home, prices=models)
        monkeypatch.setitem(price_check.check.__kwdefaults__, "cases", cases)
        assert cli.main(["prices", "--check", "--json"]) == 1

        found: Any = json.loads(capsys.readouterr().out)
        verdicts = {(one["model"], one["case"]): one["verdict"] for one in found["comparisons"]}
        assert len(verdicts) == len(models) * len(cases)
        assert {key for key, verdict in verdicts.items() if verdict != "same"} == {
            (OPUS, case.name) for case in cases
        }
        assert all(one["ours"] == one["theirs"] for one in found["aliases"])

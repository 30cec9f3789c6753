"""`prices --check` against the real client: its own dollars are the witness."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from books import OPUS, policy
from claude_tier import cli
from claude_tier.livecheck.client import CLIENT_VARIABLE
from claude_tier.report.price_check import CASES
from claude_tier_hooks import prices


def test_the_client_charges_what_the_table_says_but_for_a_price_of_ours(
    client_program: Path,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Every model and kind of request agrees; one price changed by hand is found, and no other."""
    table = prices.shipped()["models"]
    policy(home, prices={**table, OPUS: [{**table[OPUS][0], "input": 5}]})
    monkeypatch.setenv(CLIENT_VARIABLE, str(client_program))
    assert cli.main(["prices", "--check", "--json"]) == 1
    found: Any = json.loads(capsys.readouterr().out)
    verdicts = {(one["model"], one["case"]): one["verdict"] for one in found["comparisons"]}
    assert len(verdicts) == len(table) * len(CASES)
    assert {key for key, verdict in verdicts.items() if verdict != "same"} == {
        (OPUS, case.name) for case in CASES
    }
    assert all(one["ours"] == one["theirs"] for one in found["aliases"])

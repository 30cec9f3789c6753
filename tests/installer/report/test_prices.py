"""`prices`: the table in force, and what the ledger has seen without a price."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from books import HAIKU, OPUS, SONNET, answer, policy
from claude_tier import cli
from claude_tier.report import ledger_file, price_check
from claude_tier.report import prices as report
from claude_tier.report.price_check import DIFFERS, SAME, UNKNOWN, Checked, Comparison
from claude_tier_hooks import policy as rules
from claude_tier_hooks import prices
from syrupy.assertion import SnapshotAssertion

SHIPPED = prices.shipped()["models"]
MINE = {"input": 1.0, "output": 2.0, "cache_read": 0.1, "cache_write_5m": 1.0}


def test_the_table_tells_the_users_prices_from_the_shipped(
    home: Path, snapshot: SnapshotAssertion
) -> None:
    """With dates, steps, fast mode, its source, and the models it lacks."""
    own = {**MINE, "from": None, "until": None, "cache_write_1h": 1.0, "above": None, "fast": None}
    dearer = {**SHIPPED[OPUS][0], "input": 4.5}
    table = {OPUS: [dearer], SONNET: SHIPPED[SONNET], HAIKU: SHIPPED[HAIKU], "mine-1": [own]}
    policy(home, prices=table)
    for model in ("mystery-2", "mystery-1", "mystery-1", HAIKU):
        answer(home, model)
    loaded = rules.load()
    with ledger_file.up_to_date(loaded) as db:
        found = report.query(db, loaded)
    screen = report.as_text(found, width=80)
    assert all(len(line) <= 100 for line in screen.splitlines())
    assert screen == snapshot


def test_the_shipped_table_fits_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Every model of it, without one that is the user's."""
    found = report.PriceTable("", "", {}, 0.01, tuple(report.entries(SHIPPED, SHIPPED)), ())
    screen = report.as_text(found, width=80)
    assert all(len(line) <= 80 for line in screen.splitlines())
    assert all(model in screen for model in SHIPPED)
    assert "yours" not in screen


def test_json_has_every_dated_price(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In the words of prices.json."""
    answer(home, "mystery-1")
    assert cli.main(["prices", "--json"]) == 0
    found: Any = json.loads(capsys.readouterr().out)
    sonnet = [one for one in found["models"] if one["model"] == SONNET]
    assert [(one["from"], one["until"], one["cache_read"]) for one in sonnet] == [
        (None, "2026-10-07", 0.2),
        ("2026-10-07", None, 0.1),
    ]
    assert found["unpriced"] == [{"model": "mystery-1", "responses": 1}]
    assert (found["geo"], found["web_search_usd"]) == ({"us": 1.1}, 0.01)


def test_usage_gets_its_price_once_the_user_names_one(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Looking at the prices is enough; the sums follow."""
    answer(home, "mystery-1", input_tokens=1_000_000, output_tokens=0)
    assert cli.main(["prices"]) == 0
    assert "mystery-1  (1 response)" in capsys.readouterr().out
    own = {**MINE, "from": None, "until": None, "cache_write_1h": 1.0, "above": None, "fast": None}
    policy(home, prices={**SHIPPED, "mystery-1": [own]})
    assert cli.main(["ledger", "totals", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["totals"]["usd"] == pytest.approx(1.0)


def test_check_without_a_client_says_how_to_get_one(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An expected failure, and no ledger is made for it."""
    monkeypatch.setenv("PATH", str(home))
    assert cli.main(["prices", "--check"]) == 1
    assert "no Claude Code client" in capsys.readouterr().err


def test_check_refuses_where_a_client_would_ask_somebody_else(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another provider's prices are not what is compared."""
    monkeypatch.setenv("CLAUDE_CODE_USE_BEDROCK", "1")
    assert cli.main(["prices", "--check"]) == 1
    assert "CLAUDE_CODE_USE_BEDROCK" in capsys.readouterr().err


def test_what_differs_is_shown_and_what_agrees_is_counted(snapshot: SnapshotAssertion) -> None:
    """A model the client does not know is named: it only guesses its price."""
    found = [
        Comparison(OPUS, "all kinds of tokens", 0.1056, 0.1046, DIFFERS),
        Comparison(OPUS, "fast mode", 0.2112, 0.2092, DIFFERS),
        Comparison(HAIKU, "all kinds of tokens", 0.00263, 0.00263, SAME),
        Comparison(HAIKU, "fast mode", 0.00263, 0.00263, SAME),
        Comparison("qwen3", "all kinds of tokens", 0.1, 0.2, UNKNOWN),
        Comparison("qwen3", "fast mode", 0.1, 0.2, UNKNOWN),
    ]
    aliases = (("haiku", HAIKU, HAIKU), ("opus", OPUS, "claude-opus-6"))
    checked = Checked("2.1.329", tuple(found), aliases)
    assert not checked.same
    assert price_check.as_text(checked, width=80) == snapshot


@pytest.mark.parametrize(("width", "last"), [(80, "1h write"), (60, "5m write"), (50, "Read")])
def test_a_narrow_terminal_has_fewer_columns_and_whole_cells(
    home: Path, width: int, last: str
) -> None:
    """Names and figures stay on one line; the dearer writes go first."""
    policy(home)
    loaded = rules.load()
    with ledger_file.up_to_date(loaded) as db:
        lines = report.as_text(report.query(db, loaded), width=width).splitlines()
    assert max(map(len, lines)) <= width
    assert next(line for line in lines if line.startswith("Model")).split("  ")[-2] == last
    assert any(line.startswith("claude-mythos-5-1 ") for line in lines)

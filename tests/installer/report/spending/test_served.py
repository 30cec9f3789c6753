"""`report provider` where the router was used: who failed, who stood in, how long answers took."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from books import HOUR, NOON, OPUS, answer, attempt, request
from claude_tier import cli
from claude_tier.report import spending
from claude_tier.report.ledger_file import up_to_date
from claude_tier.report.spending import screen
from claude_tier_hooks import policy
from syrupy.assertion import SnapshotAssertion

ALPHA, FREE, LOCAL = "lan/alpha", "openrouter/x/y:free", "ollama/qwen3:8b"


def told(capsys: pytest.CaptureFixture[str], *limits: str) -> dict[str, dict[str, Any]]:
    """The rows of `report provider --json` by provider."""
    assert cli.main(["report", "provider", *limits, "--json"]) == 0
    return {row["provider"]: row for row in json.loads(capsys.readouterr().out)["rows"]}


def router_fields(row: dict[str, Any]) -> tuple[object, ...]:
    return row["failed_requests"], row["fallbacks"], row["median_seconds"]


def a_bad_day(home: Path) -> None:
    """A session of the client, a provider that fails, two that stand in, one that never answers."""
    answer(home, OPUS, at=NOON - HOUR)
    for seconds in (1.0, 2.0, 9.0):
        request(ALPHA, ALPHA, seconds=seconds)
    twice = [attempt(ALPHA, 1.0), attempt(ALPHA, 1.5)]
    request(ALPHA, LOCAL, seconds=6.5, attempts=twice)
    silent = attempt(FREE, 30.0, cause="timeout")
    request(ALPHA, LOCAL, seconds=38.0, attempts=[*twice, silent])
    request(FREE, attempts=[silent])


def test_failures_count_by_who_failed_and_fallbacks_by_who_answered(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A retry is no second request, and the tries before an answer are not its time."""
    a_bad_day(home)
    found = told(capsys)
    assert router_fields(found["lan"]) == (2, 0, 2.0)
    assert router_fields(found["ollama"]) == (0, 2, pytest.approx(4.75))
    assert router_fields(found["openrouter"]) == (2, 0, None)
    assert found["openrouter"]["requests"] == 0
    assert router_fields(found["anthropic"]) == (None, None, None)


def test_a_retry_that_succeeds_is_no_failed_request(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither is a target that was never asked, nor a request that was cancelled."""
    request(ALPHA, ALPHA, seconds=3.0, attempts=[attempt(ALPHA, 1.0)])
    request(ALPHA, LOCAL, attempts=[attempt(ALPHA, 0.0, cause="cooling", skipped=True)])
    request(LOCAL, outcome="cancelled")
    found = told(capsys)
    assert router_fields(found["lan"]) == (0, 0, 2.0)
    assert router_fields(found["ollama"]) == (0, 1, 1.0)


def test_another_model_of_the_same_provider_is_a_fallback(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One of its models failed, another stood in."""
    request(ALPHA, "lan/beta", attempts=[attempt(ALPHA, 0.5)])
    assert router_fields(told(capsys)["lan"]) == (1, 1, 0.5)


def test_only_that_span_and_project_are_told(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As of everything else in the view."""
    for folder in ("app", "other"):
        (home / folder / ".git").mkdir(parents=True)
        root = str(home / folder)
        request(ALPHA, ALPHA, session=f"router:{root}", cwd=root)
    request(ALPHA, at=NOON + 48 * HOUR, attempts=[attempt(ALPHA)])
    assert router_fields(told(capsys, "--until", "2026-11-21")["lan"]) == (0, 0, 1.0)
    assert router_fields(told(capsys, "--since", "2026-11-22")["lan"]) == (1, 0, None)
    found = told(capsys, "--project", str(home / "app"))
    assert found["lan"]["requests"] == 1
    assert router_fields(found["lan"]) == (0, 0, 1.0)


def test_without_a_request_of_the_router_there_is_nothing_of_it(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither fields nor columns."""
    answer(home, OPUS)
    assert "fallbacks" not in told(capsys)["anthropic"]
    assert cli.main(["report", "provider", "--csv"]) == 0
    assert "fallbacks" not in capsys.readouterr().out
    assert cli.main(["report", "provider"]) == 0
    assert "Failed" not in capsys.readouterr().out


def test_the_csv_has_the_same_fields(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is not known is an empty cell."""
    a_bad_day(home)
    assert cli.main(["report", "provider", "--csv"]) == 0
    rows = [*csv.DictReader(io.StringIO(capsys.readouterr().out))]
    assert tuple(rows[0]) == spending.columns("provider", routed=True)
    cells = {row["provider"]: router_fields(row) for row in rows}
    assert cells["lan"] == ("2", "0", "2.0")
    assert cells["openrouter"] == ("2", "0", "")
    assert cells["anthropic"] == ("", "", "")


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_screen_fits(home: Path, width: int, snapshot: SnapshotAssertion) -> None:
    """What follows from other columns goes first."""
    a_bad_day(home)
    rules = policy.load()
    with up_to_date(rules) as db:
        found = spending.query(db, rules, "provider")
    text = screen.as_text(found, width=width)
    table = text.partition("\nOf the router")[0]
    assert max(map(len, table.splitlines())) <= width
    assert text == snapshot

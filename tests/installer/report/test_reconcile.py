"""`report --reconcile`: what the client saved of a session's cost, beside the ledger."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from books import HAIKU, HOUR, NOON, OPUS, answer, append, charge, policy, stamp, transcript
from claude_tier import cli
from claude_tier.report import reconcile, table
from claude_tier_hooks import prices
from syrupy.assertion import SnapshotAssertion

Ask = Callable[..., Any]
DEFAULT = {"inputTokens": 1000, "outputTokens": 2000}


def cost(model: str = HAIKU, tokens: tuple[int, int] = (1000, 2000)) -> float:
    """What the client says that a response with so many tokens in and out costs."""
    used = {**dict.fromkeys(prices.KINDS, 0), "input": tokens[0], "output": tokens[1]}
    found = prices.price(prices.shipped(), model, NOON, used)
    assert found is not None
    return found


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Ask:
    """The comparison as JSON, and the exit code."""

    def asked(*args: str, code: int = 0) -> Any:
        assert cli.main(["report", "--reconcile", *args, "--json"]) == code
        return json.loads(capsys.readouterr().out)

    return asked


def test_what_the_client_saved_agrees_to_the_token_and_the_cent(home: Path, ask: Ask) -> None:
    """Rows alone, one model, nothing to explain."""
    answer(home)
    charge(home, HAIKU, cost(), **DEFAULT)
    found = ask()
    (row,) = found["sessions"]
    assert row["agrees"] is True
    assert row["reasons"] == []
    assert row["difference"]["usd"] == pytest.approx(0)
    assert row["rows"] == pytest.approx(row["client"])
    assert found["totals"]["rows"]["output_tokens"] == 2000
    assert found["compared"] == 1


def test_what_no_row_shows_is_in_both(home: Path, ask: Ask) -> None:
    """A compaction: unlisted here, charged there."""
    answer(home)
    charge(home, HAIKU, cost(tokens=(5000, 3000)), inputTokens=5000, outputTokens=3000)
    (row,) = ask()["sessions"]
    assert row["reasons"] == ["unlisted"]
    assert row["unlisted"]["input_tokens"] == 4000
    assert row["difference"]["usd"] == pytest.approx(0)
    assert row["models"][0]["client"]["input_tokens"] == 5000


def test_a_session_without_a_saved_cost_cannot_be_compared(home: Path, ask: Ask) -> None:
    """Killed, or still at work; that is no fault."""
    answer(home)
    (row,) = ask()["sessions"]
    assert (row["agrees"], row["client"], row["reasons"]) == (None, None, ["not saved"])


def test_a_session_used_since_cannot_be_compared(home: Path, ask: Ask) -> None:
    """The saved cost is of an earlier moment."""
    answer(home)
    charge(home, HAIKU, cost(), **DEFAULT)
    file = transcript(home, "11111111-aaaa", "/repo/app")
    os.utime(file, (NOON + 60, NOON + 60))
    ask()
    answer(home, at=NOON + HOUR)
    (row,) = ask()["sessions"]
    assert row["agrees"] is None
    assert row["reasons"] == ["used since"]
    assert row["difference"]["output_tokens"] == 2000


def test_a_fork_of_a_session_that_is_gone_cannot_be_compared(home: Path, ask: Ask) -> None:
    """Its cost goes on from a figure that nobody has."""
    answer(home, session="child")
    append(
        transcript(home, "child", "/repo/app"),
        {
            "type": "assistant",
            "message": {
                "id": "msg_copied",
                "model": HAIKU,
                "stop_reason": "end_turn",
                "usage": {"input_tokens": 1, "output_tokens": 1},
            },
            "sessionId": "child",
            "forkedFrom": {"sessionId": "parent", "messageUuid": "u"},
            "timestamp": stamp(NOON - HOUR),
        },
    )
    charge(home, HAIKU, 5.0, session="child", **DEFAULT)
    row = next(one for one in ask()["sessions"] if one["session"] == "child")
    assert row["agrees"] is None
    assert "fork" in row["reasons"]


def test_a_model_without_a_price_leaves_the_tokens_to_compare(home: Path, ask: Ask) -> None:
    """Its dollars are unknown, not off."""
    answer(home, "mystery-1")
    charge(home, "mystery-1", 0.7, **DEFAULT)
    (row,) = ask()["sessions"]
    assert row["agrees"] is True
    assert row["reasons"] == ["unpriced"]
    assert row["difference"]["usd"] is None


def test_prices_of_your_own_explain_other_dollars(home: Path, ask: Ask) -> None:
    """The client reckons with its own."""
    table_of = prices.shipped()["models"]
    dear = [dict(table_of[HAIKU][0], output=500.0)]
    policy(home, prices={**table_of, HAIKU: dear})
    answer(home)
    charge(home, HAIKU, cost(), **DEFAULT)
    (row,) = ask()["sessions"]
    assert row["agrees"] is True
    assert row["reasons"] == ["other prices"]
    assert row["difference"]["usd"] > 0.5


@pytest.mark.parametrize(
    ("usd", "tokens"),
    [(cost(OPUS) - 0.02, DEFAULT), (cost(OPUS), {"inputTokens": 400, "outputTokens": 2000})],
)
def test_more_here_than_there_is_a_fault_with_its_exit_code(
    home: Path, ask: Ask, usd: float, tokens: dict[str, int]
) -> None:
    """Counted twice, or priced wrongly: nothing explains it."""
    answer(home, OPUS)
    charge(home, OPUS, usd, **tokens)
    (row,) = ask(code=1)["sessions"]
    assert row["agrees"] is False
    assert row["reasons"] == ["unknown"]


def test_every_session_is_in_one_count(home: Path, ask: Ask, capsys: Any) -> None:
    """Agrees, differs, used since, not saved; what to do is said where one differs."""
    for session in ("same", "since", "off", "none"):
        answer(home, session=session)
    for session in ("same", "since"):
        charge(home, HAIKU, cost(), session=session, **DEFAULT)
    charge(home, HAIKU, 0.0005, session="off", inputTokens=100, outputTokens=100)
    file = transcript(home, "since", "/repo/app")
    os.utime(file, (NOON + 60, NOON + 60))
    ask(code=1)
    answer(home, session="since", at=NOON + HOUR)
    found = ask(code=1)
    counts = {"agree": 1, "differ": 1, "used_since": 1, "not_saved": 1, "fork": 0}
    assert found["counts"] == counts
    assert cli.main(["report", "--reconcile"]) == 1
    text = capsys.readouterr().out
    assert "1 cannot be compared: used since the client last saved" in text
    assert "`claude-tier ledger rebuild`" in text


def test_how_much_of_a_session_no_row_shows_is_said(home: Path, ask: Ask, capsys: Any) -> None:
    """A row that was missed would be in it."""
    answer(home)
    charge(home, HAIKU, cost(tokens=(5000, 3000)), inputTokens=5000, outputTokens=3000)
    (row,) = ask()["sessions"]
    assert row["unlisted_share"] == pytest.approx(1 - cost() / cost(tokens=(5000, 3000)))
    assert cli.main(["report", "--reconcile"]) == 0
    share = int(row["unlisted_share"] * 100)
    assert f"Unlisted are {share} % of the cost of 1 session" in capsys.readouterr().out


def test_only_sessions_last_used_in_the_span_are_compared(home: Path, ask: Ask) -> None:
    """Each as a whole."""
    answer(home, session="early")
    answer(home, session="late")
    answer(home, session="late", at=NOON + 24 * HOUR)
    (row,) = ask("--since", "2026-11-22")["sessions"]
    assert row["session"] == "late"
    assert row["rows"]["output_tokens"] == 4000


def test_the_screen_begins_with_what_differs(
    home: Path, snapshot: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """In eighty columns, with what each reason means."""
    monkeypatch.setattr("claude_tier.cli.report.width", lambda: 80)
    answer(home, OPUS, session="aaaaaaaa-same")
    charge(home, OPUS, cost(OPUS), session="aaaaaaaa-same", **DEFAULT)
    answer(home, session="bbbbbbbb-more")
    charge(home, HAIKU, 0.0005, session="bbbbbbbb-more", inputTokens=100, outputTokens=100)
    answer(home, session="cccccccc-beyond")
    charge(home, HAIKU, cost(tokens=(9000, 9000)), session="cccccccc-beyond",
           inputTokens=9000, outputTokens=9000)  # fmt: skip
    answer(home, session="dddddddd-none")
    assert cli.main(["report", "--reconcile"]) == 1
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= 80
    assert text == snapshot


def test_the_csv_has_a_row_for_each_session(home: Path, capsys: Any) -> None:
    """Its tokens and dollars from both sides."""
    answer(home)
    charge(home, HAIKU, cost(), **DEFAULT)
    assert cli.main(["report", "--reconcile", "--csv"]) == 0
    header, row = capsys.readouterr().out.splitlines()
    assert header.split(",") == [*reconcile.COLUMNS]
    assert row.startswith("11111111-aaaa,/repo/app,")
    assert table.WIDEST > 80

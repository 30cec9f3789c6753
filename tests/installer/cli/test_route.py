"""`claude-tier route`: where a task would go, without asking anybody."""

from __future__ import annotations

import io
import json
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from claude_tier import cli
from claude_tier.routing import by_hand
from claude_tier_hooks import cooldowns, ledger
from routers import configured

CONFIG = """\
providers:
  here: {kind: ollama}
  there: {kind: openrouter}
chains: {cheap: [here/qwen3, there/some/model]}
router: {small: cheap}
routes: [{name: notes, conditions: {keywords: [minutes]}, target: there/some/model}]
"""
SUMMARY = "Summarise this thread in two sentences"


@pytest.fixture(autouse=True)
def config() -> None:
    configured(CONFIG)


def found(capsys: pytest.CaptureFixture[str], *args: str) -> Any:
    assert cli.main(["route", *args, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def keep_out(provider: str, model: str) -> None:
    known = {"cause": "connect", "why": "refused", "until": time.time() + 600, "everywhere": False}
    with closing(ledger.connect()) as db, ledger.Writing(db):
        cooldowns.fail(db, (provider, "-", model), known, time.time(), 7200)


def spend(now: float, usd: float) -> None:
    """What budgets of the user see."""
    with closing(ledger.connect()) as db, ledger.Writing(db):
        names = [ledger.name_id(db, name) for name in ("s", "main", "m", "transcript", "/")]
        sums = (1, 10, 10, 0, 0, 0, 0, usd, 0)
        db.execute(ledger.ADD_TO_BUCKET, (int(now // 900), *names, *sums))


def test_it_names_the_kind_the_route_and_the_targets(capsys: pytest.CaptureFixture[str]) -> None:
    """In the order in which they would be asked, and whether they run here."""
    assert cli.main(["route", SUMMARY]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith("summarise -> summarise (summarise goes to the role small)\n")
    first, second = out.splitlines()[-2:]
    assert first.split() == ["1", "here/qwen3", "local"]
    assert second.split() == ["2", "there/some/model", "remote"]


def test_a_target_that_is_cooling_says_until_when(capsys: pytest.CaptureFixture[str]) -> None:
    """It would be skipped."""
    keep_out("there", "some/model")
    places = found(capsys, SUMMARY)["targets"]
    assert [place["cooling"] is None for place in places] == [True, False]
    assert cli.main(["route", SUMMARY]) == 0
    assert "until " in capsys.readouterr().out.splitlines()[-1]


REASONS = {
    "by hand": "switched on by hand, until ",
    "configured": "router.local_only is set",
    "budget": "the budget daily is used up, until ",
    "cooling": "every paid target is cooling (there/some/model), until ",
}
BUDGET = "budgets: [{name: daily, scope: user, period: day, limit: {usd: 1}}]\n"


def emergency_by(how: str) -> None:
    """Bring it about; the route of minutes leads to a remote target alone."""
    if how == "by hand":
        by_hand.turn_on(time.time(), 3600)
    elif how == "configured":
        configured(CONFIG.replace("router: {", "router: {local_only: true, "))
    elif how == "budget":
        configured(CONFIG + BUDGET)
        spend(time.time(), 2.0)
    else:
        keep_out("there", "some/model")


@pytest.mark.parametrize("how", REASONS)
def test_in_an_emergency_it_shows_who_is_asked_instead(
    how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the reason, the way out, and why each remote one is not asked."""
    emergency_by(how)
    assert cli.main(["route", "the minutes"]) == 0
    _, mode, way_out, *_, first, second = capsys.readouterr().out.splitlines()
    assert mode.startswith(f"Emergency mode, {REASONS[how]}")
    assert way_out.startswith("To end it: ")
    assert first.split()[:2] == ["there/some/model", "remote"]
    assert second.split() == ["1", "here/qwen3", "local"]
    one = found(capsys, "the minutes")
    assert one["emergency"]["reason"] in mode
    there, here = one["targets"]
    assert (there["target"], bool(there["why_not"])) == ("there/some/model", True)
    assert (here["target"], here["why_not"]) == ("here/qwen3", None)


def test_without_a_local_model_nobody_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    """Which is said, as a request would fail."""
    configured("")
    by_hand.turn_on(time.time(), None)
    assert cli.main(["route", "continue"]) == 0
    assert capsys.readouterr().out.endswith("\nNobody is left to ask.\n")


def test_explain_shows_the_evidence_and_each_route(capsys: pytest.CaptureFixture[str]) -> None:
    """With why not, and what the task demands."""
    assert cli.main(["route", SUMMARY, "--explain"]) == 0
    out = capsys.readouterr().out
    assert "summarise +" in out
    assert "Route notes" in out
    assert "none of its keywords is there: minutes" in out
    for what in ("Kind", "Complexity", "Tools", "Context"):
        assert f"\n{what} " in out


def test_the_text_may_come_from_stdin(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it is -."""
    typed = io.TextIOWrapper(io.BytesIO(b"Fasse die Sitzung zusammen"))
    monkeypatch.setattr(sys, "stdin", typed)
    assert found(capsys, "-")["kind"] == "summarise"


def test_files_count_as_context(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Their size decides where it is large; their words do not."""
    file = tmp_path / "thread.txt"
    file.write_text("fix the bug in the function\n" * 100)
    one = found(capsys, SUMMARY, "--file", str(file))
    assert (one["kind"], one["context_tokens"] > 900) == ("summarise", True)
    file.write_text("words\n" * 30_000)
    assert found(capsys, SUMMARY, "--file", str(file))["kind"] == "large_context"


def test_what_cannot_be_told_goes_to_the_default(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a kind."""
    one = found(capsys, "continue")
    assert (one["kind"], one["route"]) == (None, "default")
    assert one["targets"][0]["target"] == "claude/sonnet"


def test_a_file_that_is_no_text_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Nothing is guessed about its bytes."""
    file = tmp_path / "picture.png"
    file.write_bytes(b"\x89PNG\0\xff")
    assert cli.main(["route", "What is this?", "--file", str(file)]) == 1
    assert "is no text" in capsys.readouterr().err


def test_an_empty_text_is_a_mistake_of_usage(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is asked."""
    assert cli.main(["route", "  "]) == 2
    assert "nothing is asked" in capsys.readouterr().err


def test_a_broken_ledger_keeps_no_answer_back(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is cooling is not known then, which is said."""
    (home / ".claude/claude-tier/ledger.db").write_bytes(b"no database at all" * 100)
    assert cli.main(["route", SUMMARY]) == 0
    out, err = capsys.readouterr()
    assert "here/qwen3" in out
    assert "what is cooling is not known" in err

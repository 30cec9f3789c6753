"""`ledger totals`: the truth of generated transcripts, and what is shown where it is not known."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from books import HAIKU, HOUR, NOON, OPUS, answer, charge
from claude_tier import cli
from claude_tier.report import days, ledger_file, totals
from claude_tier_hooks import ledger, policy
from corpus import build, write
from syrupy.assertion import SnapshotAssertion

FIELDS = [
    "requests",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "web_searches",
    "usd",
    "unpriced_requests",
]

Ask = Callable[..., Any]


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Ask:
    """`claude-tier ledger totals … --json`, parsed."""

    def asked(*args: str) -> Any:
        assert cli.main(["ledger", "totals", *args, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    return asked


def by_key(found: Any, key: str) -> dict[str, dict[str, Any]]:
    return {row[key]: {name: row[name] for name in FIELDS} for row in found["rows"]}


def assert_same(ours: dict[str, Any], true: dict[str, Any]) -> None:
    """Every count to the token, dollars to 1e-9, and unknown where unknown."""
    assert ours.keys() == true.keys()
    for key, row in true.items():
        unpriced = not row["usd"] and row["requests"] == row["unpriced_requests"]
        usd = None if unpriced else pytest.approx(row["usd"], rel=1e-9, abs=1e-9)
        assert ours[key] == {**{name: row[name] for name in FIELDS}, "usd": usd}, key


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_totals_equal_the_truth_of_generated_transcripts(seed: int, home: Path, ask: Ask) -> None:
    """By model, day, session, project and agent, in total, and what is unlisted."""
    corpus = build(seed, size=200_000)
    write(corpus, home / ".claude")
    manifest: dict[str, Any] = corpus.manifest()
    shared = {session for group in manifest["shared"] for session in group}
    for key in totals.KEYS:
        found = ask("--by", key)
        assert_same({"all": found["totals"]}, {"all": manifest["totals"]})
        ours, true = by_key(found, key), manifest[f"by_{key}"]
        unsure = shared if key == "session" else set()
        assert_same(
            {k: row for k, row in ours.items() if k not in unsure},
            {k: row for k, row in true.items() if k not in unsure},
        )
    for kind in FIELDS[1:6]:
        assert found["unlisted"][kind] == sum(row[kind] for row in manifest["unlisted"])
    assert found["unmeasured_requests"] >= sum(manifest["unmeasured"].values())


def test_the_fields_are_those_that_were_promised(home: Path, ask: Ask) -> None:
    """In this order, the key first, under these names."""
    answer(home)
    found = ask("--by", "agent")
    assert [*found][:4] == ["version", "rows", "totals", "unlisted"]
    assert found["version"] == 1
    assert [*found["rows"][0]] == ["agent", *FIELDS]
    assert [*found["totals"]] == [*found["unlisted"]] == FIELDS


def test_nothing_used_is_an_empty_answer(ask: Ask, capsys: pytest.CaptureFixture[str]) -> None:
    """Nought is known here, so it is 0."""
    found = ask()
    assert found["rows"] == []
    assert found["totals"] == dict.fromkeys(FIELDS, 0)
    assert cli.main(["ledger", "totals"]) == 0
    assert capsys.readouterr().out == "Nothing was used.\n"


def test_what_has_no_price_is_unknown_and_never_zero(home: Path, ask: Ask) -> None:
    """A row without any price has none; a sum that lacks some says how many requests it lacks."""
    answer(home, "mystery-1")
    answer(home, HAIKU)
    found = ask()
    rows = by_key(found, "model")
    assert rows["mystery-1"]["usd"] is None
    assert rows["mystery-1"]["unpriced_requests"] == 1
    assert rows[HAIKU]["usd"] == found["totals"]["usd"] == pytest.approx(0.0011)
    assert found["totals"]["unpriced_requests"] == 1
    assert found["unpriced_models"] == ["mystery-1"]


def test_the_clients_own_charges_stand_apart(home: Path, ask: Ask) -> None:
    """Compaction leaves no row: its tokens are in no row and in no total."""
    answer(home, HAIKU)
    charge(home, HAIKU, 0.5, inputTokens=1500, outputTokens=2700)
    found = ask()
    assert found["totals"]["input_tokens"] == 1000
    assert found["unlisted"]["input_tokens"] == 500
    assert found["unlisted"]["output_tokens"] == 700
    assert found["unlisted"]["usd"] == pytest.approx(0.5 - 0.0011)


def test_an_unlisted_charge_without_a_price_is_unknown(home: Path, ask: Ask) -> None:
    """The client guesses what an unknown model costs; we do not."""
    answer(home, "mystery-1")
    charge(home, "mystery-1", 0.5, inputTokens=1500)
    assert ask()["unlisted"]["usd"] is None


def test_days_are_the_users_own(home: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two minutes apart in UTC, a day apart in Kathmandu, where midnight is at 18:15 UTC."""
    answer(home, at=NOON + 6.23 * HOUR)
    answer(home, at=NOON + 6.27 * HOUR)
    assert [*by_key(ask("--by", "day"), "day")] == ["2026-11-21"]
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    time.tzset()
    assert [*by_key(ask("--by", "day"), "day")] == ["2026-11-21", "2026-11-22"]


def test_a_span_has_both_its_days(home: Path, ask: Ask) -> None:
    """From the first day's start to the last one's end, unlisted charges too."""
    for day in range(4):
        answer(home, at=NOON + day * 24 * HOUR, session=f"s{day}")
    charge(home, HAIKU, 0.5, session="s1", inputTokens=3000)
    found = ask("--by", "day", "--since", "2026-11-22", "--until", "2026-11-23")
    assert [*by_key(found, "day")] == ["2026-11-22", "2026-11-23"]
    assert found["totals"]["requests"] == 2
    assert found["unlisted"]["input_tokens"] == 2000
    assert ask("--since", "2026-11-23")["unlisted"]["input_tokens"] == 0


def test_a_project_is_named_by_any_folder_in_it(home: Path, ask: Ask) -> None:
    """Its rows, its unlisted charges and its unmeasured requests alone."""
    app = home / "app"
    (app / ".git").mkdir(parents=True)
    (app / "src").mkdir()
    answer(home, cwd=str(app), session="here", final=False)
    answer(home, cwd="/elsewhere", session="there", final=False)
    found = ask("--by", "session", "--project", str(app / "src"))
    assert [*by_key(found, "session")] == ["here"]
    assert found["unmeasured_requests"] == 1


def test_an_unknown_project_is_an_error(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A misspelt folder must not look like one that cost nothing."""
    answer(home)
    assert cli.main(["ledger", "totals", "--project", "/nowhere"]) == 1
    assert "knows no project /nowhere" in capsys.readouterr().err


def test_a_day_that_is_none_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    """The message says what a day looks like."""
    assert cli.main(["ledger", "totals", "--since", "last week"]) == 2
    assert "must be a day such as 2026-11-20" in capsys.readouterr().err


def test_the_screen_shows_the_dearest_first(home: Path, snapshot: SnapshotAssertion) -> None:
    """In eighty columns, with notes on what the figures cannot say."""
    for hours in range(3):
        answer(home, OPUS, at=NOON + hours * HOUR, cache_read_input_tokens=1_250_000)
        answer(home, HAIKU, agent="Explore", at=NOON + hours * HOUR, input_tokens=40_000)
    answer(home, "mystery-1", final=False)
    charge(home, OPUS, 1.5, inputTokens=14_000, outputTokens=9_000)
    rules = policy.load()
    with ledger_file.up_to_date(rules) as db:
        found = {key: totals.query(db, key) for key in ("model", "agent", "day")}
    screens = [totals.as_text(one, width=80) for one in found.values()]
    assert all(len(line) <= 80 for screen in screens for line in screen.splitlines())
    assert "\n\n".join(screens) == snapshot


def test_a_part_of_the_ledger_is_summed_through_an_index(home: Path) -> None:
    """A million quarter hours must not be read for one day."""
    db = ledger.connect()
    seen: list[str] = []
    db.set_trace_callback(seen.append)
    totals.query(db, "model", totals.Slice(days.Span(NOON, NOON + 24 * HOUR)))
    db.set_trace_callback(None)
    sums = next(query for query in seen if "GROUP BY" in query)
    plan = " ".join(row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {sums}"))
    assert "SEARCH bucket USING PRIMARY KEY (start>? AND start<?)" in plan


def test_sums_that_were_moved_away_leave_no_row(home: Path) -> None:
    """A response that turns out to belong to another session is not shown as nothing there."""
    db: sqlite3.Connection = ledger.connect()
    with ledger.Writing(db):
        ids = [ledger.name_id(db, name) for name in ("s", "main", "m", "transcript", "p")]
        db.execute(ledger.ADD_TO_BUCKET, (1, *ids, 0, 0, 0, 0, 0, 0, 0, 1e-19, 0))
    assert totals.query(db, "session").rows == {}

"""`claude-tier simulate`: its screens, its JSON, and what it must not touch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from books import HAIKU, NOON, OPUS, SONNET, budget, policy
from claude_tier import cli
from claude_tier_hooks import ledger
from histories import Past
from syrupy.assertion import SnapshotAssertion

Capture = pytest.CaptureFixture[str]
STRICTER = """
assign: {Plan: haiku, Explore: null, general-purpose: null}
budgets:
  - {name: daily, period: day, limit: {usd: 1}, on_stop: deny}
  - {name: plan-5h, limit: null}
  - {name: plan-week, limit: null}
"""


@pytest.fixture
def lived(home: Path, monkeypatch: pytest.MonkeyPatch) -> Past:
    """Two days of work under a wide budget."""
    policy(home, assign={}, budgets=[budget(limit=2.0)])
    past = Past(home, monkeypatch)
    past.used(NOON, input_tokens=225_000)
    past.run(NOON + 100, "Plan", input_tokens=100_000)
    past.run(NOON + 200, "Explore", input_tokens=100_000)
    past.run(NOON + 300, "Explore", SONNET, given={"model": "sonnet"}, input_tokens=10)
    past.run(NOON + 86_400, "Plan", input_tokens=100_000)
    return past


@pytest.fixture
def file(tmp_path: Path) -> str:
    made = tmp_path / "stricter.yaml"
    made.write_text(STRICTER)
    return str(made)


def parsed(capsys: Capture, *args: str) -> Any:
    assert cli.main(["simulate", *args, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_screen_fits(
    lived: Past,
    tmp_path: Path,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
    snapshot: SnapshotAssertion,
) -> None:
    """Eighty columns, side by side."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("claude_tier.report.table.width", lambda: 80)
    (tmp_path / "stricter.yaml").write_text(STRICTER)
    assert lived.now
    assert cli.main(["simulate", "--policy", "stricter.yaml"]) == 0
    printed = capsys.readouterr().out
    assert printed == snapshot
    assert max(map(len, printed.splitlines())) <= 80


def test_without_a_policy_it_checks_the_history(lived: Past, capsys: Capture) -> None:
    assert cli.main(["simulate"]) == 0
    assert capsys.readouterr().out == "4 of 4 decisions come out as they were made.\n"
    db = ledger.connect()
    db.execute("UPDATE decision SET set_tier = 'opus' WHERE agent = (SELECT id FROM name"
               " WHERE text = 'Plan') AND at > ?", (lived.now - 1000,))  # fmt: skip
    db.close()
    assert cli.main(["simulate"]) == 0
    assert capsys.readouterr().out == (
        "3 of 4 decisions come out as they were made.\n\n"
        "2026-11-22 12:00  Plan  [11111111]\n"
        "  happened   kept opus\n"
        "  replayed   kept\n"
    )


def test_the_json_has_both_sides(lived: Past, file: str, capsys: Capture) -> None:
    """With every field that docs/simulate.md names, and no other."""
    assert lived.now
    found = parsed(capsys, "--policy", file)
    text = (Path(__file__).parents[3] / "docs/simulate.md").read_text()
    names = set(found) | set(found["days"][0]) | set(found["changed"][0]) | set(found["trips"][0])
    names |= set(found["changed"][0]["simulated"])
    assert {name for name in names if f"`{name}`" not in text} == set()
    assert found["version"] == 1
    assert found["policy"] == file
    assert found["counts"] == {"assigned": 2, "lowered": 1, "denied": 1}
    first = found["changed"][0]
    assert first["happened"] == {
        "action": "kept", "set": None, "reason": None, "budget": None, "level": "ok",
        "used": pytest.approx(0.45),
    }  # fmt: skip
    assert first["simulated"]["set"] == "haiku"
    assert (first["happened_usd"], first["simulated_usd"]) == pytest.approx((0.4, 0.01))


def test_a_span_of_days(lived: Past, file: str, capsys: Capture) -> None:
    assert lived.now
    found = parsed(capsys, "--policy", file, "--since", "2026-11-22", "--until", "2026-11-22")
    assert [one["day"] for one in found["days"]] == ["2026-11-22"]
    assert found["decisions"] == 1
    assert parsed(capsys, "--until", "2026-11-21")["decisions"] == 3


def test_a_mistake_is_told_with_its_line(tmp_path: Path, capsys: Capture) -> None:
    """As `compile` does, and nothing is noted in the state folder."""
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("budgets:\n  - {name: a, limt: {usd: 1}}\n")
    assert cli.main(["simulate", "--policy", str(wrong)]) == 1
    said = capsys.readouterr().err
    assert f"claude-tier: {wrong}:2:" in said
    assert "limt: unknown key; did you mean limit?" in said
    assert "Nothing was simulated." in said


def test_a_file_that_is_not_there_is_a_wrong_use(capsys: Capture) -> None:
    assert cli.main(["simulate", "--policy", "/nowhere.yaml"]) == 2
    assert "/nowhere.yaml" in capsys.readouterr().err


def test_the_state_folder_stays_as_it_is(lived: Past, file: str, capsys: Capture) -> None:
    """The policy in force, notes of mistakes, decisions: all untouched."""
    state = lived.home / ".claude/claude-tier"
    parsed(capsys)
    before = {path: path.read_bytes() for path in state.rglob("*") if path.is_file()}
    parsed(capsys, "--policy", file)
    after = {path: path.read_bytes() for path in state.rglob("*") if path.is_file()}
    names = {path.name for path in set(before) ^ set(after)}
    assert names <= {"ledger.db-wal", "ledger.db-shm"}
    kept = [path for path in before if not path.name.startswith("ledger.db")]
    assert all(before[path] == after[path] for path in kept)


def test_an_empty_ledger_has_nothing_to_replay(file: str, capsys: Capture) -> None:
    assert cli.main(["simulate"]) == 0
    said = "No decision to replay: recording starts with the install.\n"
    assert capsys.readouterr().out == said
    assert parsed(capsys, "--policy", file)["days"] == []


def test_a_haiku_run_stays_where_it_is(
    home: Path, monkeypatch: pytest.MonkeyPatch, file: str, capsys: Capture
) -> None:
    """An assignment only ever lowers, in a simulation as at the gate."""
    policy(home, assign={}, budgets=[])
    past = Past(home, monkeypatch)
    past.used(NOON, HAIKU)
    past.run(NOON + 100, "Plan", HAIKU, input_tokens=1000)
    found = parsed(capsys, "--policy", file)
    assert (found["changed"], found["identical"]) == ([], 0)


@pytest.fixture
def older(home: Path, monkeypatch: pytest.MonkeyPatch) -> Past:
    """Two weeks before the install, on two days of which a Plan ran."""
    policy(home, assign={}, budgets=[])
    past = Past(home, monkeypatch)
    for day in range(13):
        past.used(NOON + 86_400 * day, input_tokens=25_000)
    for day, model in enumerate((OPUS, SONNET, OPUS)):
        run = (f"a{day}", "Plan", f"toolu_{day}")
        past.used(NOON + 86_400 * day + 100, model, run=run, input_tokens=100_000)
    return past


def test_before_any_decision_it_says_what_can_be_simulated(older: Past, capsys: Capture) -> None:
    assert older.home
    assert cli.main(["simulate"]) == 0
    assert capsys.readouterr().out == (
        "No decision to replay: recording starts with the install.\n"
        "3 subagent runs without a decision can be simulated with --policy FILE.\n"
    )


def test_a_history_from_before_the_install_has_a_screen(
    older: Past,
    tmp_path: Path,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
    snapshot: SnapshotAssertion,
) -> None:
    """Eleven days on which nothing differs are one line; --json has each of them."""
    assert older.home
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("claude_tier.report.table.width", lambda: 80)
    (tmp_path / "stricter.yaml").write_text(STRICTER)
    assert cli.main(["simulate", "--policy", "stricter.yaml"]) == 0
    printed = capsys.readouterr().out
    assert printed == snapshot
    assert max(map(len, printed.splitlines())) <= 80
    found = parsed(capsys, "--policy", "stricter.yaml")
    assert len(found["days"]) == 13
    assert (found["reconstructed"], found["approximate"], found["decisions"]) == (3, 3, 0)
    assert [one["reconstructed"] for one in found["changed"]] == [True, True]


def test_ten_days_alike_are_shown_one_by_one(older: Past, file: str, capsys: Capture) -> None:
    assert older.home
    args = ["simulate", "--policy", file, "--until"]
    assert cli.main([*args, "2026-12-02"]) == 0
    assert "2026-12-02" in capsys.readouterr().out
    assert cli.main([*args, "2026-12-03"]) == 0
    printed = capsys.readouterr().out
    assert "11 days alike" in printed
    assert "2026-12-02" not in printed

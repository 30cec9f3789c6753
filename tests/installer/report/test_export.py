"""`ledger export`: every row with its names, for other programs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from books import HAIKU, HOUR, NOON, OPUS, answer, charge, decide
from claude_tier import cli
from claude_tier.report import export
from corpus import build, write

Lines = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Lines:
    """`claude-tier ledger export …`, each line parsed."""

    def exported(*args: str) -> list[dict[str, Any]]:
        assert cli.main(["ledger", "export", *args]) == 0
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return exported


def test_there_is_one_row_for_each_response(home: Path, lines: Lines) -> None:
    """With every name in words and the figures as they were counted."""
    answer(home, OPUS, agent="Explore", cache_read_input_tokens=7)
    answer(home, "mystery-1", at=NOON + HOUR, final=False)
    first, second = sorted(lines(), key=lambda row: row["at"])
    assert tuple(first) == export.USAGE
    assert first["id"].startswith("msg_")
    assert {name: first[name] for name in export.USAGE[1:16]} == {
        "at": NOON,
        "session": "11111111-aaaa",
        "project": "/repo/app",
        "agent": "Explore",
        "agent_id": "Explore",
        "model": OPUS,
        "asked_model": None,
        "provider": "anthropic",
        "route": None,
        "source": "transcript",
        "requests": 1,
        "final": True,
        "fast": False,
        "geo": None,
        "input_tokens": 1000,
    }
    assert first["cache_read_tokens"] == 7
    assert (second["usd"], second["final"]) == (None, False)


def test_the_rows_add_up_to_the_totals(
    home: Path, lines: Lines, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of generated transcripts with everything that happens in them."""
    write(build(seed=7), home / ".claude")
    rows = lines()
    assert cli.main(["ledger", "totals", "--json"]) == 0
    totals = json.loads(capsys.readouterr().out)["totals"]
    for name in ("requests", "input_tokens", "output_tokens", "cache_write_1h_tokens"):
        assert sum(row[name] for row in rows) == totals[name]
    assert sum(row["usd"] or 0 for row in rows) == pytest.approx(totals["usd"])


def test_csv_and_json_lines_say_the_same(
    home: Path, lines: Lines, capsys: pytest.CaptureFixture[str]
) -> None:
    """Empty for unknown, true and false, plain numbers; a formula is defused."""
    answer(home, "=HYPERLINK(1)", final=False)
    assert cli.main(["ledger", "export", "--format", "csv"]) == 0
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    (same,) = lines()
    assert row["model"] == "'" + same["model"]
    assert (row["usd"], row["final"], row["output_tokens"]) == ("", "false", "2000")


def test_a_span_and_a_project_are_all_that_is_exported(home: Path, lines: Lines) -> None:
    """Both days of the span; every kind of row."""
    app = home / "app"
    (app / ".git").mkdir(parents=True)
    for day in range(3):
        answer(home, at=NOON + day * 24 * HOUR, cwd=str(app), session="here")
        answer(home, at=NOON + day * 24 * HOUR, cwd="/repo/app", session="there")
    limits = ("--since", "2026-11-22", "--until", "2026-11-23", "--project", str(app))
    assert [row["session"] for row in lines(*limits)] == ["here"] * 2
    decide("toolu_1", session="there", at=NOON + 24 * HOUR)
    decide("toolu_2", session="here", at=NOON + 24 * HOUR)
    decide("toolu_3", session="here", at=NOON - 24 * HOUR)
    found = lines("--what", "decisions", *limits)
    assert [row["tool_use_id"] for row in found] == ["toolu_2"]
    assert tuple(found[0]) == export.DECISIONS


def test_what_no_row_shows_is_exported_apart(home: Path, lines: Lines) -> None:
    """By session and model."""
    answer(home)
    charge(home, HAIKU, 0.5, inputTokens=4000, outputTokens=2000)
    (row,) = lines("--what", "unlisted")
    assert tuple(row) == export.UNLISTED
    assert (row["model"], row["input_tokens"], row["provider"]) == (HAIKU, 3000, "anthropic")


def test_a_file_is_for_its_owner_and_whole(home: Path, lines: Lines) -> None:
    """Also where another one stood."""
    answer(home)
    path = home / "out.jsonl"
    path.write_text("before")
    path.chmod(0o644)
    assert lines("--output", str(path)) == []
    assert json.loads(path.read_text())["session"] == "11111111-aaaa"
    assert path.stat().st_mode & 0o777 == 0o600
    assert {one.name for one in home.iterdir()} == {".claude", "out.jsonl"}


def test_a_folder_that_is_missing_is_named_as_it_was_given(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And nothing of the file that is written beside."""
    assert cli.main(["ledger", "export", "--output", str(home / "none/x.csv")]) == 1
    said = capsys.readouterr().err
    assert f"no file can be made in {home}/none: No such file or directory" in said
    assert ".part" not in said


def test_a_failure_leaves_the_file_as_it_was(home: Path) -> None:
    """Nothing half written, nothing beside it."""
    path = home / "out.csv"
    path.write_text("before")

    def failing() -> Iterator[export.Row]:
        yield {"at": 1}
        raise RuntimeError

    with pytest.raises(RuntimeError), export.output(path) as stream:
        export.write(failing(), ("at",), "csv", stream)
    assert path.read_text() == "before"
    assert [*home.glob(".out*"), *home.glob("*.part")] == []


def test_a_folder_that_is_not_there_is_an_error(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Said with its name."""
    assert cli.main(["ledger", "export", "--output", str(home / "no" / "out.csv")]) == 1
    assert "No such file or directory" in capsys.readouterr().err

"""The screens of `report` in eighty columns, and its CSV."""

from __future__ import annotations

import csv
import io
import json
import time
from pathlib import Path

import pytest
from books import HAIKU, HOUR, NOON, OPUS, SONNET, answer, charge
from claude_tier import cli
from claude_tier.report import sheet, spending
from claude_tier.report.ledger_file import up_to_date
from claude_tier.report.spending import screen
from claude_tier_hooks import policy
from syrupy.assertion import SnapshotAssertion

DAY = 24 * HOUR
RTL = "\u202egnp.sj\u200f"


def a_week(home: Path) -> None:
    """Work on three projects, one of them far below the home folder."""
    deep = str(home / "src/clients/example/services/billing-and-invoices/backend")
    for day in range(6):
        cwd = ("/repo/app", deep, "/srv/www")[day % 3]
        at, session = NOON + day * DAY, f"{day}0b1f443-{day}"
        answer(
            home, OPUS, at=at, session=session, cwd=cwd,
            cache_read_input_tokens=1_250_000, cache_creation_input_tokens=80_000,
        )  # fmt: skip
        for name in ("Explore", "model-tier:implementer"):
            answer(home, HAIKU, at=at + HOUR, session=session, cwd=cwd, agent=name)
    answer(home, "claude-sonnet-4-5-20250929", at=NOON + DAY, session="60b1f443")
    answer(home, "mystery-1", at=NOON + 6 * DAY, session="60b1f443", final=False)
    charge(home, OPUS, 1.5, session="00b1f443-0", inputTokens=14_000, outputTokens=9_000)


def shown(view: str, width: int = 80, **limits: int) -> str:
    rules = policy.load()
    with up_to_date(rules) as db:
        found = spending.query(db, rules, view, now=NOON + 6 * DAY + HOUR, **limits)
    return screen.as_text(found, width=width)


@pytest.mark.parametrize("view", spending.BY)
def test_every_view_fits_eighty_columns(home: Path, view: str, snapshot: SnapshotAssertion) -> None:
    """Figures are never folded, what is unlisted, unpriced and unmeasured is said."""
    a_week(home)
    text = shown(view)
    assert max(map(len, text.splitlines())) <= 80
    assert text.replace(str(home), "/home/me") == snapshot


def test_what_is_left_out_is_said(home: Path) -> None:
    """And how to see it."""
    a_week(home)
    text = shown("session", last=3)
    assert "The newest 3 of 7 sessions; --all shows every one." in text
    assert text.count("0b1f443") == 3


def test_a_table_in_a_pipe_is_whole(home: Path) -> None:
    """One line for each row, with every letter of its name."""
    a_week(home)
    text = shown("project", width=1000)
    assert "~/src/clients/example/services/billing-and-invoices/backend  " in text
    assert "claude-sonnet-4-5  " in shown("model", width=1000)


def test_models_that_differ_only_by_their_date_keep_it(home: Path) -> None:
    """Two rows of one name would tell nothing."""
    for date in ("20250929", "20260101"):
        answer(home, f"claude-sonnet-4-5-{date}")
    text = shown("model", width=1000)
    assert "claude-sonnet-4-5-20250929" in text
    assert "claude-sonnet-4-5-20260101" in text


@pytest.mark.parametrize("name", [f"/repo/\x1b[31m{RTL}", f"/repo/<b>\n{RTL}"])
def test_names_do_not_steer_the_terminal(home: Path, name: str) -> None:
    """Escape sequences, line breaks, marks that turn the direction of text."""
    answer(home, f"model-{RTL}", cwd=name, agent=f"x\x1b]0;t\x07{RTL}", session=f"\x1b[2J{RTL}")
    for view in spending.BY:
        text = shown(view)
        assert not set(text) & {"\x1b", "\x07", "\u202e", "\u200f"}, view


def test_nothing_used_is_said(home: Path) -> None:
    """No empty table."""
    assert shown("day") == "Nothing was used."


def test_the_csv_has_plain_numbers_and_every_field(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is not known is empty; several models are one cell."""
    a_week(home)
    for view in spending.BY:
        assert cli.main(["report", view, "--csv"]) == 0
        rows = [*csv.DictReader(io.StringIO(capsys.readouterr().out))]
        assert tuple(rows[0]) == spending.columns(view)
        assert sum(int(row["requests"]) for row in rows) == 20
    assert cli.main(["report", "model", "--csv"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "mystery-1,1,1000,2000,0,0,0,0,,1,0.0" in lines


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_name_that_looks_like_a_formula_is_text(start: str) -> None:
    """A spreadsheet would run it; a number below zero is none."""
    assert sheet.cell(start + "cmd|' /C calc'!A0") == "'" + start + "cmd|' /C calc'!A0"
    assert sheet.cell([start + "a", "b"]) == "'" + start + "a b"
    assert sheet.cell(-0.5) == -0.5
    assert sheet.cell("-") == "-"


@pytest.mark.parametrize(
    "wrong",
    [
        ("--json", "--csv"),
        ("--savings", "--reconcile"),
        ("--baseline", "opus"),
        ("fortnight",),
        ("--since", "soon"),
        ("--since", "0001-01-01"),
        ("--since", "2026-11-20", "--until", "2026-11-01"),
        ("week", "--savings"),
        ("-n", "2", "--savings"),
        ("--all", "--savings"),
        ("session", "--reconcile"),
        ("-n", "2", "--reconcile"),
        ("session", "-n", "2", "--all"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(home: Path, wrong: tuple[str, ...]) -> None:
    """Exit code 2, nothing printed on stdout."""
    assert cli.main(["report", *wrong]) == 2


@pytest.mark.parametrize("command", [("log",), ("ledger", "totals"), ("ledger", "export")])
def test_a_span_that_ends_before_it_begins_is_a_usage_error(
    home: Path, capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    """Not a report of nothing."""
    assert cli.main([*command, "--since", "2026-11-20", "--until", "2026-11-01"]) == 2
    assert "is after" in capsys.readouterr().err


def test_a_wrong_view_is_told_the_views_once(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["report", "fortnight"]) == 2
    assert capsys.readouterr().err.count("provider") == 1


@pytest.mark.parametrize("view", spending.BY)
def test_so_many_rows_are_the_newest_or_the_dearest(
    home: Path, capsys: pytest.CaptureFixture[str], view: str
) -> None:
    """The rest is in the sum of all, and said."""
    a_week(home)
    assert cli.main(["report", view, "--json"]) == 0
    every = json.loads(capsys.readouterr().out)
    assert cli.main(["report", view, "-n", "1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    newest = every["rows"][-1 if view in spending.BY_TIME else 0]
    assert found["rows"] == [newest]
    assert found["left_out"] == len(every["rows"]) - 1
    assert found["totals"] == every["totals"]
    assert cli.main(["report", view, "-n", "1"]) == 0
    said = f"1 of {len(every['rows'])} {view}s; --all shows every one."
    assert (said in capsys.readouterr().out) == (len(every["rows"]) > 1)


def test_sums_have_no_noise_of_floats_and_times_of_a_csv_have_a_zone(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """0.1 + 0.2 is 0.3; in JSON times remain epoch seconds."""
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    time.tzset()
    for n in range(1, 8):
        answer(home, SONNET, input_tokens=n * 7, output_tokens=n * 13)
    assert cli.main(["report", "session", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["rows"]
    assert row["usd"] == round(row["usd"], 10)
    assert row["last"] == NOON
    assert cli.main(["report", "session", "--csv"]) == 0
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert row["last"] == "2026-11-21T17:45:00.000+05:45"
    assert len(row["usd"].partition(".")[2]) <= 10
    assert cli.main(["ledger", "export", "--format", "csv"]) == 0
    for row in csv.DictReader(io.StringIO(capsys.readouterr().out)):
        assert row["at"] == "2026-11-21T17:45:00.000+05:45"
    assert sheet.cell(0.11425574999999999) == 0.11425575


def test_a_cost_that_was_not_saved_is_said_only_where_it_is_so(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the part that is shown."""
    answer(home, HAIKU)
    charge(home, HAIKU, 0.0011, inputTokens=1000, outputTokens=2000)
    assert cli.main(["report"]) == 0
    assert "saved no cost" not in capsys.readouterr().out
    answer(home, HAIKU, session="22222222-bbbb", at=NOON + 3 * DAY)
    assert cli.main(["report", "--until", "2026-11-22"]) == 0
    assert "saved no cost" not in capsys.readouterr().out
    assert cli.main(["report"]) == 0
    assert "1 session saved no cost: more may" in capsys.readouterr().out


def test_the_savings_are_shown_by_the_same_command(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As text and as JSON, against another baseline too."""
    answer(home, OPUS)
    answer(home, SONNET, agent="Explore")
    assert cli.main(["report", "--savings", "--json"]) == 0
    assert '"baseline": "main"' in capsys.readouterr().out
    assert cli.main(["report", "--savings", "--baseline", "opus"]) == 0
    assert "Saved" in capsys.readouterr().out

"""Figures, days, tables and bars as people see them."""

from __future__ import annotations

import datetime
import io
import time
from collections import Counter

import pytest
from books import HOUR, NOON
from claude_tier.progress import Bar
from claude_tier.report import days, figures, sessions
from claude_tier.report.table import Column, render, wrapped
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("usd", "text"),
    [
        (None, "unpriced"),
        (0, "$0.00"),
        (0.00001, "$0.0000"),
        (0.00421, "$0.0042"),
        (0.01, "$0.01"),
        (1234.5, "$1,234.50"),
    ],
)
def test_money(usd: float | None, text: str) -> None:
    """Small sums keep two digits that matter; an unknown one is a word."""
    assert figures.money(usd) == text


def test_a_sum_that_cannot_see_everything_has_a_plus() -> None:
    """It is at least that much."""
    assert figures.money(1.2, at_least=True) == "$1.20+"


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (9_999, "9,999"), (10_000, "10.0k"), (123_456, "123k"), (4_560_000, "4.6M"),
     (1.5e9, "1.5G"), (2e15, "2000T")],
)  # fmt: skip
def test_counts(number: float, text: str) -> None:
    """Three digits that matter."""
    assert figures.count(number) == text


def test_a_share_is_rounded_down() -> None:
    """A limit that is not reached must not look reached."""
    assert figures.share(0.999) == "99 %"
    assert figures.share(0.29) == "29 %"
    assert figures.share(None) == "unknown"


def test_amounts_have_their_budgets_unit() -> None:
    """Dollars, tokens or percent of a plan window."""
    assert figures.amount(3.5, "usd") == "$3.50"
    assert figures.amount(20_000_000, "tokens") == "20.0M"
    assert figures.amount(62.5, "plan_percent") == "62.5 %"


def test_sizes() -> None:
    """Of files."""
    assert [figures.size(n) for n in (999, 245_800, 154_914_816)] == [
        "999 B",
        "245.8 kB",
        "154.9 MB",
    ]


@pytest.mark.parametrize(
    ("minutes", "text"), [(0, "0 min"), (119, "119 min"), (120, "2 h"), (60 * 50, "2 days")]
)
def test_ages(minutes: int, text: str) -> None:
    """Of sessions."""
    assert sessions.age(NOON - minutes * 60, NOON) == text


def test_days_are_named_or_written() -> None:
    """Relative to now, which is given."""
    assert days.parse("today", NOON) == datetime.date(2026, 11, 21)
    assert days.parse("yesterday", NOON) == datetime.date(2026, 11, 20)
    assert days.parse("2026-02-28", NOON) == datetime.date(2026, 2, 28)
    for text in ("2026-2-30", "now", "2026-11-20T10:00", ""):
        with pytest.raises(ValueError, match="must be a day"):
            days.parse(text, NOON)


@given(st.dates(datetime.date(2020, 1, 1), datetime.date(2030, 1, 1)), st.sampled_from([
    "UTC", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia",
]))  # fmt: skip
def test_a_day_holds_every_moment_of_it_and_no_other(day: datetime.date, zone: str) -> None:
    """Also those of 23 and 25 hours."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", zone)
        time.tzset()
        since, until = days.span(day, day)
        assert since is not None
        assert until is not None
        assert days.of(since) == days.of(until - 1) == day.isoformat()
        assert days.of(since - 1) < day.isoformat() < days.of(until)
        assert until - since in (23 * HOUR, 23.5 * HOUR, 24 * HOUR, 24.5 * HOUR, 25 * HOUR)
    time.tzset()


@given(st.lists(st.text(st.characters(codec="ascii", exclude_categories=["C"]), max_size=60)))
def test_a_table_never_loses_a_letter(cells: list[str]) -> None:
    """What does not fit is folded, and brackets are no markup."""
    rows = [[cell, "1,234"] for cell in cells]
    shown = render([Column("Name"), Column("Cost", figures=True)], rows, width=40)
    assert all(len(line) <= 40 for line in shown.splitlines())
    assert Counter("".join("".join(cells).split())) <= Counter(shown)


def test_a_text_keeps_some_room_beside_wide_figures() -> None:
    """A narrow terminal shows longer lines rather than a letter on each."""
    columns = [Column("Project"), Column("Tokens", figures=True), Column("Cost", figures=True)]
    shown = render(columns, [["/repo/0123456789", "1,234,567", "$1,000.00"]], width=20)
    assert shown.splitlines()[2] == "/repo/012345  1,234,567  $1,000.00"


def test_a_table_breaks_between_words() -> None:
    """A model's name stays whole, also where a longer text beside it could give more."""
    columns = [Column("Model"), Column("Cost", figures=True), Column("Also")]
    row = ["claude-mythos-5-1", "$10.00", "x2 above a prompt of 200k"]
    lines = render(columns, [row], width=44).splitlines()
    assert max(map(len, lines)) <= 44
    assert [" ".join(line.split()) for line in lines[2:]] == [
        "claude-mythos-5-1 $10.00 x2 above a prompt", "of 200k",
    ]  # fmt: skip


def test_spare_columns_go_before_a_line_gets_too_long() -> None:
    """The one that is needed least first, and none where there is room."""
    columns = [Column("Name"), Column("Held", figures=True, spare=1)]
    columns += [Column("Share", figures=True, spare=2), Column("Cost", figures=True)]
    row = [["daily", "$1,000", "12 %", "$2,000"]]
    heads = [render(columns, row, width=width).split("\n")[0].split() for width in (28, 27, 20)]
    assert heads == [["Name", "Held", "Share", "Cost"], ["Name", "Held", "Cost"], ["Name", "Cost"]]


def test_sentences_break_between_words_and_in_no_command() -> None:
    """Below, they go on a little to the right."""
    lines = wrapped(["  Give it a price: `claude-tier prices --check` does it.", "short"], 30)
    assert lines == [
        "  Give it a price:",
        "    `claude-tier prices --check`",
        "    does it.",
        "short",
    ]


def test_a_table_in_a_pipe_has_no_end_of_line_blanks_and_no_colour() -> None:
    """So that it can be compared and grepped."""
    shown = render([Column("Name"), Column("Note")], [["[red]x", ""], ["y", "z"]], width=80)
    assert shown == "Name    Note\n------------\n[red]x\ny       z"


class Terminal(io.StringIO):
    """A stream that says it is one."""

    def isatty(self) -> bool:
        return True


def test_a_bar_shows_long_work_on_a_terminal_and_goes_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is done in one step shows none."""
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with Bar("Reading") as bar:
        bar(10, 10)
    assert terminal.getvalue() == ""
    with Bar("Reading") as bar:
        bar(3, 10)
        bar(10, 10)
    assert "Reading" in terminal.getvalue()

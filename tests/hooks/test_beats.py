"""What heartbeats had to tell is shown once, at the start of a session."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from claude_tier_hooks import beats

from .process import run, sample


@pytest.fixture
def folder(home: Path) -> Path:
    """Where alerts are kept."""
    found = home / ".claude/claude-tier/heartbeat/alerts"
    found.mkdir(parents=True)
    return found


def keep(folder: Path, name: str, text: str, beat: str | None = "disk") -> None:
    (folder / f"{name}.json").write_text(json.dumps({"beat": beat, "text": text}))


def test_an_alert_is_shown_at_the_next_start_and_then_no_more(folder: Path, home: Path) -> None:
    """To the user, not to Claude."""
    keep(folder, "1", "it is full")

    first = run("SessionStart", sample("SessionStart", home))
    second = run("SessionStart", sample("SessionStart", home, session_id="another"))

    assert "claude-tier: heartbeat disk: it is full; `claude-tier" in first.message
    assert "full" not in str(first.output)
    assert second.message == ""


def test_of_several_the_newest_is_shown(folder: Path) -> None:
    """With how many there are besides."""
    for number in range(3):
        keep(folder, str(number), f"number {number}")
    assert beats.line().startswith("heartbeat disk: number 2 (and 2 more);")
    keep(folder, "3", "number 3")
    assert beats.line().startswith("heartbeat disk: number 3;")


def test_what_a_model_wrote_is_one_short_line(folder: Path) -> None:
    """Nothing in it moves a cursor or makes the line long."""
    keep(folder, "1", "a\x1b[2Jb\nc" + "x" * 10_000)
    shown = beats.line()
    assert shown.isprintable()
    assert len(shown) < 300


@pytest.mark.parametrize("content", ["", "[]", "{", '{"text": 7}'])
def test_what_is_no_alert_keeps_no_session_from_starting(folder: Path, content: str) -> None:
    """It is passed over."""
    (folder / "1.json").write_text(content)
    assert "\n" not in beats.line()
    assert beats.line() == ""


def test_a_clock_that_was_wrong_once_hides_no_later_alert(folder: Path) -> None:
    """What was shown of a time to come does not stand before what is told now."""
    keep(folder, "9", "of next year")
    assert "of next year" in beats.line()
    keep(folder, "5", "of today")
    assert "of today" in beats.line()
    assert beats.line() == ""


def test_an_alert_of_no_beat_names_none(folder: Path) -> None:
    """Of a file with a mistake, of the budget of all beats."""
    keep(folder, "1", "heartbeat.budget is used up", beat=None)

    assert beats.line().startswith("heartbeat: heartbeat.budget is used up;")


def test_where_the_user_removed_all_alerts_none_are_counted(folder: Path) -> None:
    """Those that had made room for them are no longer to be told, and no line would tell them."""
    keep(folder, "1", "it is full")
    Path(beats.passed_file()).write_text("..")
    assert beats.count() == 3
    (folder / "1.json").unlink()
    assert (beats.count(), beats.line()) == (0, "")

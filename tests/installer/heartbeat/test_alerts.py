"""What is told, how often, and what is kept of it."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from claude_tier.heartbeat import alerts, processes
from claude_tier.heartbeat.alerts import DIGEST, HOURLY, KEPT, MOST, Alert
from claude_tier_hooks import beats

NOON = 1_795_262_400.0
HOUR = 3600


def alert(text: str = "it is full", *, after: float = 0, beat: str | None = "disk") -> Alert:
    return Alert(NOON + after, "answer", beat, "/p/HEARTBEAT.md", text)


def files(home: Path) -> list[Path]:
    return sorted((home / ".claude/claude-tier/heartbeat/alerts").iterdir())


def test_an_alert_is_kept_for_its_user_alone(home: Path) -> None:
    """One file, which nobody else may read."""
    assert alerts.raise_(alert()) == alert()
    (file,) = files(home)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert alerts.listed() == [alert()]


def test_the_same_within_a_day_is_told_once_and_counted() -> None:
    """Told again after a day, it comes with how often it was said since."""
    assert alerts.raise_(alert())
    for hours in range(1, 24):
        assert alerts.raise_(alert(" it  is\nfull", after=hours * HOUR)) is None
    again = alerts.raise_(alert(after=DIGEST))
    assert again
    assert again.times == 24
    assert alerts.raise_(alert(after=DIGEST + HOUR)) is None


def test_other_words_or_another_beat_are_another_alert() -> None:
    """Each is told."""
    assert alerts.raise_(alert())
    assert alerts.raise_(alert("it is fuller", after=1))
    assert alerts.raise_(alert(beat="other", after=2))


def test_what_has_other_words_every_minute_is_told_a_few_times_an_hour() -> None:
    """Each time with how many were held back; the others are kept all the same."""
    told = [alerts.raise_(alert(f"{minute} is full", after=minute * 60)) for minute in range(70)]
    assert [one.text.split()[0] for one in told if one] == [
        *map(str, range(HOURLY)),
        *map(str, range(60, 60 + HOURLY)),
    ]
    assert [one.more for one in told if one] == [*[0] * HOURLY, 60 - HOURLY, *[0] * (HOURLY - 1)]
    assert len(alerts.listed()) == 70
    assert sum(one.held for one in alerts.listed()) == 70 - 2 * HOURLY


def test_what_is_held_back_of_one_beat_holds_nothing_else_back() -> None:
    """Neither another beat's, nor of the same that it was switched off."""
    for number in range(HOURLY):
        assert alerts.raise_(alert(f"number {number}", after=number))
    assert alerts.raise_(alert("more", after=60)) is None
    assert alerts.raise_(alert("more", after=61, beat="other"))
    assert alerts.raise_(replace(alert("it is off now", after=62), kind="disabled"))


def test_what_was_held_back_and_goes_on_is_told_once_there_is_room() -> None:
    """With how often it was said until then; it is no other that was held back."""
    for number in range(HOURLY):
        assert alerts.raise_(alert(f"number {number}", after=number))
    told = [alerts.raise_(alert("it is down", after=minute * 60)) for minute in range(1, 240)]
    assert [(one.at - NOON, one.times, one.more) for one in told if one] == [(HOUR, 60, 0)]


def test_of_one_beat_the_newest_are_kept_and_all_are_counted(home: Path) -> None:
    """A week of a beat that alerts every minute costs as much as a day; others are left alone."""
    alerts.raise_(alert("another", beat="other"))
    for number in range(MOST + 50):
        alerts.raise_(alert(f"number {number}", after=number * 60))
    assert [one.text for one in alerts.listed() if one.beat == "disk"] == [
        f"number {number}" for number in range(50, MOST + 50)
    ]
    assert beats.count() == MOST + 51
    assert f"number {MOST + 49} (and {MOST + 50} more);" in beats.line()
    assert beats.count() == 0


def test_what_was_shown_before_it_made_room_is_not_counted_again(home: Path) -> None:
    """Only what came since is new."""
    for number in range(MOST):
        alerts.raise_(alert(f"number {number}", after=number))
    assert beats.line()
    for number in range(MOST, MOST + 10):
        alerts.raise_(alert(f"number {number}", after=number))
    assert beats.count() == 10
    assert "(and 9 more)" in beats.line()


def test_an_alert_is_gone_after_a_month(home: Path) -> None:
    """With the next one that is kept."""
    alerts.raise_(alert("old"))
    alerts.raise_(alert("new", after=KEPT + 1))
    assert [one.text for one in alerts.listed()] == ["new"]


def test_what_is_no_alert_is_passed_over(home: Path) -> None:
    """Also one of another version."""
    alerts.raise_(alert())
    (files(home)[0].parent / "0.json").write_text('{"at": 1, "other": 2}')
    (files(home)[0].parent / "1.json").write_text("{")
    assert alerts.listed() == [alert()]


def test_the_users_command_gets_it_as_json(tmp_path: Path) -> None:
    """On stdin, where no shell reads it."""
    file = tmp_path / "got"
    alerts.send(alert("$(touch no) `touch no`"), f"cat > {file}")
    assert json.loads(file.read_text()) == alert("$(touch no) `touch no`").fields()
    assert not (tmp_path / "no").exists()


def test_a_command_that_fails_is_in_the_log(home: Path) -> None:
    """And nothing else comes of it."""
    alerts.send(alert(), "exit 3")
    log = home / ".claude/claude-tier/hooks.log"
    assert "on_alert RuntimeError: it ended with exit code 3" in log.read_text()


def test_half_a_character_is_kept_as_none(home: Path) -> None:
    """A model's JSON can name one, and no file keeps it."""
    told = alerts.raise_(alert("it is \ud83d full"))
    assert told
    assert alerts.listed() == [told]
    assert told.text == "it is \ufffd full"


def test_an_alert_of_a_time_to_come_holds_nothing_back() -> None:
    """The clock was wrong when it was written."""
    assert alerts.raise_(alert(after=400 * DIGEST))
    assert alerts.raise_(alert())


def test_the_users_command_may_leave_something_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mail that is still under way is no part of the run, which ends with all it started."""
    monkeypatch.setenv(processes.MARK, "r")
    file = tmp_path / "got"
    alerts.send(alert(), f"echo ${{{processes.MARK}-none}} > {file}")
    assert file.read_text() == "none\n"

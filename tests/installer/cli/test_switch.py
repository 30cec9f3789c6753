"""`off` and `on`: the user's way out, and not Claude's."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from claude_tier import cli, switch
from claude_tier_hooks import state


@pytest.fixture
def now() -> float:
    return time.mktime((2026, 11, 21, 12, 0, 0, 0, 0, -1))


@pytest.mark.parametrize("command", ["off", "on"])
def test_a_session_cannot_switch_itself(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    """Claude has a shell; it is told to ask the user, and nothing changes."""
    monkeypatch.setenv("CLAUDECODE", "1")
    assert cli.main([command]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "does not run inside a Claude Code session" in printed.err
    assert f"`claude-tier {command}` in a terminal of their own" in printed.err
    assert not (home / ".claude").exists()


def test_off_holds_until_its_time_has_come(now: float) -> None:
    """The hooks read the same switch."""
    assert switch.turn_off(now, 7200) == switch.Switched(off=True, until=now + 7200, changed=True)
    assert state.off_until(now + 7199) == now + 7200
    assert state.off_until(now + 7200) is None


def test_off_without_a_length_has_no_end(now: float) -> None:
    """Until somebody turns it on."""
    switch.turn_off(now, None)
    assert state.off_until(now + 1e9) == float("inf")


def test_on_takes_the_switch_away(now: float, home: Path) -> None:
    """Nothing is left of it."""
    switch.turn_off(now, None)
    assert switch.turn_on(now).changed
    assert state.off_until(now) is None
    assert not (home / ".claude" / "claude-tier" / "off").exists()


def test_on_after_the_time_has_come_changes_nothing(now: float) -> None:
    """It was on already."""
    switch.turn_off(now, 60)
    assert not switch.turn_on(now + 61).changed
    assert not switch.turn_on(now).changed


def test_off_says_until_when_and_how_to_end_it(
    now: float, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the user's own time."""
    monkeypatch.setattr("time.time", lambda: now)
    assert cli.main(["off", "--for", "1h30m"]) == 0
    assert capsys.readouterr().out == (
        "Off until 2026-11-21 13:30:00. Turn on again with `claude-tier on`.\n"
    )
    assert cli.main(["off"]) == 0
    assert capsys.readouterr().out == (
        "Off until you turn it on. Turn on again with `claude-tier on`.\n"
    )


def test_on_says_when_nothing_was_off(capsys: pytest.CaptureFixture[str]) -> None:
    """A result there is none, so it is a message."""
    assert cli.main(["on"]) == 0
    assert capsys.readouterr() == ("", "It was on already.\n")
    cli.main(["off"])
    capsys.readouterr()
    assert cli.main(["on"]) == 0
    assert capsys.readouterr().out == "On: new subagents follow the configuration again.\n"

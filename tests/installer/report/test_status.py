"""`status`: the state of things on one screen."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from books import HAIKU, HOUR, NOON, OPUS, answer, budget, charge, cool, decide, policy
from claude_tier import cli
from claude_tier.report import ledger_file, status, status_screen
from claude_tier.routing import by_hand
from claude_tier_hooks import backup, state
from claude_tier_hooks import policy as rules
from syrupy.assertion import SnapshotAssertion


def screen(width: int = 80) -> str:
    loaded = rules.load()
    with ledger_file.up_to_date(loaded) as db:
        found = status.query(db, loaded, "/repo/app", NOON)
    # How large an empty ledger is depends on SQLite's own version.
    found = replace(found, ledger=replace(found.ledger, bytes=115_400))
    return status_screen.as_text(found, now=NOON, width=width)


def installed(home: Path, command: str = "python3 /x/claude-tier/hooks/stop.py") -> Path:
    """Settings with a hook of ours."""
    file = home / ".claude" / "settings.json"
    file.parent.mkdir(exist_ok=True)
    hook = {"type": "command", "command": command}
    file.write_text(json.dumps({"hooks": {"Stop": [{"hooks": [hook]}]}}))
    return file


def running(home: Path, pid: int, folder: str, doing: str) -> None:
    """A session as the client registers it, with a process that is alive: this very test's."""
    file = home / ".claude" / "sessions" / f"{pid}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    row = {
        "pid": os.getpid(),
        "sessionId": f"{pid}2222-bbbb",
        "cwd": folder,
        "startedAt": int((NOON - 25 * 60) * 1000),
        "status": doing,
    }
    file.write_text(json.dumps(row))


def test_a_fresh_install_shows_that_nothing_happened_yet(
    home: Path, snapshot: SnapshotAssertion
) -> None:
    """No budget figure, no decision, no price missing: and no fault."""
    installed(home)
    assert screen() == snapshot


def test_a_working_day_on_one_screen(home: Path, snapshot: SnapshotAssertion) -> None:
    """In eighty columns: budgets, spending, sessions, decisions, what is wrong."""
    plan = budget("plan-week", period="seven_day", unit="plan_percent", limit=100.0)
    policy(
        home,
        assign={"Explore": {"tier": "haiku", "effort": None}},
        budgets=[budget(limit=2.0), plan],
        floor={"reviewer": "sonnet"},
        exempt=["security-reviewer"],
    )
    answer(home, OPUS, at=NOON - HOUR, output_tokens=90_000)
    answer(home, HAIKU, at=NOON - HOUR, agent="Explore")
    answer(home, "mystery-1", at=NOON - HOUR)
    charge(home, OPUS, 2.3, inputTokens=50_000, outputTokens=95_000)
    decide("t1", at=NOON - HOUR)
    denied = {"action": "denied", "set_tier": None, "reason": "budget daily is at 110 %"}
    decide("t2", at=NOON - 60, agent="Plan", **denied)
    running(home, 1, str(home / "src" / "app"), "busy")
    running(home, 2, "/repo/app", "idle")
    installed(home)
    backup.write(NOON)
    Path(state.path("live")).write_text(str(int(NOON - 300)))
    assert screen() == snapshot


@pytest.mark.parametrize("width", [60, 80])
def test_what_the_router_does_not_ask_and_how_that_ends(
    home: Path, width: int, snapshot: SnapshotAssertion
) -> None:
    """Emergency mode first; a cooldown that is over is nothing to know."""
    by_hand.turn_on(NOON, 7200)
    cool("openrouter", "x/y:free", cause="billing")
    cool("lan", until=NOON)
    (section,) = [part for part in screen(width).split("\n\n") if "Emergency" in part]
    assert section == snapshot


def test_a_router_that_is_configured_to_stay_here_says_so(home: Path) -> None:
    """With what to change, and no end."""
    policy(home, router={"local_only": True, "paid": []})
    (section,) = [part for part in screen(200).split("\n\n") if "Emergency" in part]
    assert section == (
        "Emergency mode, router.local_only is set: only models on this machine are asked;"
        " setting router: {local_only: false} in config.yaml ends it."
    )


def test_all_that_is_paid_cooling_is_an_emergency_too(home: Path) -> None:
    """Until the first of it may be asked."""
    policy(home, router={"local_only": False, "paid": [["openrouter", "x/y:free"]]})
    cool("openrouter")
    first, second = next(
        part for part in screen(200).split("\n\n") if "Emergency" in part
    ).splitlines()
    assert first == (
        "Emergency mode, every paid target is cooling (openrouter), until 14:00:"
        " only models on this machine are asked; `claude-tier cooldown clear` ends it."
    )
    assert second.startswith("openrouter is not asked until 14:00")


def test_an_install_without_a_session_says_to_start_one(home: Path) -> None:
    """It is installed: nothing is wrong yet."""
    installed(home)
    assert "On; preset balanced. No hook has run yet: start a Claude Code" in screen()


def test_without_hooks_that_is_the_first_line(home: Path) -> None:
    """After `uninstall` the state folder, and what ran once, say nothing of now."""
    policy(home)
    Path(state.path("live")).write_text(str(int(NOON - 300)))
    file = installed(home, "other-tool claude-tier")
    first, second = screen().splitlines()[:2]
    assert first == "No hooks of claude-tier are installed here: `claude-tier install`."
    assert second == "Nothing is decided; preset balanced. A session started 5 min ago."
    file.write_text('{"enabledPlugins": {"model-tier@here": true}}')
    assert screen().startswith("On; preset balanced.")
    file.write_text('{"enabledPlugins": {"model-tier@here": false}}')
    assert screen().startswith("No hooks of claude-tier")


def test_files_that_are_not_there_are_not_named(home: Path) -> None:
    """hooks.log comes with the first failure."""
    assert "Files: ~/.claude/claude-tier (ledger.db)" in screen()
    Path(state.path("hooks.log")).write_text("x\n")
    assert "Files: ~/.claude/claude-tier (ledger.db, hooks.log)" in screen()


def test_sixty_columns_break_no_figure_and_no_word(home: Path, snapshot: SnapshotAssertion) -> None:
    """What is least needed goes; sentences break between words, commands do not."""
    installed(home)
    weekly = budget("weekly-of-all", period="week", limit=20.0)
    policy(home, budgets=[budget(limit=2.0), weekly])
    answer(home, OPUS, at=NOON - HOUR / 2, output_tokens=90_000)
    answer(home, "mystery-1", at=NOON - HOUR)
    decide("t1", at=NOON - HOUR)
    text = screen(60)
    assert max(map(len, text.splitlines())) <= 60
    assert text == snapshot


def test_a_place_without_a_line_has_none(home: Path) -> None:
    """A file that cannot be read is wrong as a whole."""
    policy(home)
    path = str(home / ".claude" / "claude-tier" / "config.yaml")
    note = {"path": path, "line": 0, "message": "cannot be read: Permission denied"}
    Path(rules.failure_file(None)).write_text(json.dumps(note))
    assert "~/.claude/claude-tier/config.yaml: cannot be read: Permission denied" in screen()
    note["faults"] = [f"{path}:1:2: a: unknown key", f"{path}:3:4: b: unknown key"]
    Path(rules.failure_file(None)).write_text(json.dumps(note))
    assert "config.yaml:1:2: a: unknown key\n~/.claude/claude-tier/config.yaml:3:4: b:" in screen()


def test_a_mistake_in_a_projects_file_says_that_none_of_it_applies(home: Path) -> None:
    """What was compiled of it before is gone."""
    policy(home)
    file = Path("/repo/app", rules.PROJECT_FILE)
    note = {"path": str(file), "line": 1, "message": "x: unknown key"}
    noted = Path(rules.failure_file("/repo/app"))
    noted.parent.mkdir(exist_ok=True)
    noted.write_text(json.dumps(note))
    assert (
        f"{file}, line 1: x: unknown key\n"
        "  Nothing of that file applies; your own configuration does." in screen()
    )


def test_a_mistake_in_the_configuration_is_named_with_its_line(home: Path) -> None:
    """And that the policy before it stays in force."""
    policy(home)
    note = {
        "path": str(home / ".claude" / "claude-tier" / "config.yaml"),
        "line": 7,
        "message": "budgets[0].cap: must be above recover",
    }
    Path(rules.failure_file(None)).write_text(json.dumps(note))
    assert (
        "~/.claude/claude-tier/config.yaml, line 7: budgets[0].cap: must be above recover\n"
        "  Nothing of that file took effect; the policy before it stays in force." in screen()
    )


def test_a_changed_configuration_is_said_to_be_taken_up_later(home: Path) -> None:
    """The hooks compile it at the next prompt."""
    config = home / ".claude" / "claude-tier" / "config.yaml"
    source = {"path": str(config), "size": -1, "mtime_ns": 0, "crc32": 0}
    policy(home, sources=[source])
    assert "The configuration has changed" not in screen()
    config.write_text("preset: budget\n")
    assert "The configuration has changed; the next prompt of any session" in screen()


@pytest.mark.parametrize(
    ("until", "words"),
    [(None, "OFF, only counting;"), (NOON + HOUR, "OFF, only counting until Sat Nov 21 13:00;")],
)
def test_off_is_in_the_first_line(home: Path, until: float | None, words: str) -> None:
    """With its end, where it has one."""
    installed(home)
    state.write_private(state.path("off"), json.dumps({"until": until}))
    assert words in screen().splitlines()[0]


def test_a_damaged_ledger_that_waits_is_said_first(home: Path) -> None:
    """With the command that salvages it."""
    policy(home)
    Path(state.path("ledger.db.damaged-1")).write_bytes(b"x")
    assert "~/.claude/claude-tier/ledger.db.damaged-1" in screen(120).split("\n\n")[0]
    assert "run `claude-tier ledger rebuild`" in screen(120).split("\n\n")[0]


def test_a_session_whose_process_ended_is_not_running(home: Path) -> None:
    """The client does not always tidy up after itself."""
    running(home, 1, "/repo/app", "busy")
    file = home / ".claude" / "sessions" / "1.json"
    file.write_text(file.read_text().replace(str(os.getpid()), "99999999"))
    (file.parent / "2.json").write_text("{")
    assert "Running: 0 sessions." in screen()


def test_json_holds_everything_the_screen_shows(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Parsed strictly: no infinity, whatever the switch says."""
    policy(home, budgets=[budget()])
    state.write_private(state.path("off"), json.dumps({"until": None}))
    answer(home)
    decide("t1")
    assert cli.main(["status", "--json"]) == 0

    def refuse(word: str) -> Any:
        raise AssertionError(word)

    found: Any = json.loads(capsys.readouterr().out, parse_constant=refuse)
    assert (found["version"], found["on"], found["off_until"]) == (1, False, None)
    assert [one["name"] for one in found["budgets"]] == ["daily"]
    assert found["tiers"][3]["model"] == HAIKU
    assert found["decisions"][0]["tool_use_id"] == "t1"
    assert found["ledger"]["responses"] == 1
    assert found["folder"] == str(home / ".claude" / "claude-tier")


def test_paths_in_the_home_folder_are_short() -> None:
    """And no others."""
    assert status_screen.home(str(Path.home() / "src" / "app")) == "~/src/app"
    assert status_screen.home(str(Path.home()) + "-old/app") == str(Path.home()) + "-old/app"

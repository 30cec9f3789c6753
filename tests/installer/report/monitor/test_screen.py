"""The monitor's screen: what stands where, at every size of a terminal."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest
from books import HAIKU, HOUR, NOON, OPUS, SONNET, answer, budget, cool, decide, policy
from claude_tier.report import ledger_file
from claude_tier.report.monitor import screen, sections, shapes, snapshot
from claude_tier.report.monitor.screen import Size
from claude_tier.report.monitor.snapshot import Snapshot
from claude_tier.routing import by_hand
from claude_tier_hooks import decisions, ledger, state
from claude_tier_hooks import policy as rules
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console
from syrupy.assertion import SnapshotAssertion

HOSTILE = "[bold]evil[/bold] \x1b[31m\u202etxt\n2"


def looked() -> Snapshot:
    """What the ledger holds at noon; its file's size depends on SQLite's own version."""
    loaded = rules.load()
    with ledger_file.up_to_date(loaded) as db:
        found = snapshot.query(db, loaded, "/repo/app", NOON)
    return replace(found, health=replace(found.health, bytes=115_400))


def running(home: Path, session: str, folder: str, doing: str) -> None:
    """A session as the client registers it, with a process that is alive: this very test's."""
    file = home / ".claude/sessions" / f"{session}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    started = int((NOON - 25 * 60) * 1000)
    row = {"pid": os.getpid(), "sessionId": session, "cwd": folder, "startedAt": started}
    file.write_text(json.dumps({**row, "status": doing}))


@pytest.fixture
def working_day(home: Path) -> Snapshot:
    """Budgets at two levels and one nobody knows, two sessions, subagents, and proofs."""
    policy(
        home,
        budgets=[
            budget(limit=1.5),
            budget("this-month-over-all-projects", period="month", limit=150.0),
            budget("tokens", period="week", unit="tokens", limit=1e6, scope={"kind": "project"}),
            budget("plan-week", period="seven_day", unit="plan_percent", limit=100.0),
        ],
    )
    for hours, output in ((20, 30_000), (6, 5_000), (3, 12_000), (1, 60_000)):
        answer(home, OPUS, at=NOON - hours * HOUR, output_tokens=output)
    answer(home, HAIKU, at=NOON - 90, agent="Explore", output_tokens=3_000)
    answer(home, SONNET, at=NOON - 400, session="22222222-bbbb", agent="general-purpose")
    answer(home, "mystery-1", at=NOON - 2 * HOUR)
    decide("toolu_Explore", at=NOON - 120)
    decide("t2", at=NOON - 500, agent="reviewer", action="left", set_tier=None, reason=None)
    denied = {"action": "denied", "set_tier": None, "reason": "budget daily is at 110 %"}
    decide("t3", at=NOON - 600, agent="Plan", **denied)
    decide("t4", at=NOON - 700, agent="test-runner", set_tier="haiku")
    with ledger_file.up_to_date(rules.load()) as db, ledger.Writing(db):
        session = ledger.known_id(db, "11111111-aaaa")
        decisions.prove(db, session, "t2", OPUS, ["opus", "sonnet", "haiku"])
        decisions.prove(db, session, "t4", OPUS, ["opus", "sonnet", "haiku"])
    running(home, "11111111-aaaa", str(home / "src/app"), "busy")
    running(home, "22222222-bbbb", "/repo/app", "idle")
    Path(state.path("live")).write_text(str(int(NOON - 300)))
    return looked()


def drawn(found: Snapshot, width: int, height: int = 24, *, plain: bool = False) -> str:
    return screen.render(found, now=NOON, size=Size(width, height, plain)).plain


@pytest.mark.parametrize(("width", "height"), [(60, 24), (80, 24), (140, 36)])
def test_a_working_day(
    working_day: Snapshot, width: int, height: int, snapshot: SnapshotAssertion
) -> None:
    """Narrow, ordinary, and wide enough for two columns."""
    assert drawn(working_day, width, height) == snapshot


def test_a_fresh_install(home: Path, snapshot: SnapshotAssertion) -> None:
    """Nothing happened yet, and nothing is wrong."""
    policy(home)
    assert drawn(looked(), 80) == snapshot


@pytest.mark.parametrize("width", [60, 80, 140])
def test_what_the_router_does_not_ask_is_said_on_top(
    home: Path, width: int, snapshot: SnapshotAssertion
) -> None:
    """Emergency mode with its way out, and one line for everything that is cooling."""
    policy(home)
    by_hand.turn_on(NOON, 7200)
    cool("openrouter", "x/y:free")
    one = drawn(looked(), width).split("\n")[1:4]
    cool("lan", cause="connect", until=None)
    cool("openai", cause="key")
    several = drawn(looked(), width).split("\n")[1:4]
    assert "\n".join([*one, *several]) == snapshot


def test_an_edit_that_ends_emergency_mode_does_not_look_like_a_command(home: Path) -> None:
    """Nobody pastes a line of YAML into a shell."""
    policy(home, router={"local_only": True, "paid": []})
    way_out = "Setting router: {local_only: false} in config.yaml has the others asked again."
    assert f"! {way_out}\n" in drawn(looked(), 120)


def test_a_cooldown_that_is_over_is_nothing_to_know(home: Path) -> None:
    """The next request tries it."""
    policy(home)
    cool("attic", until=NOON)
    found = looked()
    assert found.router.cooldowns
    assert "attic" not in drawn(found, 80)


def test_a_terminal_that_knows_ascii_only_gets_ascii(working_day: Snapshot) -> None:
    """Bars, the chart and the mark of what was cut as well."""
    assert drawn(working_day, 80, plain=True).isascii()
    assert "~" in drawn(working_day, 48, plain=True)
    assert drawn(working_day, 48, plain=True).isascii()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(width=st.integers(1, 200), height=st.integers(1, 70))
def test_it_fits_every_size(working_day: Snapshot, width: int, height: int) -> None:
    """No line is longer than the terminal, and there are not more of them."""
    lines = drawn(working_day, width, height).split("\n")
    assert len(lines) <= height
    assert max(map(cell_len, lines)) <= width


def test_every_section_has_its_place_on_80_by_24(working_day: Snapshot) -> None:
    """Also with what is wrong on top."""
    found = replace(working_day, notice="The ledger is busy.", budgets=working_day.budgets * 3)
    text = drawn(found, 80)
    for title in ("Budgets", "Spent per hour", "Sessions", "Subagents", "Decisions", "Ledger"):
        assert f"\n{title}" in text
    assert " more\n" in text


def test_names_of_others_are_shown_as_text(working_day: Snapshot) -> None:
    """No markup, no escape sequence, no line break, no turn of the reading direction."""
    first = replace(working_day.decisions[0], agent=HOSTILE)
    run = replace(working_day.runs[0], agent=HOSTILE, model=HOSTILE)
    worker = working_day.sessions[0]
    worker = replace(worker, model=HOSTILE, session=replace(worker.session, folder=HOSTILE))
    mistakes = replace(working_day.health, mistakes=(HOSTILE,))
    standing = replace(working_day.budgets[0], name=HOSTILE)
    found = replace(
        working_day,
        decisions=(first,),
        runs=(run,),
        sessions=(worker,),
        health=mistakes,
        budgets=(standing,),
    )
    text = drawn(found, 200, 40)
    assert "[bold]evil[/bold]  [31m txt 2" in text
    assert {c for c in text if not c.isprintable()} == {"\n"}


def test_a_notice_says_of_when_the_figures_are(working_day: Snapshot) -> None:
    """In the second line, before anything else that is wrong."""
    found = replace(working_day, at=NOON - 65, notice="The ledger is busy.")
    assert drawn(found, 80).split("\n")[1] == "! The ledger is busy. Shown: 11:58:55."


@pytest.mark.parametrize(
    ("until", "words"),
    [(float("inf"), "OFF, only counting "), (NOON + HOUR, "OFF, only counting until 13:00")],
)
def test_off_is_in_the_first_line(working_day: Snapshot, until: float, words: str) -> None:
    """With its end, where it has one."""
    assert words in drawn(replace(working_day, off_until=until), 80).split("\n")[0]


def test_levels_are_words_and_colours_can_be_turned_off(
    working_day: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NO_COLOR leaves the same words."""
    monkeypatch.setenv("NO_COLOR", "1")
    console = Console(force_terminal=True, color_system="truecolor", width=80)
    with console.capture() as kept:
        console.print(screen.render(working_day, now=NOON, size=Size(80, 24)))
    shown = kept.get()
    assert "38;" not in shown
    assert "stop" in shown
    assert "unknown" in shown


def test_what_is_hidden_is_counted_but_not_for_decisions(working_day: Snapshot) -> None:
    """There are always more decisions."""
    found = replace(working_day, runs=working_day.runs * 30, decisions=working_day.decisions * 10)
    text = drawn(found, 80, 26)
    shown = text.count(" ago  ")
    assert shown > 1
    assert f"and {60 - shown} more" in text
    assert text.count(" more") == 1


def test_the_next_level_ahead_stands_beside_its_budget(home: Path) -> None:
    """Where there is room: before a name is cut, the hour is left out."""
    policy(home, budgets=[budget(limit=10.0)])
    answer(home, OPUS, at=NOON - 5 * HOUR, output_tokens=300_000)
    answer(home, OPUS, at=NOON - HOUR / 2, output_tokens=50_000)
    found = looked()
    hit = found.paces[0].hits[0]
    assert (hit.level, hit.state) == ("warn", "expected")
    assert hit.at is not None
    assert 0 < hit.at - NOON < 2 * HOUR
    when = time.strftime("%H:%M", time.localtime(hit.at))
    assert f"of $10.00  warn at {when}\n" in drawn(found, 80)
    assert "warn at" not in drawn(found, 46)


def test_a_plan_window_without_a_budget_has_a_bar_too(home: Path) -> None:
    """For those who pay by the month."""
    policy(home, budgets=[budget()])
    db = ledger.connect(patience=10)
    with ledger.Writing(db):
        row = ("seven_day", 46.0, NOON + 90_000, NOON - 60)
        db.execute("INSERT INTO plan_window (name, used, resets_at, at) VALUES (?, ?, ?, ?)", row)
    db.close()
    assert "   46 %  of the plan" in drawn(looked(), 80)


@pytest.mark.parametrize(
    ("share", "shown"),
    [(None, "----"), (0.0, "----"), (0.01, "#---"), (0.5, "##--"), (0.99, "###-"), (1.7, "####")],
)
def test_a_bar_is_full_only_when_the_limit_is_reached(share: float | None, shown: str) -> None:
    """And never empty when something is used."""
    assert shapes.bar(share, 4, plain=True) == shown


def test_the_chart_shows_the_greatest_hour_full_and_the_least_at_all() -> None:
    """On one line and on three."""
    values = [0.0, 0.001, 5.0, 10.0]
    assert shapes.chart(values, each=1, rows=1, plain=False) == ["·▁▄█"]
    assert shapes.chart(values, each=2, rows=2, plain=False) == ["      ██", "··▁▁████"]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7200, "2 h"), (2e5, "2 days")],
)
def test_ages_are_short(seconds: float, words: str) -> None:
    """In the unit that says something."""
    assert sections.ago(NOON - seconds, NOON) == words


@given(
    wanted=st.lists(st.integers(0, 40), min_size=1, max_size=6),
    room=st.integers(-3, 90),
)
def test_lines_are_shared_fairly(wanted: list[int], room: int) -> None:
    """Never more than there is room for or than is wanted; nothing is left while one wants more."""
    least = [min(2, lines) for lines in wanted]
    given = screen.shared(least, wanted, room)
    assert all(mine <= most for mine, most in zip(given, wanted, strict=True))
    assert sum(given) == max(0, min(room, sum(wanted)))


def test_where_one_budget_fits_it_is_the_worst_and_the_rest_is_counted(
    working_day: Snapshot,
) -> None:
    """At 60x12, whatever the order in the configuration."""
    turned = replace(working_day, budgets=working_day.budgets[::-1])
    lines = screen.render(turned, now=NOON, size=Size(60, 12)).plain.splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith("Budgets"))
    assert lines[at] == "Budgets  (3 more)"
    assert lines[at + 1].startswith("daily")


def test_the_most_of_24_hours_is_said_to_be_that(home: Path) -> None:
    """Yesterday's hour beside the dollars of a day that has just begun."""
    answer(home, OPUS, at=NOON - 20 * HOUR, output_tokens=30_000)
    text = screen.render(looked(), now=NOON, size=Size(80, 24)).plain
    assert "today $0.00, 0 tokens, in 24 h at most $" in text

"""The pictures of the dashboard: a made-up month in a real Chromium, light, dark and on a phone.

Clock, history and ids are fixed, so that the same code shows the same page.
"""

from __future__ import annotations

import contextlib
import os
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import books
import pictures_history
import serving
from claude_tier_hooks import backup, state
from pictures_history import DAY, NOW, Most, Running, Work

MOST = Most(output=4_800, cache_read=130_000, cache_write=12_000)
BACK = 34  # days of history
PROJECTS = ("shop", "billing-api", "notes", "infra")
LARGEST = 300_000  # bytes of one picture


class Kind(NamedTuple):
    """A type of subagent: its tier and model, why, and what it is asked to do."""

    name: str
    tier: str | None
    model: str
    reason: str | None
    tasks: tuple[str, ...]


KINDS = (
    Kind(
        "Explore", "haiku", books.HAIKU, "assigned to haiku",
        ("Find callers of parse_invoice", "List feature flags in use", "Where are retries set?"),
    ),
    Kind(
        "general-purpose", "sonnet", books.SONNET, "assigned to sonnet",
        ("Port the tests to pytest", "Update the client for API v3", "Split the settings module"),
    ),
    Kind(
        "reviewer", None, books.OPUS, None,
        ("Review the migration", "Review the retry change", "Review error handling"),
    ),
    Kind(
        "test-runner", "haiku", books.HAIKU, "assigned to haiku",
        ("Run the suite, name what fails", "Run the slow tests", "Bisect the flaky test"),
    ),
)  # fmt: skip
RUNNING = (  # session, project, minutes since its start, what it does
    ("3e1f8a20-0000-4000-8000-000000000002", 0, 101, "busy"),
    ("9c02d7b4-0000-4000-8000-000000000003", 1, 34, "busy"),
    ("d41a6f19-0000-4000-8000-000000000004", 2, 12, "idle"),
)


class Picture(NamedTuple):
    """One file: the scheme, the width, and the parts of the page from one to another."""

    name: str
    scheme: str
    width: int
    first: str
    last: str


PICTURES = (
    Picture("dashboard-light", "light", 1280, "header", "#spending"),
    Picture("dashboard-dark", "dark", 1280, "#savings", "#decisions"),
    Picture("dashboard-phone", "light", 390, "header", "#spending-readout"),
)
MARGIN = 16  # pixels around what is shown


def draw(folder: Path) -> None:
    """Write every picture of the page into that folder."""
    with tempfile.TemporaryDirectory() as home, scene(Path(home)) as where:
        history(Path(home))
        with serving.serving(where, clock=lambda: NOW) as page, serving.browsing() as browser:
            for one in PICTURES:
                _take(browser, page, one, folder / f"{one.name}.png")


def _take(browser: Any, served: serving.Dashboard, picture: Picture, file: Path) -> None:
    context = browser.new_context(
        viewport={"width": picture.width, "height": 900},
        color_scheme=picture.scheme,
        reduced_motion="reduce",
        timezone_id="UTC",
        locale="en-US",
    )
    page = context.new_page()
    page.clock.set_fixed_time(NOW)
    page.goto(served.link)
    page.wait_for_selector("html[data-read]")
    box = page.evaluate(
        "([first, last]) => [document.querySelector(first).getBoundingClientRect().top,"
        " document.querySelector(last).getBoundingClientRect().bottom]",
        [picture.first, picture.last],
    )
    top = max(box[0] - MARGIN, 0)
    clip = {"x": 0, "y": top, "width": picture.width, "height": box[1] + MARGIN - top}
    page.screenshot(path=file, full_page=True, clip=clip)
    context.close()
    assert file.stat().st_size < LARGEST, file


@contextlib.contextmanager
def scene(home: Path) -> Iterator[str]:
    """That home in UTC at NOW; gives the folder of the project that is worked on."""
    kept = {name: word for name, word in os.environ.items() if not name.startswith("CLAUDE")}
    own = {**kept, "HOME": str(home), "TZ": "UTC"}
    with mock.patch.dict(os.environ, own, clear=True), mock.patch("time.time", return_value=NOW):
        time.tzset()
        for name in PROJECTS:
            (home / "src" / name / ".git").mkdir(parents=True)
        yield str(home / "src" / PROJECTS[0])
    time.tzset()


def history(home: Path) -> None:
    """Five weeks of work, with a fuller day today and three sessions that run."""
    _rules(home)
    chance = random.Random(7)
    for back in range(BACK, 0, -1):
        _day(home, NOW - back * DAY, chance, work=0.6 + 0.5 * (BACK - back) / BACK)
    for number, project in enumerate((0, 1, 3)):
        _session(home, _id(chance), project, NOW - (7 - 1.6 * number) * books.HOUR, chance)
    for session, project, minutes, _ in RUNNING:
        _session(home, session, project, NOW - minutes * 60, chance)
    _held_back()
    pictures_history.plan_windows(
        [("five_hour", 38.0, NOW + 1.9 * books.HOUR), ("seven_day", 61.0, NOW + 2.4 * DAY)]
    )
    pictures_history.at_work(home, [_running(home, *one) for one in RUNNING])
    backup.write(NOW - 3 * books.HOUR)
    Path(state.path("live")).write_text(str(NOW - 12 * 60))
    Path(state.path("manifest.json")).write_text("{}")


def _running(home: Path, session: str, project: int, minutes: float, status: str) -> Running:
    return Running(session, str(home / "src" / PROJECTS[project]), minutes, status)


def _rules(home: Path) -> None:
    assign = {one.name: {"tier": one.tier, "effort": None} for one in KINDS if one.tier}
    five_hours = {"period": "five_hour", "unit": "plan_percent", "limit": 100.0}
    plan = {"period": "seven_day", "unit": "plan_percent", "limit": 100.0}
    books.policy(
        home,
        assign=assign,
        budgets=[
            books.budget("daily", limit=12.0),
            books.budget("month", period="month", limit=220.0),
            books.budget(
                "shop", scope={"kind": "project", "name": None}, period="week", limit=24.0
            ),
            books.budget("plan-5h", **five_hours),
            books.budget("plan-week", **plan),
        ],
        floor={"reviewer": "sonnet"},
        exempt=["security-reviewer"],
    )


def _id(chance: random.Random) -> str:
    return f"{chance.getrandbits(32):08x}-0000-4000-8000-{chance.getrandbits(48):012x}"


def _day(home: Path, end: float, chance: random.Random, *, work: float) -> None:
    """The sessions of a day that is over; a quiet weekend."""
    weekend = time.gmtime(end).tm_wday >= 5
    for number in range(chance.randint(0, 1) if weekend else round(chance.randint(2, 5) * work)):
        began = end - (7 - 1.7 * number) * books.HOUR
        project = chance.choice((0, 0, 0, 1, 1, 2, 3))
        _session(home, _id(chance), project, began, chance)


def _session(home: Path, session: str, project: int, began: float, chance: random.Random) -> None:
    """Turns of the conversation and a few subagents, as far as that is over by now."""
    work = Work(home, session, str(home / "src" / PROJECTS[project]), chance, MOST)
    main = books.OPUS if chance.random() < 0.85 else books.SONNET
    for turn in range(chance.randint(5, 14)):
        at = began + turn * 420 + chance.randint(0, 200)
        if at < NOW - 20:
            work.answer(main, at)
    for number, kind in enumerate(chance.sample(KINDS, chance.randint(2, 4))):
        at = began + 240 + number * 1100 + chance.randint(0, 300)
        if at < NOW - 20:
            _subagent(work, kind, at)


def _subagent(work: Work, kind: Kind, at: float) -> None:
    work.subagent(
        kind.name,
        kind.model,
        at,
        description=work.chance.choice(kind.tasks),
        action="assigned" if kind.tier else "left",
        origin="parent" if kind.tier else "asked",
        asked=None if kind.tier else "opus",
        set_tier=kind.tier,
        reason=kind.reason,
    )


def _held_back() -> None:
    """What a budget and the fan-out limit did to two spawns this afternoon."""
    session = RUNNING[1][0]
    books.decide(
        "toolu_lowered", at=NOW - 16 * 60, agent="general-purpose", action="lowered", asked="opus",
        origin="asked", set_tier="sonnet", description="Rewrite the pagination",
        reason="budget daily is at 91 %: sonnet at most", level="cap", used=0.913, budget="daily",
        session=session,
    )  # fmt: skip
    books.decide(
        "toolu_denied", at=NOW - 4 * 60, agent="Plan", action="denied", set_tier=None,
        description="Plan the rollout", reason="20 new subagents within 10 min", session=session,
    )  # fmt: skip

"""The terminal pictures: what the commands print over a made-up fortnight, as SVG.

The clock, the history and the ids in the files are fixed, so that the same code gives the same
files. The fonts are the reader's own: a picture reaches no other host.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import books
import pictures_history
from claude_tier import cli
from claude_tier.report.monitor import loop, screen
from claude_tier.report.monitor.feed import Feed
from claude_tier.report.monitor.snapshot import Snapshot
from claude_tier_hooks import backup, state
from pictures_history import DAY, NOW, Most, Running, Work
from rich.console import Console
from rich.text import Text

MOST = Most(output=4_200, cache_read=110_000, cache_write=9_000)
MORNING = NOW - 6.4 * 3600
WIDTH, HEIGHT = 84, 30
PRINTED = {
    "status": ["status"],
    "report": ["report"],
    "log": ["log", "-n", "4"],
}
SHAPE = """\
<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg" role="img">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: {char_height}px; line-height: {line_height}px; }}
.{unique_id}-title {{ font-size: 16px; font-family: system-ui, "DejaVu Sans", sans-serif; }}
{styles}
</style>
<defs>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""

# Who works on what: the agents of a day, the tier each was put on, what it would have run on.
AGENTS = {
    "Explore": ("haiku", books.HAIKU, "assigned to haiku", "Find the callers of the old parser"),
    "general-purpose": ("sonnet", books.SONNET, "assigned to sonnet", "Move the tests over"),
    "reviewer": (None, books.OPUS, "", "Review the change to the price table"),
    "test-runner": ("haiku", books.HAIKU, "assigned to haiku", "Run the suite, name what fails"),
}
PROJECTS = ("shop", "api", "notes")
RUNNING = (  # session, minutes since its start, what it does
    ("3e1f8a20-0000-4000-8000-000000000002", 101, "idle"),
    ("9c02d7b4-0000-4000-8000-000000000003", 14, "busy"),
)


def draw(folder: Path) -> None:
    """Write every terminal picture into that folder."""
    with tempfile.TemporaryDirectory() as home, _scene(Path(home)):
        _history(Path(home))
        for name, command in PRINTED.items():
            if command[0] in cli.COMMANDS:
                console = _console()
                console.print(Text.from_ansi(_printed(command).rstrip()))
                _save(console, folder / f"{name}.svg", "claude-tier " + " ".join(command))
        console = _console()
        _monitor(console, str(Path(home, "src/shop")))
        _save(console, folder / "monitor.svg", "claude-tier status --watch")


def _console() -> Console:
    return Console(
        record=True,
        width=WIDTH,
        height=HEIGHT,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
    )


def _save(console: Console, file: Path, title: str) -> None:
    svg = console.export_svg(title=title, code_format=SHAPE, unique_id=file.stem)
    file.write_text("\n".join(line.rstrip() for line in svg.splitlines()) + "\n", "utf-8")


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _printed(command: list[str]) -> str:
    with contextlib.redirect_stdout(_Terminal()) as out:
        assert cli.main(command) == 0
    return out.getvalue()


class _Quits:
    """A user who looks once."""

    def wait(self, seconds: float) -> str | None:
        return "q"


def _monitor(console: Console, folder: str) -> None:
    size = screen.Size(WIDTH, HEIGHT)

    def show(found: Snapshot) -> None:
        console.print(screen.render(found, now=NOW, size=size))

    loop.loop(Feed(folder, clock=lambda: NOW), show, _Quits(), every=2.0)


@contextlib.contextmanager
def _scene(home: Path) -> Iterator[None]:
    """That home in UTC at NOW, and a working day's folder to stand in."""
    kept = {name: word for name, word in os.environ.items() if not name.startswith("CLAUDE")}
    own = {**kept, "HOME": str(home), "TZ": "UTC", "COLUMNS": str(WIDTH)}
    before = Path.cwd()
    with mock.patch.dict(os.environ, own, clear=True), mock.patch("time.time", return_value=NOW):
        time.tzset()
        for name in PROJECTS:
            (home / "src" / name / ".git").mkdir(parents=True)
        os.chdir(home / "src/shop")
        try:
            yield
        finally:
            os.chdir(before)
    time.tzset()


def _history(home: Path) -> None:
    books.policy(
        home,
        assign={
            name: {"tier": tier, "effort": None} for name, (tier, *_) in AGENTS.items() if tier
        },
        budgets=[
            books.budget(limit=6.0),
            books.budget("month", period="month", limit=150.0),
            books.budget("plan-week", period="seven_day", unit="plan_percent", limit=100.0),
        ],
        floor={"reviewer": "sonnet"},
    )
    chance = random.Random(18)
    for back in range(13, 0, -1):
        _day(home, NOW - back * DAY, chance)
    for number, session in enumerate(("5b7d11c6-0000-4000-8000", "77c0e9d2-0000-4000-8000")):
        _session(home, session, _folder(home, 1), MORNING + number * 2 * books.HOUR, chance)
    for number, (session, minutes, _) in enumerate(RUNNING):
        _session(home, session, _folder(home, 2 * number), NOW - minutes * 60, chance)
    pictures_history.plan_windows([("seven_day", 46.0, NOW + 3.4 * DAY)])
    pictures_history.at_work(home, _running(home))
    backup.write(NOW - 3 * books.HOUR)
    Path(state.path("live")).write_text(str(NOW - 26 * 60))
    hook = {"type": "command", "command": "python3 claude-tier/hooks/session_start.py"}
    hooks = {"hooks": {"SessionStart": [{"hooks": [hook]}]}}
    (home / ".claude/settings.json").write_text(json.dumps(hooks))


def _day(home: Path, end: float, chance: random.Random) -> None:
    """The sessions of a day that is over; a quiet weekend."""
    weekend = time.gmtime(end).tm_wday >= 5
    for number in range(chance.randint(0, 1) if weekend else 3):
        session = f"{chance.getrandbits(32):08x}-0000-4000-8000-{chance.getrandbits(48):012x}"
        began = end - 6.5 * books.HOUR + number * 2.3 * books.HOUR
        _session(home, session, _folder(home, number), began, chance)


def _running(home: Path) -> list[Running]:
    return [
        Running(session, _folder(home, 2 * number), minutes, status)
        for number, (session, minutes, status) in enumerate(RUNNING)
    ]


def _folder(home: Path, number: int) -> str:
    return str(home / "src" / PROJECTS[number % len(PROJECTS)])


def _session(home: Path, session: str, cwd: str, began: float, chance: random.Random) -> None:
    """Nine turns and a subagent of each type, as far as that is over by now."""
    work = Work(home, session, cwd, chance, MOST)
    for turn in range(9):
        at = began + turn * 700 + chance.randint(0, 300)
        if at < NOW - 20:
            work.answer(books.OPUS, at)
    for number, name in enumerate(AGENTS):
        at = began + 500 + number * 1700 + chance.randint(0, 300)
        if at < NOW - 20:
            _subagent(work, name, at)


def _subagent(work: Work, name: str, at: float) -> None:
    tier, model, reason, description = AGENTS[name]
    work.subagent(
        name,
        model,
        at,
        description=description,
        action="assigned" if tier else "kept",
        asked=None if tier else "opus",
        origin="parent" if tier else "parameter",
        set_tier=tier,
        reason=reason,
    )

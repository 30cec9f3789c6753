"""Days that are longer or shorter where the user lives."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from ..answer import Answer
from ..stage import Stage

# The moments at which clocks change in Berlin and in New York, and the local midnights around.
CLOCK_CHANGES = (
    datetime(2026, 10, 25, 1, tzinfo=timezone.utc),
    datetime(2026, 11, 1, 6, tzinfo=timezone.utc),
    datetime(2026, 3, 29, 1, tzinfo=timezone.utc),
    datetime(2026, 3, 8, 7, tzinfo=timezone.utc),
)


def daylight_saving(stage: Stage) -> None:
    """Answers lie on both sides of each clock change, and of every quarter of an hour near it."""
    for change in CLOCK_CHANGES:
        session = stage.session(at=change - timedelta(hours=30))
        for minutes in (-1620, -180, -75, -60, -15, 0, 15, 45, 60, 1500, 1380):
            moment = change + timedelta(minutes=minutes)
            for before in (1, 0):
                session.main.now = moment - timedelta(milliseconds=40 + before)
                session.answer(Answer("claude-sonnet-5", stage.tokens()))


def local_midnights(stage: Stage) -> None:
    """Answers lie on both sides of midnight in zones east and west, some with odd offsets."""
    for hours in (-8, -5, 0, 1, 2, 5.5, 5.75, 13):
        day = stage.some_time().replace(hour=0, minute=0, second=0)
        session = stage.session(at=day - timedelta(hours=hours, minutes=5))
        for milliseconds in (-1, 0):
            moment = day - timedelta(hours=hours) + timedelta(milliseconds=milliseconds)
            session.main.now = moment - timedelta(milliseconds=40)
            session.answer(Answer("claude-opus-5", stage.tokens()))


SCENES = (daylight_saving, local_midnights)

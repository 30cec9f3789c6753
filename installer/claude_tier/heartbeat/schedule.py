"""When a beat is due: every time of its schedule, in order, in its own time zone.

A day has 23 to 25 hours where clocks are changed. `every` counts elapsed time from midnight, so a
long day has more of them. A cron expression that names minute and hour runs once a day whatever the
clocks do, as in Debian: in the hour that is skipped it runs right after, in the hour that comes
twice it runs in the first. One with a `*` there follows the clock on the wall.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim

from claude_tier.heartbeat.beat import ActiveHours, Beat, Cron, Every

DAY = 86_400
PATIENCE = 3000  # times outside the active hours, one after the other, before a beat is never due
# Clocks are turned back by 3 hours at most (Antarctica/Casey); the same wall time comes again then.
BACK = timedelta(hours=4)


def slots(beat: Beat, after: float, until: float) -> Iterator[float]:
    """The epoch times it is due at, ascending, with after < time <= until."""
    for slot in _inside(beat, after):
        if slot > until:
            return
        yield slot


def next_slot(beat: Beat, after: float) -> float | None:
    """The first of them after that; None when there is none."""
    return next(_inside(beat, after), None)


def _inside(beat: Beat, after: float) -> Iterator[float]:
    """Those within the active hours, without an end unless they never are."""
    zone, outside = ZoneInfo(beat.tz), 0
    for planned in _planned(beat.schedule, zone, after - beat.offset):
        slot = planned + beat.offset
        if beat.active is None or _within(beat.active, slot, zone):
            outside = 0
            yield slot
        elif (outside := outside + 1) > PATIENCE:
            return


def _within(active: ActiveHours, slot: float, zone: ZoneInfo) -> bool:
    wall = datetime.fromtimestamp(slot, zone)
    minute = wall.hour * 60 + wall.minute
    if active.start < active.end:
        return active.start <= minute < active.end
    return minute >= active.start or minute < active.end


def _planned(schedule: Every | Cron, zone: ZoneInfo, after: float) -> Iterator[float]:
    if isinstance(schedule, Cron):
        return _by_cron(schedule.expression, zone, after)
    seconds = schedule.seconds
    if seconds % DAY == 0:
        return _by_calendar(seconds // DAY, zone, after)
    if DAY % seconds == 0:
        return _through_the_day(seconds, zone, after)
    return (float(k * seconds) for k in itertools.count(int(after // seconds) + 1))


def _by_calendar(days: int, zone: ZoneInfo, after: float) -> Iterator[float]:
    """The midnights of every so many days, by the day's number in the calendar."""
    for day in _days(zone, after):
        midnight = _midnight(day, zone)
        if midnight > after and day.toordinal() % days == 0:
            after = midnight  # Samoa left out a day: its midnight is that of the next
            yield midnight


def _through_the_day(seconds: int, zone: ZoneInfo, after: float) -> Iterator[float]:
    for day in _days(zone, after):
        midnight, end = _midnight(day, zone), _midnight(day + timedelta(1), zone)
        passed = max(0, int((after - midnight) // seconds) + 1)
        for slot in range(int(midnight) + passed * seconds, int(end), seconds):
            yield float(slot)


def _days(zone: ZoneInfo, after: float) -> Iterator[date]:
    first = datetime.fromtimestamp(after, zone).date()
    return (first + timedelta(number) for number in itertools.count())


def _midnight(day: date, zone: ZoneInfo) -> float:
    """When that day begins; where clocks skip midnight, that is the moment they do."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()


def _by_cron(expression: str, zone: ZoneInfo, after: float) -> Iterator[float]:
    """The expression is asked for times on the wall only, each of which comes 0 to 2 times.

    `waiting` holds second ones until no first one can be earlier.
    """
    minute, hour, *_ = expression.split()
    once = "*" not in (minute[0], hour[0])
    waiting: list[float] = []
    for wall in CronSim(expression, _wall(after, zone) - BACK):
        first = _moment(wall, zone)
        for moment in {first} if once else _moments(wall, zone):
            heapq.heappush(waiting, moment)
        while waiting and waiting[0] <= first:
            moment = heapq.heappop(waiting)
            if moment > after:
                after = moment
                yield moment


def _moment(wall: datetime, zone: ZoneInfo) -> float:
    """The first one with that time on the wall; where clocks skip it, the one they skip it at."""
    while not (moments := _moments(wall, zone)):
        wall += timedelta(minutes=1)
    return min(moments)


def _moments(wall: datetime, zone: ZoneInfo) -> set[float]:
    either = (wall.replace(tzinfo=zone, fold=fold).timestamp() for fold in (0, 1))
    return {moment for moment in either if _wall(moment, zone) == wall}


def _wall(moment: float, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(moment, zone).replace(tzinfo=None, fold=0)

"""Every planned time has exactly one receipt, whatever clocks, sleep and deaths do."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from beats import DAY, HOUR, MINUTE, WELL, Machine, beat, moment
from claude_tier.heartbeat import planning, processes, receipts
from claude_tier.heartbeat.beat import ActiveHours, Beat, Cron, Every
from claude_tier.heartbeat.known import CHANGED, Known
from claude_tier.heartbeat.receipts import End
from claude_tier_hooks import ledger
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st

MORNING = moment("2026-05-04T09:10")


@pytest.mark.parametrize(
    ("zone", "begin"),
    [
        ("Europe/Berlin", "2026-02-01T00:10"),
        ("Europe/Berlin", "2026-09-01T00:10"),
        ("Africa/Casablanca", "2026-01-15T00:10"),  # clocks go back and on again within weeks
    ],
)
def test_three_months_over_a_change_of_clocks_miss_nothing(zone: str, begin: str) -> None:
    """Each planned time runs, once."""
    planned = (
        Every(4 * HOUR),
        Every(DAY),
        Cron("30 1 * * *"),
        Cron("30 2 * * *"),
        Cron("0 9 * * 1"),
    )
    beats = [beat(str(number), one, tz=zone) for number, one in enumerate(planned)]
    beats.append(beat("day", Every(4 * HOUR), tz=zone, active=ActiveHours(8 * 60, 22 * 60)))
    machine = Machine(beats, moment(begin, zone))

    machine.pass_(91 * DAY)

    machine.assert_each_slot_has_one_receipt()
    assert machine.counted().keys() == {"ran"}
    offsets = {datetime.fromtimestamp(at, ZoneInfo(zone)).utcoffset() for _, at in machine.started}
    assert len(offsets) == 2


def test_after_three_days_of_sleep_what_was_missed_is_one_row() -> None:
    """It is counted, it does not run, and the next one is on time."""
    machine = Machine([beat()], MORNING)
    machine.pass_(HOUR)

    machine.sleep(3 * DAY + 5 * MINUTE)
    machine.pass_(HOUR)

    machine.assert_each_slot_has_one_receipt()
    missed = [one for one in machine.receipts() if one.reason == receipts.MISSED]
    assert [one.slots for one in missed] == [144]
    assert [one.slot for one in machine.receipts() if one.status == "ran"] == [
        moment(text)
        for text in (
            "2026-05-04T09:30",
            "2026-05-04T10:00",
            "2026-05-07T10:30",
            "2026-05-07T11:00",
        )
    ]


@pytest.mark.parametrize(("slept", "ran"), [(40 * MINUTE, 1), (3 * DAY, 0)])
def test_one_missed_time_is_made_up_for_if_it_is_not_too_old(slept: int, ran: int) -> None:
    """`missed: once`, within `max_age`; the others are skipped."""
    machine = Machine([beat(planned=Cron("0 10 * * *"), missed="once")], MORNING)
    machine.sleep(50 * MINUTE + slept)

    machine.tick()
    machine.pass_(HOUR)

    machine.assert_each_slot_has_one_receipt()
    caught = [one for one in machine.receipts() if one.origin == "catch-up"]
    assert len(caught) == ran


def test_a_clock_that_is_set_back_runs_nothing_twice() -> None:
    """Its planned times come again, and have their receipts; that it waits is said."""
    machine = Machine([beat()], MORNING)
    machine.pass_(3 * HOUR)
    before = machine.receipts()

    machine.now -= 2 * HOUR
    assert machine.tick().ahead == ("/somewhere/HEARTBEAT.md#any",)
    machine.pass_(2 * HOUR - MINUTE)

    assert machine.receipts() == before
    machine.pass_(HOUR)
    machine.assert_each_slot_has_one_receipt()


def test_a_beat_goes_on_from_now_when_it_is_enabled_after_a_clock_was_wrong() -> None:
    """What ran in the future stays as it is."""
    machine = Machine([beat()], MORNING)
    machine.sleep(400 * DAY)
    machine.tick()
    machine.now = MORNING + HOUR
    machine.tick()

    with ledger.Writing(machine.db):
        receipts.switch(machine.db, beat().id, on=True, why="", now=machine.now)
    machine.tick()
    machine.pass_(HOUR)

    assert machine.started[-2:] == [
        (beat().id, moment("2026-05-04T10:30")),
        (beat().id, moment("2026-05-04T11:00")),
    ]


def test_a_storm_of_restarts_starts_each_once() -> None:
    """Fifty ticks in one minute."""
    machine = Machine([beat(), beat("other", Every(HOUR))], MORNING)
    machine.sleep(50 * MINUTE)

    for _ in range(50):
        machine.tick()

    assert sorted(machine.started) == [
        (beat().id, moment("2026-05-04T10:00")),
        (beat("other").id, moment("2026-05-04T10:00")),
    ]
    machine.assert_each_slot_has_one_receipt()


def test_forty_beats_of_one_minute_all_run() -> None:
    """None is lost for want of a place: they wait as claims."""
    machine = Machine([beat(str(number), Every(HOUR)) for number in range(40)], MORNING)

    machine.pass_(HOUR)

    assert machine.counted() == {"ran": 40} or machine.counted() == {"running": 40}
    assert len(machine.started) == 40


def test_a_beat_longer_than_its_interval_skips_what_it_overlaps() -> None:
    """And says so: it runs one after the other, never beside itself."""
    machine = Machine([beat(planned=Every(MINUTE))], MORNING, seconds=150)

    machine.pass_(HOUR)

    machine.assert_each_slot_has_one_receipt()
    found = machine.counted()
    assert found[receipts.STILL_RUNNING] == 40
    assert found["ran"] + found["running"] == 20


@pytest.mark.parametrize(
    ("dies", "reason"), [("claim", planning.NEVER_BEGUN), ("work", planning.GONE)]
)
def test_a_run_whose_process_is_gone_was_interrupted(dies: str, reason: str) -> None:
    """It is not run again, and the next one comes."""
    machine = Machine([beat()], MORNING, dies=dies)
    machine.pass_(30 * MINUTE)
    machine.dies = None

    machine.pass_(30 * MINUTE)

    found = machine.receipts()
    assert [(one.status, one.reason) for one in found][:1] == [("interrupted", reason)]
    assert len(machine.started) == 2
    machine.assert_each_slot_has_one_receipt()


def test_a_run_past_its_time_is_given_up_by_a_later_tick() -> None:
    """Its own tick may be gone; the plan names it, and comes again for it."""
    machine = Machine([beat(planned=Every(DAY), timeout=300)], moment("2026-05-04T23:59"))
    machine.seconds = 10_000
    machine.pass_(5 * MINUTE)
    assert machine.plan
    assert machine.plan.next == moment("2026-05-05T00:05") + planning.MARGIN + 1

    machine.pass_(10 * MINUTE)

    (overdue,) = machine.plan.overdue
    assert (overdue.beat, overdue.worker) == (beat().id, processes.me())


def test_a_new_beat_begins_now() -> None:
    """Nothing of its past is made up for."""
    machine = Machine([beat()], MORNING)
    machine.beats.append(beat("new", Every(HOUR), missed="once"))
    machine.now += 70 * MINUTE
    machine.tick()

    assert {one.beat for one in machine.receipts()} == {beat().id}


def test_another_schedule_counts_from_when_it_is_seen() -> None:
    """Times that it would have had before never were planned."""
    machine = Machine([beat(planned=Every(DAY))], MORNING)
    machine.now += HOUR
    machine.beats = [beat(planned=Every(MINUTE))]
    machine.tick()
    machine.pass_(2 * MINUTE)

    assert [one.slots for one in machine.receipts()] == [1, 1]


def test_another_schedule_does_not_let_a_beat_run_again_after_a_clock_was_wrong() -> None:
    """Its mark stays where it was."""
    machine = Machine([beat()], MORNING)
    machine.pass_(2 * HOUR)
    machine.now = MORNING
    machine.beats = [beat(planned=Every(HOUR))]
    machine.tick()
    standing = receipts.standing(machine.db, beat().id)
    assert standing
    assert standing.mark == moment("2026-05-04T11:00")
    machine.pass_(HOUR)

    assert machine.started.count((beat().id, moment("2026-05-04T10:00"))) == 1
    assert len(machine.receipts()) == 4


@pytest.mark.parametrize(
    ("changed", "ran"),
    [("09:59:40", True), ("09:58:10", True), ("09:57:50", False), ("10:00:20", False)],
)
@pytest.mark.parametrize("before", [[], [beat(planned=Every(4 * HOUR))]], ids=["new", "other"])
def test_a_beat_counts_from_the_change_that_a_tick_soon_sees(
    before: list[Beat], changed: str, ran: bool
) -> None:
    """The time that was named when it was added is one at which it runs; long ago is as if now."""
    machine = Machine(before, MORNING)
    machine.beats, machine.now = [beat()], moment("2026-05-04T10:00:05")
    machine.changed = moment(f"2026-05-04T{changed}")
    machine.tick()
    machine.changed = 0.0
    machine.pass_(HOUR // 2)

    ten, half = moment("2026-05-04T10:00"), moment("2026-05-04T10:30")
    assert [slot for _, slot in machine.started] == ([ten, half] if ran else [half])


def test_what_is_not_allowed_or_disabled_is_skipped_and_said() -> None:
    """One row for as long as that lasts."""
    machine = Machine([], MORNING)
    barred, off = beat("barred"), beat("off")
    beats = [Known(barred, CHANGED), Known(off)]
    ten = moment("2026-05-04T10:00")
    planning.make(machine.db, beats, ten, processes.me())
    receipts.switch(machine.db, off.id, on=False, why="switched off by hand", now=ten)
    for number in range(1, 4):
        plan = planning.make(machine.db, beats, ten + number * HOUR // 2, processes.me())
        assert plan.claims == ()

    assert [(one.slots, one.reason) for one in machine.receipts()] == [
        (3, CHANGED),
        (3, "disabled: switched off by hand"),
    ]


def test_ten_failures_in_a_row_switch_a_beat_off() -> None:
    """One that ends well begins the count anew, and what was skipped says nothing."""
    machine = Machine([beat(planned=Every(MINUTE))], MORNING)
    ends = [*[End("failed", "no")] * 9, WELL, End("skipped", "no"), *[End("failed", "no")] * 10]
    counts = []
    for end in ends:
        machine.sleep(MINUTE)
        plan = planning.make(machine.db, [Known(machine.beats[0])], machine.now, processes.me())
        found = receipts.finish(machine.db, plan.claims[0].run, end, machine.now)
        assert found
        counts.append(found.failures)
    machine.sleep(MINUTE)

    assert (
        planning.make(machine.db, [Known(machine.beats[0])], machine.now, processes.me()).claims
        == ()
    )
    assert counts == [*range(1, 10), 0, 0, *range(1, 11)]
    assert machine.receipts()[-1].reason == "disabled: failed 10 times in a row"


@pytest.mark.parametrize(
    "query",
    [
        "SELECT 1 FROM receipt INDEXED BY receipt_open WHERE beat = 1"
        " AND status IN ('claimed', 'running')",
        "UPDATE receipt SET ended = 1 WHERE run = 'r' AND status IN ('claimed', 'running')",
        "UPDATE receipt SET pid = 1 WHERE run = 'r' AND status = 'claimed'"
        " AND status IN ('claimed', 'running')",
    ],
)
def test_what_is_open_is_found_without_a_look_at_what_is_over(query: str) -> None:
    """A year of receipts is not read every minute."""
    machine = Machine([], MORNING)
    plan = machine.db.execute(f"EXPLAIN QUERY PLAN {query}").fetchall()
    assert all("INDEX receipt_open" in row[3] for row in plan)


def test_only_the_first_end_of_a_run_counts() -> None:
    """The process and the one that gave it up may both come to write it."""
    machine = Machine([beat(planned=Every(MINUTE))], MORNING)
    machine.sleep(MINUTE)
    (claim,) = planning.make(
        machine.db, [Known(beat(planned=Every(MINUTE)))], machine.now, DEAD_TICK
    ).claims

    assert receipts.finish(machine.db, claim.run, End("interrupted", "gone"), machine.now)
    taken = receipts.take(machine.db, claim.run, processes.me(), now=1.0, deadline=2.0)
    assert not taken
    assert receipts.finish(machine.db, claim.run, WELL, machine.now) is None
    assert machine.receipts()[0].status == "interrupted"


DEAD_TICK = processes.Worker(1, "long ago")

SCHEDULES = st.sampled_from(
    [
        Every(MINUTE),
        Every(5 * MINUTE),
        Every(7 * MINUTE),
        Every(HOUR),
        Every(DAY),
        Cron("*/10 * * * *"),
        Cron("30 2 * * *"),
        Cron("0 8-20 * * MON-FRI"),
    ]
)
EVENTS = st.one_of(
    st.tuples(st.just("pass"), st.integers(1, 150)),
    st.tuples(st.just("sleep"), st.integers(1, 5000)),
    st.tuples(st.just("back"), st.integers(1, 3000)),
    st.tuples(st.just("storm"), st.integers(2, 6)),
    st.tuples(st.just("takes"), st.integers(1, 700)),
    st.tuples(st.just("dies"), st.sampled_from([None, "claim", "work"])),
)


@settings(max_examples=examples(15))
@given(
    beats=st.lists(
        st.tuples(SCHEDULES, st.sampled_from(["skip", "once"]), st.sampled_from([0, 300])),
        min_size=1,
        max_size=4,
    ),
    events=st.lists(EVENTS, max_size=10),
    begin=st.sampled_from(["2026-03-28T22:11", "2026-10-24T23:07", "2026-05-04T09:10"]),
)
def test_every_slot_has_one_receipt_whatever_happens(
    beats: list[tuple[Every | Cron, str, int]], events: list[tuple[str, object]], begin: str
) -> None:
    """Nothing twice, nothing without one, at most one catch-up for each time away."""
    made = [
        beat(str(number), planned, missed=missed, stagger=stagger)
        for number, (planned, missed, stagger) in enumerate(beats)
    ]
    machine = Machine(made, moment(begin))
    for kind, value in events:
        _befall(machine, kind, value)
    machine.dies = None
    machine.pass_(90 * MINUTE)
    machine.assert_each_slot_has_one_receipt()


def _befall(machine: Machine, kind: str, value: object) -> None:
    number = value if isinstance(value, int) else 0
    if kind == "pass":
        machine.pass_(number * MINUTE)
    elif kind == "sleep":
        before = len(machine.started)
        machine.sleep(number * MINUTE)
        machine.tick()
        names = [name for name, _ in machine.started[before:]]
        assert len(names) == len(set(names))
    elif kind == "back":
        machine.now -= number * MINUTE
        machine.tick()
    elif kind == "storm":
        for _ in range(number):
            machine.tick()
    elif kind == "takes":
        machine.seconds = number
    else:
        machine.dies = value if isinstance(value, str) else None


def test_a_slot_is_late_for_as_long_as_ticks_may_be() -> None:
    """Two minutes; one second more is missed."""
    for late, status in ((planning.LATE, "running"), (planning.LATE + 1, "skipped")):
        machine = Machine([beat(planned=Every(DAY))], moment("2026-05-04T23:00"), seconds=1e6)
        machine.now = moment("2026-05-05T00:00") + late
        machine.tick()
        assert [one.status for one in machine.receipts()] == [status]

"""How far a beat has come, where it was away or the clock was wrong."""

from __future__ import annotations

from beats import DAY, HOUR, Machine, beat, moment
from claude_tier.heartbeat import planning
from claude_tier.heartbeat.beat import Every

MORNING = moment("2026-05-04T09:10")


def test_a_beat_that_comes_back_missed_nothing_meanwhile() -> None:
    """Nobody planned it, and nothing of that time is caught up on."""
    one = beat(missed="once")
    machine = Machine([one], MORNING)
    machine.pass_(HOUR)
    machine.beats.clear()
    machine.tick()
    machine.sleep(3 * DAY)
    machine.beats.append(one)

    machine.tick()
    machine.pass_(HOUR)

    assert machine.counted() == {"ran": 4}


def test_a_beat_whose_file_is_being_mended_stays_planned() -> None:
    """What came meanwhile was missed."""
    one = beat()
    machine = Machine([one], MORNING)
    machine.pass_(HOUR)
    machine.beats.clear()
    machine.broken.add(str(one.file))
    machine.tick()
    machine.sleep(3 * HOUR)
    machine.beats.append(one)
    machine.broken.clear()

    machine.tick()

    machine.assert_each_slot_has_one_receipt()
    assert machine.counted() == {"ran": 2, "missed": 6}


def test_a_clock_that_began_in_1970_misses_no_half_century() -> None:
    """A board without a battery has no time until somebody tells it."""
    machine = Machine([beat(planned=Every(60))], HOUR)
    machine.sleep(MORNING)

    machine.tick()
    machine.pass_(HOUR)

    assert "missed" not in machine.counted()
    assert len(machine.started) == 60


def test_a_year_without_a_tick_is_one_row() -> None:
    """It is counted."""
    machine = Machine([beat(planned=Every(DAY))], MORNING)
    machine.sleep(planning.LONGEST - HOUR)

    machine.tick()

    machine.assert_each_slot_has_one_receipt()
    assert [one.slots for one in machine.receipts()] == [366]

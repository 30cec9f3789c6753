"""`heartbeat`: what each mistake is told as, and what holds without it."""

from __future__ import annotations

from pathlib import Path

import pytest
from claude_tier import config
from claude_tier.config import ConfigError
from claude_tier.heartbeat.beat import ActiveHours

PROVIDERS = "providers: {here: {kind: ollama}, price: {base_url: https://x.y}}"


def loaded(tmp_path: Path, text: str) -> config.Config:
    file = tmp_path / "config.yaml"
    file.write_text(f"{PROVIDERS}\n{text}\n")
    return config.load(file).config


ONE_MISTAKE = [
    ("every: 10s", "heartbeat.every: must be at least 1m"),
    ("every: 0m", "heartbeat.every: must be between 1s and 366d"),
    ("model: gpt", "heartbeat.model: must be provider/model, a chain or one of small, coding, l"),
    ("model: price/x", "heartbeat.model: the provider price has no kind, so it cannot be asked"),
    ("fallback: [here/m, no/x]", "heartbeat.fallback[1]: names no provider of yours: no"),
    ("fallback: [opus, opus]", "heartbeat.fallback[1]: is listed twice"),
    ("tz: Mars/Olympus", "heartbeat.tz: must be the name of a time zone such as Europe/Berlin"),
    ("active_hours: '08:00-08:00'", "heartbeat.active_hours: begin and end at the same time"),
    ("parallel: 0", "heartbeat.parallel: must be greater than 0, not 0"),
    ("budget: {usd: 0}", "heartbeat.budget.usd: must be greater than 0, not 0"),
    ("budget: {period: hour}", "heartbeat.budget.period: must be 'day', 'week' or 'month'"),
    ('on_alert: ""', "heartbeat.on_alert: must be one line of text"),
    ("ok_chars: -1", "heartbeat.ok_chars: must be greater than or equal to 0, not -1"),
    ("notes: [../x]", "heartbeat.notes[0]: must be a folder beside HEARTBEAT.md, not '../x'"),
    ("notes: /etc", "heartbeat.notes[0]: must be a folder beside HEARTBEAT.md, not '/etc'"),
    ("evry: 1h", "heartbeat.evry: unknown key; did you mean every? (known: every, model, "),
]


@pytest.mark.parametrize(("text", "fault"), ONE_MISTAKE, ids=[text for text, _ in ONE_MISTAKE])
def test_one_mistake_is_one_fault_at_its_place(tmp_path: Path, text: str, fault: str) -> None:
    """Key and what is wrong, on the line of the section."""
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, f"heartbeat: {{{text}}}")

    (found,) = caught.value.faults
    assert (found.line, f"{found.key}: {found.message}"[: len(fault)]) == (2, fault)


def test_without_it_beats_are_cheap_and_seldom(tmp_path: Path) -> None:
    """Every half hour on haiku, and half a dollar a day for all of them."""
    usual = loaded(tmp_path, "").heartbeat
    assert (usual.every, usual.model, usual.fallback) == (1800, "haiku", [])
    assert (usual.budget.usd, usual.budget.period, usual.parallel) == (0.5, "day", 4)
    assert (usual.tz, usual.active_hours, usual.on_alert) == (None, None, None)
    assert usual.notes == ["notes", "memory"]


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        ("'08:00-22:00'", (480, 1320)),
        ("08:00 - 22:00", (480, 1320)),
        ("{start: '22:00', end: '06:30'}", (1320, 390)),
        ("00:00-24:00", (0, 1440)),
    ],
)
def test_hours_are_written_in_two_ways(
    tmp_path: Path, hours: str, expected: tuple[int, int]
) -> None:
    """Both as people and as others' files have them."""
    found = loaded(tmp_path, f"heartbeat: {{active_hours: {hours}}}").heartbeat.active_hours
    assert found == ActiveHours(*expected)


def test_notes_can_be_left_out(tmp_path: Path) -> None:
    """Nothing but the beat's own text is sent then."""
    assert loaded(tmp_path, "heartbeat: {notes: off}").heartbeat.notes == []
    assert loaded(tmp_path, "heartbeat: {notes: diary}").heartbeat.notes == ["diary"]

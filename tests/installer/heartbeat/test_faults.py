"""What a HEARTBEAT.md may not say: each mistake at its place, with what to do about it."""

from __future__ import annotations

from pathlib import Path

import pytest
from claude_tier.config import Config
from claude_tier.config.routing import Router

from .loading import CONFIG, load

# What stands in the front matter, from line 2 on -> line, key and the begin of the message.
FRONT = [
    ("every: 0m", 2, "every: must be between 1s and 366d, not '0m'"),
    ("every: 30s", 2, "every: must be at least 1m: beats are started once a minute"),
    ("every: 30", 2, "every: must be a duration such as 90s, 10m, 1h30m or 2d"),
    ("every: 1h\ncron: '0 9 * * *'", 3, "cron: cannot be set together with every: leave out one"),
    ("cron: '0 9 * *'", 2, 'cron: must have five fields, such as "30 7 * * MON-FRI", not'),
    ("cron: '0 0 9 * * *'", 2, "cron: must have five fields"),
    ("cron: '@daily'", 2, "cron: must have five fields"),
    ("cron: '0 25 * * *'", 2, 'cron: is no cron expression ("30 7 * * MON-FRI"): Bad hour'),
    ("cron: '0 0 30 2 *'", 2, "cron: never comes: no month that it names has such a day"),
    ("cron: '0 8 31 FEB,APR *'", 2, "cron: never comes: no month that it names has such a day"),
    ("cron: '0 8 32 2 *'", 2, 'cron: is no cron expression ("30 7 * * MON-FRI"): Bad day-of'),
    ("cron: '0 8 31 13 *'", 2, 'cron: is no cron expression ("30 7 * * MON-FRI"): Bad month'),
    ("cron: */5 * * * *", 2, "text that begins with * must be in quotes"),
    ("tz: Berlin", 2, "tz: must be the name of a time zone such as Europe/Berlin, not 'Berlin'"),
    ("tz: Europe", 2, "tz: must be the name of a time zone"),
    ("tz: ../../etc/passwd", 2, "tz: must be the name of a time zone"),
    ("model: gpt", 2, "model: must be provider/model, a chain or one of small, coding, large, cl"),
    ("model: nobody/x", 2, "model: names no provider of yours: nobody (there are ollama, costs, c"),
    ("model: costs/x", 2, "model: the provider costs has no kind, so it cannot be asked"),
    ("fallback: [haiku, nobody/x]", 2, "fallback[1]: names no provider of yours: nobody"),
    ("fallback: [skip, haiku]", 2, "fallback[0]: skip must be the last"),
    ("fallback: [haiku, haiku]", 2, "fallback[1]: is listed twice"),
    ("timeout: 2h", 2, "timeout: must be at most 1h"),
    ("active_hours: 08:00", 2, 'active_hours: must be two times of a day such as "08:00-22:00"'),
    ("active_hours: 8-22", 2, "active_hours: must be two times of a day"),
    ("active_hours: 08:00-24:30", 2, "active_hours: must be two times of a day"),
    ("active_hours: 09:00-09:00", 2, "active_hours: begin and end at the same time"),
    ("active_hours: 24:00-00:00", 2, "active_hours: begin and end at the same time"),
    ("active_hours: {start: '08:00'}", 2, 'active_hours: must be "08:00-22:00" or {start: "08'),
    ("active_hours: 08:00-22:00\nevery: 1d", 3, "every: never comes within active_hours; "),
    ("active_hours: 08:00-22:00\ncron: 0 3 * * *", 3, "cron: never comes within active_hours"),
    ("budget: 1", 2, "budget: must be a mapping of keys to values"),
    ("budget: {usd: 0}", 2, "budget.usd: must be greater than 0, not 0"),
    ("budget: {usd: 1, tokens: 5}", 2, "budget.tokens: unknown key (known: usd)"),
    ("tools: [Agent]", 2, "tools[0]: is no tool that a beat can have: Read, Grep, Glob, Bash, "),
    ("tools: [mcp__mail__send]", 2, "tools[0]: is no tool that a beat can have"),
    ("tools: ['Bash(git status']", 2, "tools[0]: is no tool that a beat can have"),
    ("tools: [Read]\nmodel: ollama/m", 2, "tools: are for claude alone, and ollama/m is not: name"),
    ("tools: [Read]\nmodel: cheap", 2, "tools: are for claude alone, and cheap is not: name a"),
    ("check: '  '", 2, "check: must not be empty"),
    ("unchanged: ask", 2, "unchanged: must be 'skip' or 'run', not 'ask'"),
    ("missed: all", 2, "missed: must be 'skip' or 'once', not 'all'"),
    ("name: a#b", 2, "name: must have at most 64 characters and no #, and not begin with -"),
    ("evry: 1h", 2, "evry: unknown key; did you mean every?"),
    ("every: 1h\nevery: 2h", 3, "every: is given twice, first on line 2"),
    ("tasks: []", 2, "tasks: must not be empty"),
    ("tasks: [look at mail]", 2, "tasks[0]: must be a mapping of keys to values"),
    ("tasks: [{name: a, interval: 1h}]", 2, "tasks[0].prompt: is required"),
    ("tasks: [{prompt: b, interval: 1h}]", 2, "tasks[0].name: is required"),
    ("tasks:\n- {name: a, prompt: b}\n- {name: a, prompt: c}", 4, "tasks[1].name: another task"),
    ("tasks: [{name: a, prompt: b, interval: 1h, every: 2h}]", 2, "tasks[0].interval: cannot be"),
    ("name: x\ntasks: [{name: a, prompt: b}]", 3, "tasks: have names of their own: leave out `n"),
    ("- Look.", 2, "must hold keys and values"),
    ("every: !x 1h", 2, "every: the tag !x is not supported"),
    ("every:\t1h\n\tx: 1", 2, "a tab: YAML is indented with spaces only"),
]  # fmt: skip
# Whole files.
FILES = [
    ("---\nevery: 1h\n- Look.\n", 1, "front matter that begins with --- has no second line ---"),
    ("# Model: gpt\n- Look.\n", 1, "model: must be provider/model, a chain or one of"),
    ("# Model: haiku or opus\n- Look.\n", 1, "model: must be provider/model, a chain or one of"),
    ("---\nmodel: opus\n---\n# Model: haiku\n", 4, "model: is given twice, also in the front"),
    ("- Look.\ntasks:\n- call mum\n", 3, "tasks[0]: must be a mapping of keys to values"),
    ("tasks:\n- {name: a, prompt: b}\n# A\ntasks:\n", 4, "tasks: is given twice, first on line 1"),
    ("---\ntasks: [{name: a, prompt: b}]\n---\ntasks:\n- {name: c, prompt: d}\n", 4,
     "tasks: is given twice, also in the front matter"),
    ("# A\n\ntasks:\n- name: a\n  interval: soon\n  prompt: b\n", 5, "tasks[0].interval: must be"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "fault"), FRONT, ids=[text for text, *_ in FRONT])
def test_one_mistake_is_one_fault_at_its_place(
    tmp_path: Path, text: str, line: int, fault: str
) -> None:
    """Line, key and what to do; and nothing of the file runs."""
    loaded = load(tmp_path, f"---\n{text}\n---\n- Look.\n")
    assert loaded.beats == ()
    (found,) = loaded.faults
    said = f"{found.key}: {found.message}" if found.key else found.message
    assert (found.line, said[: len(fault)]) == (line, fault)
    assert str(found).startswith(f"{tmp_path / 'HEARTBEAT.md'}:{line}:")


@pytest.mark.parametrize(("text", "line", "fault"), FILES)
def test_what_is_ambiguous_is_refused(tmp_path: Path, text: str, line: int, fault: str) -> None:
    """It is not guessed which of two was meant."""
    (found,) = load(tmp_path, text).faults
    said = f"{found.key}: {found.message}" if found.key else found.message
    assert (found.line, said[: len(fault)]) == (line, fault)


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    """In the order of their lines."""
    text = "---\nevery: 0m\nmodel: gpt\ntasks:\n- {name: a, prompt: b, tz: x}\n---\n"
    assert [fault.key for fault in load(tmp_path, text).faults] == ["every", "model", "tasks[0].tz"]


def test_a_tier_that_is_a_chain_too_is_not_guessed(tmp_path: Path) -> None:
    """Which of both is meant has to be said."""
    config = Config.model_validate({"chains": {"opus": ["claude/haiku"]}})
    (fault,) = load(tmp_path, "# Model: opus\n- Look.\n", config).faults
    assert fault.message.startswith("is both a tier and a chain: write claude/opus, or name the")


def test_a_role_that_is_not_set_is_refused(tmp_path: Path) -> None:
    """Its stand-in is the router's default, a dearer model that nobody named."""
    (fault,) = load(tmp_path, "# Model: small\n- Look.\n").faults
    assert (fault.line, fault.key) == (1, "model")
    assert "router.small is not set in config.yaml" in fault.message
    router = Router(small="ollama/qwen3:8b")
    filled = CONFIG.model_copy(update={"router": router})
    assert load(tmp_path, "# Model: small\n- Look.\n", filled).beats


def test_a_tier_that_one_does_not_have_is_refused(tmp_path: Path) -> None:
    """The ladder of config.yaml says which there are."""
    config = CONFIG.model_copy(update={"tiers": ["sonnet", "haiku"]})
    (fault,) = load(tmp_path, "# Model: opus\n- Look.\n", config).faults
    assert fault.message.endswith("or a tier: sonnet, haiku (it is 'opus')")


def test_a_machine_without_a_zone_needs_one_in_the_file(tmp_path: Path) -> None:
    """UTC would be a guess."""
    (fault,) = load(tmp_path, "- Look.\n", tz=None).faults
    assert (fault.key, fault.message) == (
        "tz",
        "is required: the time zone of this machine is not known",
    )
    assert load(tmp_path, "---\ntz: Europe/Berlin\n---\n- Look.\n", tz=None).faults == ()

"""The forms of a HEARTBEAT.md, what each beat gets from where, and that no text makes it raise."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from claude_tier.config import Config
from claude_tier.config.document import LARGEST
from claude_tier.heartbeat import document
from claude_tier.heartbeat.beat import ActiveHours, Cron, Every
from claude_tier.heartbeat.document import Defaults
from claude_tier.heartbeat.parts import is_empty
from hypothesis import given
from hypothesis import strategies as st

from .loading import CONFIG, beats

CHECKLIST = """\
# What to look at

- Is anything in the inbox that cannot wait?
- Did the nightly backup end?
"""
TASKS = """\
# Rounds

tasks:

- name: inbox
  interval: 30m
  prompt: "Look for mail that cannot wait."
- name: week
  interval: 24h
  prompt: "Say which reviews are open."

# Also

- Be short.
- HEARTBEAT_OK when there is nothing.
"""


def test_a_checklist_is_one_beat_with_the_whole_text(tmp_path: Path) -> None:
    """OpenClaw's classic form: every 30 minutes, on haiku."""
    (one,) = beats(tmp_path, CHECKLIST)
    assert one.prompt == CHECKLIST.strip()
    assert (one.schedule, one.models, one.named) == (Every(1800), ("haiku",), ())
    assert (one.tools, one.check, one.usd, one.line) == ((), None, None, 1)
    assert (one.name, one.file) == (tmp_path.name, tmp_path / "HEARTBEAT.md")


def test_a_block_of_tasks_is_a_beat_for_each(tmp_path: Path) -> None:
    """OpenClaw's classic form: the rest of the text goes with every task."""
    inbox, week = beats(tmp_path, TASKS)
    assert (inbox.name, inbox.schedule, inbox.line) == ("inbox", Every(1800), 5)
    assert (week.name, week.schedule, week.line) == ("week", Every(86_400), 8)
    assert inbox.prompt.startswith("Look for mail that cannot wait.\n\n# Rounds")
    assert inbox.prompt.endswith("- Be short.\n- HEARTBEAT_OK when there is nothing.")
    assert "interval" not in inbox.prompt


@pytest.mark.parametrize("indent", ["", "  "])
def test_a_block_of_tasks_may_be_indented_and_be_the_last(tmp_path: Path, indent: str) -> None:
    """As YAML has it; headings alone do not go with a task."""
    text = f"# Rounds\ntasks:\n{indent}- name: a\n{indent}  interval: 1h\n{indent}  prompt: Look."
    (one,) = beats(tmp_path, text)
    assert (one.prompt, one.schedule) == ("Look.", Every(3600))


def test_a_block_in_a_fence_is_an_example(tmp_path: Path) -> None:
    """It is text like any other."""
    (one,) = beats(tmp_path, "```yaml\ntasks:\n- name: a\n```\n- Look.\n")
    assert "tasks:" in one.prompt


@pytest.mark.parametrize("line", ["# Model: ollama/qwen3:8b", "## model:ollama/qwen3:8b  "])
def test_a_first_line_names_the_model(tmp_path: Path, line: str) -> None:
    """And is not sent."""
    (one,) = beats(tmp_path, f"\n{line}\n- Look.\n")
    assert (one.models, one.named) == (("ollama/qwen3:8b",), ("ollama/qwen3:8b",))
    assert one.prompt == "- Look."


def test_front_matter_says_all_of_it(tmp_path: Path) -> None:
    """Every key arrives."""
    text = """---
cron: "30  7 * * MON-FRI"
tz: Asia/Kathmandu
model: opus
fallback: [haiku, skip]
timeout: 2m
active_hours: {start: "22:00", end: "08:30"}
budget: {usd: 0.05}
tools: [Read, "Bash(git status:*)"]
check: |
  git fetch -q
  git status --short
unchanged: run
missed: once
max_age: 2h
stagger: 5m
name: morning round
---
- Look.
"""
    (one,) = beats(tmp_path, text)
    assert (one.schedule, one.tz) == (Cron("30 7 * * MON-FRI"), "Asia/Kathmandu")
    assert (one.models, one.named) == (("opus", "haiku"), ("opus", "haiku"))
    assert (one.timeout, one.active, one.usd) == (120, ActiveHours(1320, 510), 0.05)
    assert one.tools == ("Read", "Bash(git status:*)")
    assert one.check == "git fetch -q\ngit status --short"
    assert (one.unchanged, one.missed, one.max_age) == ("run", "once", 7200)
    assert (one.stagger, one.name) == (300, "morning round")


def test_tasks_in_front_matter_share_what_stands_above_them(tmp_path: Path) -> None:
    """Each key of a task's own wins; who names a time names all of it."""
    text = """---
cron: "0 8 * * *"
tz: Europe/Berlin
timeout: 1m
tools: [Read]
tasks:
  - {name: a, prompt: Look., timeout: 2m}
  - {name: b, prompt: Listen., every: 2h, tools: []}
---
"""
    first, second = beats(tmp_path, text)
    assert (first.schedule, first.timeout, first.tools) == (Cron("0 8 * * *"), 120, ("Read",))
    assert (second.schedule, second.timeout, second.tools) == (Every(7200), 60, ())
    assert {first.tz, second.tz} == {"Europe/Berlin"}
    assert (first.line, second.line) == (7, 8)


def test_front_matter_and_a_block_of_tasks_are_one(tmp_path: Path) -> None:
    """What is above holds for the tasks in the text."""
    (one, other) = beats(tmp_path, f"---\nmodel: ollama/m\n---\n{TASKS}")
    assert one.models == other.models == ("ollama/m",)
    assert one.line == 8


CHOICES = [
    ("", "", ("haiku", "ollama/x"), ()),
    ("model: opus", "", ("opus",), ("opus",)),
    ("model: opus\nfallback: [cheap]", "", ("opus", "cheap"), ("opus", "cheap")),
    ("fallback: sonnet", "", ("haiku", "sonnet"), ("sonnet",)),
    ("fallback: []", "", ("haiku",), ()),
    ("model: opus\nfallback: [cheap]", "model: ollama/y", ("ollama/y",), ("ollama/y",)),
    ("model: opus\nfallback: [cheap]", "fallback: [haiku]", ("opus", "haiku"), ("opus", "haiku")),
    ("model: haiku\nfallback: [haiku]", "", ("haiku",), ("haiku", "haiku")),
]  # fmt: skip


@pytest.mark.parametrize(("front", "task", "models", "named"), CHOICES)
def test_who_names_a_model_names_its_fallbacks(
    tmp_path: Path, front: str, task: str, models: tuple[str, ...], named: tuple[str, ...]
) -> None:
    """A task on a local model goes on to nobody that only the file or config.yaml names."""
    config = CONFIG.model_copy(update={"heartbeat": _usual(fallback=["ollama/x"])})
    tasks = f"tasks:\n  - name: a\n    prompt: Look.\n    {task}"
    (one,) = beats(tmp_path, f"---\n{front}\n{tasks}\n---\n", config)
    assert (one.models, one.named) == (models, named)


def _usual(**keys: object) -> object:
    config = Config.model_validate({"providers": {"ollama": {"kind": "ollama"}}, "heartbeat": keys})
    return config.heartbeat


def test_the_configuration_holds_where_a_file_says_nothing(tmp_path: Path) -> None:
    """Time, hours and model."""
    usual = _usual(every="2h", model="ollama/m", active_hours="08:00-22:00")
    config = CONFIG.model_copy(update={"heartbeat": usual})
    (one,) = beats(tmp_path, CHECKLIST, config, tz="Europe/Berlin")
    assert (one.schedule, one.active) == (Every(7200), ActiveHours(480, 1320))
    assert (one.models, one.tz) == (("ollama/m",), "Europe/Berlin")


def test_a_key_without_a_value_is_not_given(tmp_path: Path) -> None:
    """Somebody commented its value out."""
    (one,) = beats(tmp_path, "---\nevery: # 1h\nmodel:\ntasks:\n---\n- Look.\n")
    assert (one.schedule, one.models) == (Every(1800), ("haiku",))


def test_comments_are_for_people(tmp_path: Path) -> None:
    """They are not sent, and what is left stays on its line."""
    text = (
        "<!-- of\nmine -->\n# Model: opus\n- Look. <!-- soon -->\n\ntasks:\n- {name: a, prompt: B.}"
    )
    (one,) = beats(tmp_path, text)
    assert (one.models, one.prompt, one.line) == (("opus",), "B.\n\n- Look.", 7)


@pytest.mark.parametrize("line", ["\r\n", "\n"])
def test_line_ends_and_marks_of_editors_do_not_matter(tmp_path: Path, line: str) -> None:
    """A byte order mark and CRLF."""
    text = f"\ufeff---{line}every: 1h{line}---{line}- Look.{line}"
    file = tmp_path / "HEARTBEAT.md"
    file.write_bytes(text.encode())
    (one,) = document.load(file, Defaults(CONFIG, "UTC")).beats
    assert (one.schedule, one.prompt) == (Every(3600), "- Look.")


def test_a_file_of_another_name_names_its_beat(tmp_path: Path) -> None:
    """So that several in one folder can be told apart; by its real path."""
    file, link = tmp_path / "mail round.md", tmp_path / "HEARTBEAT.md"
    file.write_text("- Look.\n")
    link.symlink_to(file)
    (one,) = document.load(link, Defaults(CONFIG, "UTC")).beats
    assert (one.name, one.id) == ("mail round", f"{os.path.realpath(file)}#mail round")


EMPTY = ["", "# A\n\n## B", "- [ ]\n* \n+ [x]", "<!-- a\nb -->\n-", "```\n```", "#"]
FULL = ["- a", "#tag", "a", "- [ ] a", "<!-- open", "1."]


@pytest.mark.parametrize("text", EMPTY)
def test_a_file_without_anything_to_do_is_empty(tmp_path: Path, text: str) -> None:
    """It loads, and its beat says so."""
    (one,) = beats(tmp_path, text)
    assert is_empty(one.prompt)


@pytest.mark.parametrize("text", FULL)
def test_one_word_is_something_to_do(text: str) -> None:
    """Even if it looks like a heading without being one."""
    assert not is_empty(text)


def test_a_file_that_cannot_be_read_is_a_fault(tmp_path: Path) -> None:
    """None, a folder, a pipe, bytes and one that is too large."""
    defaults = Defaults(CONFIG, "UTC")
    pipe, binary, large = (tmp_path / name for name in ("pipe", "binary", "large"))
    os.mkfifo(pipe)
    binary.write_bytes(b"# a\n\xff")
    large.write_text("a" * (LARGEST + 1))
    messages = []
    for path in (tmp_path / "none", tmp_path, pipe, binary, large):
        loaded = document.load(path, defaults)
        assert loaded.beats == ()
        messages += [(fault.line, fault.message) for fault in loaded.faults]
    assert messages == [
        (0, "there is no such file"),
        (0, "is not a regular file"),
        (0, "is not a regular file"),
        (2, "is not UTF-8 text"),
        (0, f"is larger than {LARGEST} bytes"),
    ]


FRAGMENTS = """\
---
tasks:
- name: a
  interval: 1h
  prompt: b
every: 30m
cron: "* * * * *"
model: haiku
# Model: x
tools: [Read]
check: |
  x
<!--
-->
```

active_hours: 08:00-09:00
tz: UTC
fallback: [skip]
budget: {usd: 1}
stagger: 1m
"""
words = st.sampled_from(FRAGMENTS.splitlines())
lines = st.lists(words | st.text(max_size=12), max_size=14).map("\n".join)


@given(lines | st.text() | st.binary(max_size=60).map(lambda some: some.decode("latin-1")))
def test_no_text_makes_it_raise(text: str) -> None:
    """There are beats or faults, never both; a fault's line is in the file."""
    source = document.Source(Path("/somewhere/HEARTBEAT.md"))
    loaded = document.read(source, text, Defaults(CONFIG, "UTC"))
    assert bool(loaded.beats) != bool(loaded.faults)
    assert all(0 <= fault.line <= len(text.splitlines()) + 1 for fault in loaded.faults)
    assert all(str(fault).isprintable() for fault in loaded.faults)


@given(
    st.sampled_from(["every", "cron", "tz", "model", "active_hours", "tools", "name"]), st.text()
)
def test_no_value_makes_it_raise(key: str, value: str) -> None:
    """Whatever stands in quotes behind a key."""
    quoted = value.replace("'", "''").replace("\n", " ")
    source = document.Source(Path("/somewhere/HEARTBEAT.md"))
    loaded = document.read(
        source, f"---\n{key}: '{quoted}'\n---\n- Look.\n", Defaults(CONFIG, "UTC")
    )
    assert bool(loaded.beats) != bool(loaded.faults)

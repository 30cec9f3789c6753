"""What the doctor says of the client, of other hooks, of agent files and of the status line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from trees import write

from .conftest import Diagnose, change

Install = Callable[..., None]


@pytest.mark.parametrize(
    ("said", "verdict"),
    [("2.1.251", "ok"), ("2.1.250", "warning"), ("1.9.999", "warning"), ("what?", "warning")],
)
def test_the_client_is_asked_for_its_version(
    install: Install, path: Path, diagnose: Diagnose, said: str, verdict: str
) -> None:
    """An old one runs subagents on what the environment says, whatever is set."""
    install()
    (path / "claude").write_text(f"#!/bin/sh\necho '{said} (Claude Code)'\n")

    found = diagnose()

    assert [finding.verdict for finding in found["client"]] == [verdict]
    assert [finding.verdict for finding in found["conflicts"]] == ["ok"]


def test_another_hook_on_subagents_is_a_warning(
    install: Install, work: Path, diagnose: Diagnose
) -> None:
    """In the project's own settings, too."""
    install()
    (work / ".claude").mkdir()
    (work / ".claude/settings.json").write_text("{}")
    group = {"matcher": "Task", "hooks": [{"type": "command", "command": "other"}]}
    change(work / ".claude/settings.json", hooks={"PreToolUse": [group]})

    (finding,) = diagnose()["conflicts"]

    assert finding.verdict == "warning"
    assert "also sees new subagents" in finding.what


# Each was given to client 2.1.329: listed or skipped as said here.
SKIPPED = [
    ("---\nname: x\n---\nhello\n", "it has no description"),
    ("---\ndescription: d\n---\nhello\n", "it has no name"),
    ('---\nname: x\ndescription: ""\n---\n', "it has no description"),
    ("---\nname: x\ndescription: # note\n---\n", "it has no description"),
    ("---\nname: x\ndescription: 12\n---\n", "it has no description"),
    ("---\nname: x\ndescription: [a, b]\n---\n", "it has no description"),
    ("---\nname: 12\ndescription: d\n---\n", "it has no name"),
    ("---\nname: x\ndescription: first\n  second: third\n---\n", "it cannot be read"),
    ("---\nname: x\n\tdescription: d\n---\n", "it cannot be read"),
    ('---\nname: x\ndescription: "a" b\n---\n', "it cannot be read"),
    ("---\nname: a:b\ndescription: d\n---\n", "'a:b' is no name for an agent"),
    ("---\nname: -x\ndescription: d\n---\n", "'-x' is no name for an agent"),
]
LISTED = [
    "---\nname: x\ndescription: a: b: c\n---\n",
    "---\nname: x\ndescription: [a, b\n---\n",
    "---\nname: x\ndescription: *bold* d\n---\n",
    "---\nname: x\ndescription: %x @y\n---\n",
    "---\nname: x\ndescription: yes\n---\n",
    "---\r\nname: x\r\ndescription: d\r\n---\r\n",
    "\ufeff---   \nname: X y\ndescription: d\n---\n",
]
NOTES = ["just notes\n", "", "---\n- a list\n---\n", "---\ntitle: notes\n---\n"]


@pytest.mark.parametrize(("text", "words"), SKIPPED)
def test_an_agent_file_that_is_skipped_is_named(
    install: Install, work: Path, diagnose: Diagnose, text: str, words: str
) -> None:
    """The client says nothing about it."""
    install()
    file = write(work / ".claude/agents/deep/x.md", text)

    (finding,) = diagnose()["agents"]

    assert finding.verdict == "warning"
    assert f"{file}: {words}" in finding.what


@pytest.mark.parametrize("text", LISTED + NOTES)
def test_an_agent_file_the_client_reads_is_fine(
    install: Install, work: Path, diagnose: Diagnose, text: str
) -> None:
    """It reads more than YAML allows, and takes a file without a head for notes."""
    install()
    write(work / ".claude/agents/x.md", text)

    assert [finding.verdict for finding in diagnose()["agents"]] == ["ok"]


def test_two_agents_of_one_name_are_a_warning(
    install: Install, home: Path, diagnose: Diagnose
) -> None:
    """Which of them runs is up to the order of the folder."""
    install()
    copy = home / ".claude/agents/copy.md"
    copy.write_text((home / ".claude/agents/explorer.md").read_text())

    (finding,) = diagnose()["agents"]

    assert "two agents named explorer" in finding.what


def test_an_agent_of_ours_that_was_removed_is_named(
    install: Install, home: Path, diagnose: Diagnose
) -> None:
    """Perhaps on purpose: a warning."""
    install()
    (home / ".claude/agents/explorer.md").unlink()

    (finding,) = diagnose()["agents"]

    assert finding.what == "removed since the install: agents/explorer.md"


def test_a_status_line_put_over_ours_is_a_warning(
    install: Install, settings: Path, diagnose: Diagnose
) -> None:
    """Only ours keeps what the plan's windows say."""
    install()
    change(settings, statusLine={"type": "command", "command": "mine"})

    (finding,) = diagnose()["status line"]

    assert finding.verdict == "warning"


def test_a_chained_status_line_is_named(
    install: Install, home: Path, settings: Path, diagnose: Diagnose
) -> None:
    """The user's own still runs."""
    (home / ".claude").mkdir()
    settings.write_text("{}")
    change(settings, statusLine={"type": "command", "command": "mine --short"})
    install()

    (finding,) = diagnose()["status line"]

    assert finding.what == "ours, after yours: mine --short"


def test_the_line_of_subagents_is_looked_at_too(
    install: Install, settings: Path, diagnose: Diagnose
) -> None:
    """Ours, and after another was put over it not ours."""
    install()
    (finding,) = diagnose()["line of subagents"]
    assert finding.what == "ours"

    change(settings, subagentStatusLine={"type": "command", "command": "mine"})

    (finding,) = diagnose()["line of subagents"]
    assert finding.verdict == "warning"

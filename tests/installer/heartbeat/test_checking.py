"""What a beat's own check says, by real commands."""

from __future__ import annotations

import os
import select
from pathlib import Path

import pytest
from claude_tier.heartbeat import checking


@pytest.mark.parametrize(
    ("command", "found", "text"),
    [
        ("echo it is full", "something", "it is full"),
        ("true", "nothing", ""),
        ("echo; echo ' '", "nothing", ""),
        ("grep -q x /dev/null", "nothing", ""),
        ("echo x; exit 1", "nothing", ""),
        ("echo no >&2; exit 3", "failed", "the check ended with exit code 3: no"),
        ("kill -9 $$", "failed", "the check ended with exit code -9"),
        ("echo out; echo err >&2", "something", "out"),
        ("sleep 100 & echo started", "something", "started"),
        ("exec >&-; exit 0", "nothing", ""),
        ("cat", "nothing", ""),
    ],
)
def test_output_is_something_to_look_at(
    tmp_path: Path, command: str, found: str, text: str
) -> None:
    """Nothing, or exit 1, is nothing; anything else failed."""
    assert checking.run(command, tmp_path, seconds=60) == (found, text)


def test_a_command_that_is_not_there_failed(tmp_path: Path) -> None:
    """With the shell's own words."""
    found = checking.run("no-such-command-here", tmp_path, seconds=60)
    assert found.found == "failed"
    assert "exit code 127" in found.text
    assert "no-such-command-here" in found.text


def test_a_check_is_ended_at_its_deadline_with_all_it_started(tmp_path: Path) -> None:
    """Its group is gone, and nobody waited for it."""
    command = "sleep 1000 & echo $! > pid; sleep 1000"
    found = checking.run(command, tmp_path, seconds=0.5)
    assert found == ("failed", "the check took longer than 0 s")
    _wait_for_the_end_of(int((tmp_path / "pid").read_text()))


def _wait_for_the_end_of(pid: int) -> None:
    try:
        watched = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    assert select.select([watched], [], [], 60)[0]
    os.close(watched)


def test_endless_output_is_cut(tmp_path: Path) -> None:
    """As much as is evidence is kept, whatever the rest is."""
    found = checking.run("head -c 10000000 /dev/zero | tr '\\0' x", tmp_path, seconds=60)
    assert found.found == "something"
    assert len(found.text) == checking.LONGEST + len(checking.CUT)


def test_it_works_in_its_projects_folder(tmp_path: Path) -> None:
    """Where HEARTBEAT.md is."""
    assert checking.run("pwd -P", tmp_path, seconds=60).text == os.path.realpath(tmp_path)


def test_endless_complaints_fill_no_disk(tmp_path: Path) -> None:
    """Its last words are told."""
    command = "head -c 3000000 /dev/zero | tr '\\0' x >&2; echo the end >&2; exit 3"
    found = checking.run(f"ulimit -f 1000; {command}", tmp_path, seconds=60)
    assert found.found == "failed"
    assert found.text.endswith("xthe end")

"""An agent for launchd, which runs on macOS alone.

Here its file is read back as launchd would, and `launchctl` only writes down how it was called.
"""

from __future__ import annotations

import os
import plistlib
from collections.abc import Callable
from pathlib import Path

import pytest
from claude_tier.errors import UserError
from claude_tier.heartbeat.schedulers import launchd
from claude_tier.heartbeat.schedulers.job import Job
from stand_ins import Recorded
from trees import snapshot


@pytest.fixture
def launchctl(program: Callable[[str], Recorded]) -> Recorded:
    return program("launchctl")


def agent(home: Path) -> Path:
    (found,) = (home / "Library/LaunchAgents").iterdir()
    return found


def test_a_plist_gives_back_what_was_put_in(odd_home: Path, job: Job, launchctl: Recorded) -> None:
    """Every word and variable, whatever is in it; launchd knows no USER or SHELL by itself."""
    launchd.add(job)
    found = plistlib.loads(agent(odd_home).read_bytes())
    assert found["Label"] == job.name == agent(odd_home).stem
    assert tuple(found["ProgramArguments"]) == job.words
    assert found["EnvironmentVariables"] == job.environment
    assert job.environment["SHELL"] == "/bin/sh"
    assert job.environment["USER"]
    assert found["StartInterval"] == 60


def test_it_is_loaded_and_unloaded(odd_home: Path, job: Job, launchctl: Recorded) -> None:
    """An agent that is changed is loaded anew."""
    domain = f"gui/{os.getuid()}"
    launchd.add(job)
    path = agent(odd_home)
    launchd.add(job)
    launchd.remove(job.name, ())
    assert launchctl.calls == [
        f"launchctl bootstrap {domain} {path}",
        f"launchctl bootout {domain}/{job.name}",
        f"launchctl bootstrap {domain} {path}",
        f"launchctl bootout {domain}/{job.name}",
    ]


def test_an_agent_that_stands_already_is_not_said_to_be_written(
    odd_home: Path, job: Job, launchctl: Recorded
) -> None:
    """It is loaded anew all the same."""
    assert launchd.add(job).lines[0] == f"Wrote {agent(odd_home)}"
    stands = f"{agent(odd_home)} stands already."
    assert launchd.add(job).lines == (stands, f"Loaded {job.name}.")


def test_folders_that_were_made_go_with_it(odd_home: Path, job: Job, launchctl: Recorded) -> None:
    """And those of others stay."""
    (odd_home / "Library").mkdir()
    before = snapshot(odd_home)
    launchd.remove(job.name, launchd.add(job).made)
    assert snapshot(odd_home) == before


def test_what_launchd_refuses_leaves_nothing(odd_home: Path, job: Job, launchctl: Recorded) -> None:
    """And is said in its words."""
    before = snapshot(odd_home)
    launchctl.fail("bootstrap")
    with pytest.raises(UserError, match="it said no"):
        launchd.add(job)
    assert snapshot(odd_home) == before

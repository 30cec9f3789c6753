"""A home with an odd name and our hooks in it, and stand-ins for what the machine lacks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import crontabs
import pytest
from claude_tier.heartbeat.schedulers.job import Job
from claude_tier.heartbeat.schedulers.job import job as made
from crontabs import Spool
from stand_ins import Recorded, recorder

ODD = 'a\'b "c" 100%h $HOME ü'


@pytest.fixture
def odd_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home in which every scheduler's language has something to quote, with the tick's script."""
    folder = home / ODD
    script = folder / ".claude/claude-tier/hooks/heartbeat_tick.py"
    script.parent.mkdir(parents=True)
    script.write_text("")
    monkeypatch.setenv("HOME", str(folder))
    return folder


@pytest.fixture
def job(odd_home: Path) -> Job:
    return made()


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Recorded]:
    """Put a recorder of that name first on PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    def put(name: str) -> Recorded:
        return recorder(folder / name, tmp_path / f"{name}.log")

    return put


@pytest.fixture
def spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Spool:
    """A spool folder of its own behind the real `crontab`."""
    if why := crontabs.missing():
        pytest.skip(why)
    folder, programs = tmp_path / "spool", tmp_path / "programs"
    folder.mkdir()
    programs.mkdir()
    crontabs.write_program(programs, folder)
    monkeypatch.setenv("PATH", f"{programs}:/usr/sbin:/usr/bin:/bin")
    return Spool(folder)

"""A user's timer and service, as systemd itself reads them.

No user's systemd runs where tests do: `systemctl` only writes down how it was called.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from claude_tier.errors import UserError
from claude_tier.heartbeat.schedulers import systemd
from claude_tier.heartbeat.schedulers.job import Job
from stand_ins import Recorded
from trees import snapshot

ANALYZE = shutil.which("systemd-analyze")


@pytest.fixture
def analyze(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run systemd-analyze, for a user."""
    if ANALYZE is None:
        pytest.skip("needs systemd-analyze (package systemd)")
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [ANALYZE, *words],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "XDG_RUNTIME_DIR": str(runtime)},
        )

    return run


@pytest.fixture
def systemctl(program: Callable[[str], Recorded]) -> Recorded:
    program("loginctl")
    return program("systemctl")


def units(home: Path) -> list[Path]:
    return sorted((home / ".config/systemd/user").glob("*.*"))


def test_systemd_takes_our_units(
    odd_home: Path, job: Job, systemctl: Recorded, analyze: Callable[..., object]
) -> None:
    """Nothing in them is unknown to it, also with quotes, spaces, dollars and percent signs."""
    systemd.add(job)
    found = analyze("verify", "--user", "--man=no", *map(str, units(odd_home)))
    assert isinstance(found, subprocess.CompletedProcess)
    assert (found.returncode, found.stderr) == (0, "")


def test_a_unit_that_stands_already_is_not_said_to_be_written(
    odd_home: Path, job: Job, systemctl: Recorded
) -> None:
    """One with another environment is, and its timer is not touched."""
    service, timer = (Path(line.removeprefix("Wrote ")) for line in systemd.add(job).lines[:2])
    both = (f"{service} stands already.", f"{timer} stands already.")
    assert systemd.add(job).lines[:2] == both
    other = replace(job, environment={"PATH": "/elsewhere"})
    assert systemd.add(other).lines[:2] == (f"Wrote {service}", both[1])


def test_systemd_finds_a_program_with_an_odd_path(
    odd_home: Path,
    job: Job,
    systemctl: Recorded,
    analyze: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    """The interpreter is looked for just where it is: a missing one would be a fault."""
    python = odd_home.parent / "py 100%h $HOME ü" / "python"
    python.parent.mkdir()
    systemd.add(replace(job, python=str(python)))
    words = ("verify", "--user", "--man=no", *map(str, units(odd_home)))
    assert "not executable" in analyze(*words).stderr
    python.symlink_to("/bin/true")
    assert analyze(*words).returncode == 0


def read_back(line: str) -> list[str]:
    """The words of a command as systemd.syntax(7) and systemd.service(5) have them."""
    program, *words = shlex.split(line.replace("%%", "%"))
    assert all("$" not in word.replace("$$", "") for word in words)
    return [program, *(word.replace("$$", "$") for word in words)]


def test_every_word_arrives_as_it_is(odd_home: Path, job: Job, systemctl: Recorded) -> None:
    """A dollar begins no variable, which systemd would look for in every word but the first."""
    systemd.add(replace(job, python="/opt/$x/python"))
    lines = units(odd_home)[0].read_text().splitlines()
    (command,) = [line for line in lines if line.startswith("ExecStart=")]
    assert read_back(command.partition("=")[2]) == ["/opt/$x/python", *job.words[1:]]
    (home,) = [line for line in lines if line.startswith('Environment="HOME=')]
    assert shlex.split(home.partition("=")[2].replace("%%", "%")) == [f"HOME={odd_home}"]


def test_the_timer_comes_every_minute(
    odd_home: Path,
    job: Job,
    systemctl: Recorded,
    analyze: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    """By systemd's own word; what was missed while the machine slept is not made up for."""
    systemd.add(job)
    timer = units(odd_home)[1].read_text()
    (calendar,) = [line for line in timer.splitlines() if line.startswith("OnCalendar=")]
    said = analyze("calendar", calendar.partition("=")[2])
    assert "*-*-* *:*:00" in said.stdout
    assert "Persistent=false" in timer


def test_it_is_started_and_stopped_by_systemd(job: Job, systemctl: Recorded) -> None:
    """After the files are read, and before they go."""
    made = systemd.add(job).made
    systemd.remove(job.name, made)
    timer = f"{job.name}.timer"
    assert [call for call in systemctl.calls if " show " not in call] == [
        "systemctl --user daemon-reload",
        f"systemctl --user enable --now {timer}",
        f"systemctl --user disable --now {timer}",
        "systemctl --user daemon-reload",
    ]


def test_folders_that_were_made_go_with_it(odd_home: Path, job: Job, systemctl: Recorded) -> None:
    """And those of others stay."""
    (odd_home / ".config").mkdir()
    before = snapshot(odd_home)
    systemd.remove(job.name, systemd.add(job).made)
    assert snapshot(odd_home) == before


def test_it_is_taken_out_where_no_systemd_runs(
    odd_home: Path, job: Job, systemctl: Recorded
) -> None:
    """With the link that `enable` makes, so that the next start of the machine finds nothing."""
    made = systemd.add(job).made
    wants = odd_home / ".config/systemd/user/timers.target.wants"
    wants.mkdir()
    (wants / f"{job.name}.timer").symlink_to(units(odd_home)[1])
    systemctl.fail("show")
    systemd.remove(job.name, made)
    assert not (odd_home / ".config").exists()


def test_what_systemd_refuses_leaves_nothing(odd_home: Path, job: Job, systemctl: Recorded) -> None:
    """And is said in its words."""
    before = snapshot(odd_home)
    systemctl.fail("enable")
    with pytest.raises(UserError, match="it said no"):
        systemd.add(job)
    assert snapshot(odd_home) == before


def test_a_machine_without_a_user_s_systemd_is_told_apart(systemctl: Recorded) -> None:
    """As in a container or over plain ssh: then cron has to do."""
    assert systemd.missing() is None
    systemctl.fail("show")
    assert "it said no" in (systemd.missing() or "")


@pytest.mark.parametrize(("linger", "advised"), [("Linger=no", True), ("Linger=yes", False)])
def test_who_is_logged_out_is_told_of_lingering(
    job: Job, program: Callable[[str], Recorded], *, linger: str, advised: bool
) -> None:
    """A user's systemd ends with the last session unless it lingers."""
    program("systemctl")
    program("loginctl").say(linger)
    said = " ".join(systemd.add(job).lines)
    assert ("loginctl enable-linger" in said) is advised

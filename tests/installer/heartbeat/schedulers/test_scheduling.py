"""Which scheduler starts the tick, and that no other does."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from claude_tier import bundle, cli
from claude_tier.errors import UserError
from claude_tier.heartbeat import schedulers, scheduling
from claude_tier.heartbeat.schedulers import job as jobs
from claude_tier.install import installing, scopes
from crontabs import Spool
from stand_ins import Recorded
from trees import snapshot

THEIRS = "@daily backup\n"


def units(home: Path) -> list[Path]:
    return list((home / ".config/systemd/user").glob("*.*"))


@pytest.fixture
def machine(odd_home: Path, spool: Spool, tmp_path: Path) -> Spool:
    """With a cron that has a crontab, and without any systemd of the user's."""
    spool.write(THEIRS)
    return spool


@pytest.fixture
def systemctl(machine: Spool, tmp_path: Path) -> Recorded:
    """A systemd of the user's as well."""
    from stand_ins import recorder

    recorder(tmp_path / "programs/loginctl", tmp_path / "loginctl.log")
    return recorder(tmp_path / "programs/systemctl", tmp_path / "systemctl.log")


@pytest.mark.parametrize(
    ("platform", "lacking", "chosen"),
    [("darwin", "", "launchd"), ("linux", "", "systemd"), ("linux", "show", "cron")],
)
def test_the_machine_s_own_is_chosen(
    program: Callable[[str], Recorded], platform: str, lacking: str, chosen: str
) -> None:
    """launchd on macOS; elsewhere systemd where one of the user's runs, else cron."""
    program("launchctl")
    program("crontab")
    systemctl = program("systemctl")
    if lacking:
        systemctl.fail(lacking)
    assert schedulers.pick(platform) == chosen


def test_without_any_scheduler_it_is_said_what_each_lacks(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """And what else would do."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match=r"no `systemctl`.*no `crontab`") as raised:
        schedulers.pick("linux")
    assert "heartbeat tick" in str(raised.value.hint)


def test_a_machine_looks_the_same_after_uninstall(machine: Spool, odd_home: Path) -> None:
    """Crontab and home, also when it was installed twice."""
    before = snapshot(odd_home, without=odd_home / ".claude")
    scheduling.install("cron")
    scheduling.install("cron")
    assert scheduling.places() == ["your crontab"]
    scheduling.uninstall()
    assert machine.text == THEIRS
    assert scheduling.record() is None
    assert scheduling.uninstall() == []
    assert snapshot(odd_home, without=odd_home / ".claude") == before


def test_another_scheduler_takes_the_place_of_the_first(
    machine: Spool, systemctl: Recorded, odd_home: Path
) -> None:
    """Two would do the work of one."""
    scheduling.install("cron")
    scheduling.install("systemd")
    assert (machine.text, len(units(odd_home))) == (THEIRS, 2)
    scheduling.install("cron")
    assert units(odd_home) == []
    assert scheduling.places() == ["your crontab"]


def test_what_was_made_for_it_is_remembered_by_a_second_install(
    machine: Spool, systemctl: Recorded, odd_home: Path
) -> None:
    """The folders are there then, and still ours."""
    scheduling.install("systemd")
    scheduling.install("systemd")
    scheduling.uninstall()
    assert not (odd_home / ".config").exists()


def test_an_entry_is_found_without_our_record(machine: Spool) -> None:
    """As when the state folder was lost."""
    scheduling.install("cron")
    (Path(jobs.job().script).parents[1] / "heartbeat/scheduler.json").unlink()
    scheduling.uninstall()
    assert machine.text == THEIRS


def test_a_dry_run_writes_nothing(machine: Spool, capsys: pytest.CaptureFixture[str]) -> None:
    """It shows the entry and where it would stand."""
    assert cli.main(["heartbeat", "install", "--scheduler", "cron", "--dry-run"]) == 0
    assert "* * * * * /usr/bin/env PATH=" in capsys.readouterr().out
    assert (machine.text, scheduling.record()) == (THEIRS, None)


@pytest.mark.parametrize("command", ["install", "uninstall"])
def test_claude_neither_installs_nor_uninstalls_it(
    machine: Spool, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What runs unattended is the user's to decide."""
    scheduling.install("cron")
    before = machine.text
    monkeypatch.setenv("CLAUDECODE", "1")
    assert cli.main(["heartbeat", command]) == 1
    assert machine.text == before


def test_without_the_hooks_there_is_nothing_to_start(
    machine: Spool, odd_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Which is said with the remedy."""
    (odd_home / ".claude/claude-tier/hooks/heartbeat_tick.py").unlink()
    assert cli.main(["heartbeat", "install", "--scheduler", "cron"]) == 1
    assert "claude-tier install" in capsys.readouterr().err
    assert machine.text == THEIRS


def test_a_path_that_no_entry_can_hold_is_refused(
    machine: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line break would end it in the middle."""
    monkeypatch.setenv("PATH", "/a\nb:/usr/bin")
    with pytest.raises(UserError, match="no scheduler's entry"):
        jobs.job()


def test_folders_that_depend_on_the_place_are_no_part_of_its_path(
    odd_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`.` and empty ones; cron starts in another folder than the user did."""
    monkeypatch.setenv("PATH", "bin::.:/own:/usr/bin:/own")
    assert jobs.job().environment["PATH"] == "/own:/usr/bin:/usr/local/bin:/bin"


def test_no_key_is_written_into_an_entry(odd_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries can be read by others, and end up in backups."""
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-or-of-the-user")
    monkeypatch.setenv("CLAUDE_CODE_OAUTH_TOKEN", "sk-ant-of-the-user")
    assert "of-the-user" not in json.dumps(jobs.job().environment)


def test_each_folder_of_claude_code_has_an_entry_of_its_own(
    odd_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also on the same crontab."""
    first = jobs.name()
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(odd_home / "other"))
    assert jobs.name() != first


def test_uninstall_of_claude_tier_takes_it_out(
    machine: Spool, odd_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the runtime that it starts; a dry run says so and leaves it."""
    installing.install(
        installing.Request(scopes.target("user", odd_home / ".claude", None), bundle.root())
    )
    scheduling.install("cron")
    before = machine.text
    assert cli.main(["uninstall", "--dry-run"]) == 0
    assert "would run claude-tier heartbeat uninstall" in capsys.readouterr().out
    assert machine.text == before
    assert cli.main(["uninstall"]) == 0
    assert "Took the entry out of your crontab." in capsys.readouterr().out
    assert machine.text == THEIRS


def test_uninstall_of_one_of_two_installs_leaves_it(
    machine: Spool, odd_home: Path, tmp_path: Path
) -> None:
    """The other one keeps the runtime."""
    root = tmp_path / "project"
    (root / ".git").mkdir(parents=True)
    config = odd_home / ".claude"
    for target in (scopes.target("user", config, None), scopes.target("local", config, root)):
        installing.install(installing.Request(target, bundle.root()))
    scheduling.install("cron")
    assert cli.main(["uninstall", str(root), "--scope", "local"]) == 0
    assert scheduling.places() == ["your crontab"]


def test_a_mistake_of_the_configuration_is_told_once_and_what_it_means(
    machine: Spool, odd_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The scheduler is set up: its ticks wait until the file is mended."""
    (odd_home / ".claude/claude-tier/config.yaml").write_text("budgts: []\n")
    assert cli.main(["heartbeat", "install", "--scheduler", "cron"]) == 0
    err = capsys.readouterr().err
    assert err.count("budgts: unknown key") == 1
    assert err.endswith("\nWarning: no beat runs until config.yaml holds.\n")
    assert scheduling.places() == ["your crontab"]

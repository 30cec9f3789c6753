"""A command shows what config.yaml says now, or why it does not hold."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest
from claude_tier import cli
from claude_tier.config import ConfigError, compile_user_policy
from claude_tier_hooks import policy, refresh, state


@pytest.fixture
def file(home: Path) -> Path:
    """config.yaml of somebody who has enabled the plugin and nothing else."""
    path = home / ".claude/claude-tier/config.yaml"
    path.parent.mkdir(parents=True)
    path.write_text("preset: budget\n")
    return path


@pytest.mark.parametrize("command", [["status"], ["budget", "check"], ["log"], ["prices"]])
def test_a_configuration_never_compiled_comes_into_force(file: Path, command: list[str]) -> None:
    """The hooks of a plugin find it, and the command to compile with, from then on."""
    assert policy.load()["preset"] == "balanced"

    cli.main(command)

    assert policy.load()["preset"] == "budget"
    assert (state.read_json(state.path("policy.json")) or {})["command"]
    file.write_text("preset: premium\n")
    cli.main(command)
    assert policy.load()["preset"] == "premium"


def test_a_mistake_is_a_warning_each_time(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With file, line, column and key; the command goes on with the policy before it."""
    cli.main(["status"])
    capsys.readouterr()
    file.write_text("budgts: []\n")

    for _ in range(2):
        assert cli.main(["log"]) == 0
        warned = capsys.readouterr().err
        assert f"{file}:1:1: budgts: unknown key; did you mean budgets?" in warned
    assert policy.load()["preset"] == "budget"


def test_status_says_a_mistake_once(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On its screen, where everything that is wrong stands first."""
    file.write_text("budgts: []\n")
    assert cli.main(["status"]) == 0
    said = capsys.readouterr()
    assert said.out.count("config.yaml:1:1: budgts: unknown key") == 1
    assert "budgts" not in said.err


@pytest.mark.parametrize(
    "command",
    [
        ["ask", "hello"],
        ["route", "hello"],
        ["providers"],
        ["pipeline", "list"],
        ["pipeline", "check", "change"],
        ["pipeline", "run", "change", "--dry-run"],
        ["heartbeat", "list"],
        ["heartbeat", "status"],
        ["emergency"],
        ["env", "--group", "x"],
        ["run", "--group", "x"],
    ],
    ids=" ".join,
)
def test_a_command_that_needs_the_configuration_fails_with_its_mistake(
    file: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    """Which is told once, and then that it is the reason."""
    file.write_text("budgts: []\n")
    assert cli.main(command) == 1
    said = capsys.readouterr()
    warning, mistake, failure, hint = said.err.splitlines()
    assert said.out == ""
    assert warning == "Warning: the configuration does not hold as it is written:"
    assert mistake.startswith(f"{file}:1:1: budgts: unknown key; did you mean budgets?")
    assert failure == f"claude-tier: {cli.NOT_WITHOUT}"
    assert hint.startswith("This command needs a valid file; for hooks the previous ")


@pytest.mark.parametrize(
    "command",
    [
        ["report"],
        ["cooldown", "list"],
        ["pipeline", "runs"],
        ["pipeline", "forget", "--older", "1d"],
        ["heartbeat", "history"],
        ["heartbeat", "init"],
        ["heartbeat", "tick"],
        ["heartbeat", "uninstall"],
        ["emergency", "on"],
        ["emergency", "off"],
    ],
    ids=" ".join,
)
def test_a_command_that_does_without_the_configuration_goes_on(
    file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: list[str],
) -> None:
    """With the policy before it, and its mistake is told once, of groups of commands as well."""
    monkeypatch.chdir(tmp_path)
    file.write_text("budgts: []\n")
    assert cli.main(command) == 0
    assert capsys.readouterr().err.count("budgts: unknown key") == 1


@pytest.mark.parametrize("command", [["pipeline", "show", "x"], ["heartbeat", "remove"]])
def test_a_command_that_fails_otherwise_says_both(
    file: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    """The mistake, and why it failed."""
    file.write_text("budgts: []\n")
    assert cli.main(command) == 1
    warning, mistake, failure, _hint = capsys.readouterr().err.splitlines()
    assert warning.startswith("Warning: ")
    assert mistake.startswith(f"{file}:1:1: budgts: unknown key")
    assert failure.startswith("claude-tier: ")
    assert cli.NOT_WITHOUT not in failure


def test_doctor_says_a_mistake_once(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Among all that it finds."""
    file.write_text("budgts: []\n")
    assert cli.main(["doctor"]) == 1
    said = capsys.readouterr()
    assert (said.out + said.err).count("budgts: unknown key") == 1


@pytest.mark.parametrize("command", [["route", "hello"], ["status"], ["doctor"]], ids=" ".join)
def test_a_mistake_of_a_project_is_said_once(
    file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: list[str],
) -> None:
    """By a warning, or on the screen that says what is wrong."""
    (tmp_path / ".claude").mkdir()
    (tmp_path / ".claude/claude-tier.yaml").write_text("budgts: []\n")
    monkeypatch.chdir(tmp_path)
    cli.main(command)
    said = capsys.readouterr()
    assert (said.out + said.err).count("budgts: unknown key") == 1


def test_what_could_not_be_read_is_tried_again_once_it_can(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Giving permission changes neither size nor time of the file."""
    cli.main(["status"])
    with monkeypatch.context() as patch:
        deny(patch, file)
        with pytest.raises(ConfigError, match="cannot be read: Permission denied"):
            compile_user_policy(file.parent)
        assert refresh.stands(refresh.fault() or {})
    capsys.readouterr()

    cli.main(["status"])

    assert "cannot be read" not in capsys.readouterr().out
    assert refresh.fault() is None


def deny(patch: pytest.MonkeyPatch, file: Path) -> None:
    """As to another user than root, whom no mode keeps out."""
    opened, asked = os.open, os.access

    def refuse(path: object, *rest: Any, **more: Any) -> int:
        if str(path) == str(file):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return opened(path, *rest, **more)  # type: ignore[arg-type]

    patch.setattr(os, "open", refuse)
    patch.setattr(os, "access", lambda path, mode: path != str(file) and asked(path, mode))


def test_a_mistake_taken_back_to_the_byte_is_forgotten(file: Path) -> None:
    """The old file, put back with its time, is what was compiled before."""
    cli.main(["status"])
    kept, times = file.read_text(), file.stat()
    file.write_text("budgts: []\n")
    cli.main(["status"])
    assert refresh.fault() is not None
    file.write_text(kept)
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))

    cli.main(["status"])

    assert refresh.fault() is None


def test_switches_do_without_it(file: Path) -> None:
    """Turning off must work whatever the configuration is like."""
    file.write_text("budgts: []\n")

    assert cli.main(["off"]) == 0

    assert not Path(state.path("compile-error.json")).exists()


def test_nothing_is_made_where_nothing_is_configured(home: Path) -> None:
    """Looking leaves no trace."""
    cli.main(["status"])

    assert not (home / ".claude/claude-tier/policy.json").exists()


def test_a_projects_own_file_is_followed_as_well(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The project that the command is run in."""
    (tmp_path / ".claude").mkdir()
    (tmp_path / ".claude/claude-tier.yaml").write_text("assign: {architect: haiku}\n")
    monkeypatch.chdir(tmp_path)

    cli.main(["status"])

    assert file.exists()
    assert policy.load(str(tmp_path))["assign"]["architect"]["tier"] == "haiku"

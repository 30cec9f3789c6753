"""Whatever lies about, the doctor reports it and goes on: it is asked when things are broken."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from claude_tier.cli import main
from claude_tier.install.doctor import Machine, examine
from claude_tier.install.doctor.report import Finding, ok

from .conftest import Diagnose

Install = Callable[..., None]

NAMES = (
    "ledger.db",
    "hooks.log",
    "live",
    "manifest.json",
    "policy.json",
    "compile-error.json",
    "config.yaml",
    "off",
    "journal.json",
    "hooks",
    "spool",
    "backups",
)
GARBAGE = (b"", b"\x00\xff\xfe garbage", b"[1, 2]", b'{"sources": 7, "until": [], "line": {}}')


def examined(diagnose: Diagnose) -> set[str]:
    """The names of all findings; none of them is that a check failed itself."""
    found = diagnose()
    failed = [one.what for all_of in found.values() for one in all_of if "this check" in one.what]
    assert failed == []
    return set(found)


def clear(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("content", GARBAGE)
def test_garbage_in_the_state_folder_is_survived(
    install: Install, state: Path, diagnose: Diagnose, name: str, content: bytes
) -> None:
    """Every check still gives its findings."""
    install()
    clear(state / name)
    (state / name).write_bytes(content)

    assert {"settings", "hooks", "client", "agents"} <= examined(diagnose)


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_in_the_place_of_a_file_is_survived(
    install: Install, state: Path, diagnose: Diagnose, name: str
) -> None:
    """So is a link that leads to itself."""
    install()
    clear(state / name)
    (state / name / "x").mkdir(parents=True)
    found = examined(diagnose)
    clear(state / name)
    (state / name).symlink_to(state / name)

    assert {"settings", "hooks", "client", "agents"} <= found & examined(diagnose)


@pytest.mark.parametrize("name", ["claude-tier", "agents", "skills", "projects", "settings.json"])
def test_a_file_in_the_place_of_a_folder_is_survived(
    home: Path, diagnose: Diagnose, name: str
) -> None:
    """And the other way about."""
    (home / ".claude").mkdir()
    (home / ".claude" / name).write_text("not what was meant")

    assert {"settings", "hooks", "client", "agents"} <= examined(diagnose)


def test_settings_of_any_shape_are_survived(home: Path, work: Path, diagnose: Diagnose) -> None:
    """Hooks that are lists, groups that are words, commands that are numbers."""
    (work / ".claude").mkdir()
    (home / ".claude").mkdir()
    shapes = (
        '{"hooks": []}',
        '{"hooks": {"Stop": "x"}}',
        '{"hooks": {"Stop": ["x", {"hooks": 3}, {"hooks": [4, {"command": 5}]}]}}',
        '{"hooks": {"PreToolUse": [{"matcher": {}, "hooks": [{}]}]}, "env": [], "statusLine": 1}',
        '{"enabledPlugins": ["model-tier@x"], "availableModels": 1, "disableAllHooks": "yes"}',
        '{"hooks": {"Stop": [{"hooks": [{"command": "python3 claude-tier/hooks/stop.py \'"}]}]}}',
    )
    for shape in shapes:
        (home / ".claude/settings.json").write_text(shape)
        (work / ".claude/settings.local.json").write_text(shape)

        assert {"settings", "hooks", "client"} <= examined(diagnose), shape


def test_a_check_that_fails_does_not_hide_the_others() -> None:
    """It is a finding like any other."""

    def broken(machine: Machine) -> list[Finding]:
        raise ValueError("boom")

    def sound(machine: Machine) -> list[Finding]:
        return [ok("sound", "as ever")]

    report = examine(Machine(), [broken, sound])

    assert [one.what for one in report.findings] == [
        "this check failed: ValueError: boom",
        "as ever",
    ]


def test_outside_of_any_project_it_works_too(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the home folder, whose .claude is no project's."""
    (home / ".claude").mkdir()
    monkeypatch.chdir(home)

    assert main(["doctor"]) == 1
    assert "no hook of claude-tier is registered" in capsys.readouterr().out


def test_a_folder_that_is_closed_is_one_finding() -> None:
    """However many checks look into it; another check goes on."""
    machine = Machine()

    def closed(_: Machine) -> list[Finding]:
        raise PermissionError(13, "Permission denied", str(machine.state / "spool"))

    def shut(_: Machine) -> list[Finding]:
        raise PermissionError(13, "Permission denied", str(machine.state / "ledger.db"))

    found = examine(machine, [closed, shut, lambda _: [ok("x", "well")]]).findings

    assert [(one.name, one.verdict) for one in found] == [("access", "fault"), ("x", "ok")]
    assert found[0].what == f"{machine.state} is not yours to read and write"
    assert f"chmod 700 '{machine.state}'" in str(found[0].todo)

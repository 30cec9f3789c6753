"""What the doctor says of the copied runtime, the policy, the switch and the last run."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from claude_tier import config, switch
from trees import write

from .conftest import Diagnose

Install = Callable[..., None]


def test_a_half_done_install_is_a_fault(install: Install, state: Path, diagnose: Diagnose) -> None:
    """The journal of a killed command stands until the next one."""
    install()
    (state / "journal.json").write_text("{}")

    assert [finding.verdict for finding in diagnose()["install"]] == ["fault"]


def test_an_old_runtime_is_noticed(install: Install, state: Path, diagnose: Diagnose) -> None:
    """After `pip install -U` the copy is stale until the next install."""
    install()
    (state / "hooks/claude_tier_hooks/__init__.py").write_text('__version__ = "0.0.9"\n')

    (finding,) = diagnose()["runtime"]

    assert (finding.verdict, finding.todo) == ("warning", "Run `claude-tier install`.")
    assert "(differing files: 1)" in finding.what


def test_a_mistake_in_the_configuration_is_a_fault(
    install: Install, state: Path, diagnose: Diagnose
) -> None:
    """File, line and what is wrong, as the hooks noted it."""
    install()
    (state / "config.yaml").write_text("preset: balanced\nbudgits: []\n")
    with pytest.raises(config.ConfigError):
        config.compile_user_policy(state)

    (finding,) = diagnose()["policy"]

    assert finding.verdict == "fault"
    assert f"{state / 'config.yaml'}:2: budgits: unknown key" in finding.what


def test_a_mistake_in_the_projects_file_is_a_fault(
    install: Install, state: Path, work: Path, diagnose: Diagnose
) -> None:
    """It stands beside the user's own policy, which is current."""
    install()
    file = write(work / ".claude/claude-tier.yaml", "exempt: [reviewer]\n")
    with pytest.raises(config.ConfigError):
        config.compile_project_policy(state, work)

    mistake, policy = diagnose()["policy"]

    assert (mistake.verdict, policy.verdict) == ("fault", "ok")
    assert mistake.what.startswith(f"{file}:1: exempt: ")
    assert mistake.what.endswith("; nothing of that file applies")


def test_a_change_not_compiled_yet_is_a_warning(
    install: Install, state: Path, diagnose: Diagnose
) -> None:
    """Edited by hand, and no prompt since."""
    install()
    (state / "config.yaml").write_text("preset: premium\nexempt: [reviewer]\n")

    (finding,) = diagnose()["policy"]

    assert (finding.verdict, finding.what) == (
        "warning",
        "config.yaml was changed and not compiled yet",
    )


def test_a_missing_policy_is_a_warning(install: Install, state: Path, diagnose: Diagnose) -> None:
    """The hooks go on with their defaults."""
    install()
    (state / "policy.json").unlink()

    assert [finding.verdict for finding in diagnose()["policy"]] == ["warning"]


def test_a_compiler_that_is_gone_is_a_warning(
    install: Install, state: Path, diagnose: Diagnose
) -> None:
    """The virtual environment of the command was deleted: edits would have no effect."""
    install()
    policy = json.loads((state / "policy.json").read_bytes())
    policy["command"][0] = "/nowhere/python"
    (state / "policy.json").write_text(json.dumps(policy))

    assert "/nowhere/python is gone" in diagnose()["policy"][-1].what


def test_off_is_a_warning(install: Install, diagnose: Diagnose) -> None:
    """Forgotten, it looks as if nothing worked."""
    install()
    switch.turn_off(time.time(), 3600)

    (finding,) = diagnose()["switch"]

    assert finding.what.startswith("claude-tier is off until 20")
    assert finding.todo == "Turn it on with `claude-tier on`."


def test_only_recent_faults_count(install: Install, state: Path, diagnose: Diagnose) -> None:
    """The last three lines of the last seven days."""
    install()
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    lines = ["2020-01-01T00:00:00Z stop OSError: old", *(f"{stamp} stop X: {n}" for n in range(5))]
    (state / "hooks.log").write_text("\n".join(lines) + "\n")

    (finding,) = diagnose()["faults"]

    assert finding.what.startswith("5 times in 7 days")
    assert "old" not in finding.what
    assert "X: 4" in finding.what
    assert "X: 1" not in finding.what


def transcript(home: Path, name: str, started: float) -> None:
    """A session that began then."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(started))
    folder = home / ".claude/projects/-work"
    folder.mkdir(parents=True, exist_ok=True)
    rows = [{"type": "mode"}, {"type": "user", "timestamp": stamp}]
    (folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")


def test_a_session_without_our_hooks_is_a_warning(
    install: Install, home: Path, settings: Path, state: Path, diagnose: Diagnose
) -> None:
    """Registered, yet a session began after the last run of a hook."""
    now = time.time()
    install()
    os.utime(settings, (now - 7200, now - 7200))
    (state / "live").write_text(str(int(now - 3600)))
    transcript(home, "seen", now - 3600)
    before = diagnose()["last run"]
    transcript(home, "unseen", now - 600)

    (finding,) = diagnose()["last run"]

    assert [one.verdict for one in before] == ["ok"]
    assert finding.verdict == "warning"
    assert "without our hooks" in finding.what


def test_sessions_before_the_install_say_nothing(
    install: Install, home: Path, diagnose: Diagnose
) -> None:
    """Nobody ran hooks then."""
    transcript(home, "earlier", time.time() - 600)
    install()

    assert [one.verdict for one in diagnose()["last run"]] == ["ok"]

"""The doctor's report as people and scripts read it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from claude_tier.cli import main
from claude_tier.install.doctor.report import Report, fault, ok, warning
from syrupy.assertion import SnapshotAssertion

FINDINGS = (
    ok("hooks", "10 events in /home/me/.claude/settings.json"),
    warning("status line", "another one stands there", "Run `claude-tier install`."),
    fault("ledger", "/home/me/.claude/claude-tier/ledger.db is damaged: not a database"),
    fault("disk", "2 MB free", "Make room."),
)


def test_the_report_of_a_sick_machine(snapshot: SnapshotAssertion) -> None:
    """Verdict, what, and below it what to do."""
    assert "\n".join(Report(FINDINGS).lines()) == snapshot


def test_the_report_of_a_sound_machine(snapshot: SnapshotAssertion) -> None:
    """Its last line says so."""
    assert "\n".join(Report(FINDINGS[:1]).lines()) == snapshot


def test_only_a_fault_fails() -> None:
    """A warning is for people; the exit code is for scripts."""
    assert [Report(FINDINGS[:n]).exit_code for n in range(5)] == [0, 0, 0, 1, 1]


def test_json_holds_the_same(home: Path) -> None:
    """One object with a version and every check."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-m", "claude_tier", "doctor", "--json"],
        cwd=home, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip

    result = json.loads(done.stdout)
    assert (done.returncode, result["version"]) == (1, 1)
    assert {tuple(check) for check in result["checks"]} == {("name", "verdict", "what", "todo")}
    assert "no hook of claude-tier is registered" in [check["what"] for check in result["checks"]]


def test_the_doctor_changes_nothing(home: Path) -> None:
    """Not even an empty state folder is made."""
    main(["doctor"])

    assert not list(home.iterdir())

"""`doctor --live` with the real client: what it shows, and that it would show the contrary."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from claude_tier.install.doctor import live
from claude_tier.install.doctor.report import Report

from .command import claude_tier

SECRET = "a key of the user's own"


def verdicts(report: Report) -> dict[str, str]:
    return {finding.name: finding.verdict for finding in report.findings}


def wrapped(client_program: Path, folder: Path, options: str) -> Path:
    """The client with more options on each command line."""
    program = folder / "claude"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(str(client_program))} {options} "$@"\n')
    program.chmod(0o755)
    return program


def test_the_pinned_client_passes(client_program: Path, home: Path) -> None:
    """Every check, as a user runs it; the home of the user is not touched."""
    environment = {"ANTHROPIC_AUTH_TOKEN": SECRET}
    done = claude_tier(
        home, "doctor", "--live", "--json", "--client", str(client_program), env=environment
    )

    result = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert (result["version"], result["client_version"]) == (1, "2.1.329")
    assert {check["name"]: check["verdict"] for check in result["checks"]} == dict.fromkeys(
        ("client", "reach", "hooks", "rewrite", "tokens", "prices", "deny"), "ok"
    )
    assert not list(home.iterdir())


def test_a_client_whose_hooks_do_not_run_fails(client_program: Path, tmp_path: Path) -> None:
    """Nothing set, nothing counted, nothing denied: each is a fault of its own."""
    off = shlex.quote(json.dumps({"disableAllHooks": True}))
    program = wrapped(client_program, tmp_path, f"--settings {off}")

    report = live.examine(program, environ={}, managed=[])

    faults = {name for name, verdict in verdicts(report).items() if verdict == "fault"}
    assert faults == {"hooks", "rewrite", "tokens", "prices", "deny"}
    assert report.exit_code == 1


def test_a_price_that_differs_is_shown(
    client_program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client's own figures are the measure."""
    monkeypatch.setattr(live, "ROUNDING", -1.0)

    report = live.examine(client_program, environ={}, managed=[])

    (prices,) = (finding for finding in report.findings if finding.name == "prices")
    assert prices.verdict == "fault"
    assert "claude-haiku-5-5 $" in prices.what
    assert {name for name, verdict in verdicts(report).items() if verdict == "fault"} == {"prices"}

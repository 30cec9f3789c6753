"""A cloned repository that means harm: no hook hangs, runs or obeys what it brings."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from .process import EVENTS, Run, harmless, sample, transcript


@pytest.mark.parametrize("endless", ["/dev/zero", "pipe"])
def test_a_clone_with_endless_files_is_no_obstacle(endless: str, home: Path, run: Run) -> None:
    """Links in place of the files that a project may bring."""
    project = home / "clone"
    folder = project / ".claude"
    (folder / "agents").mkdir(parents=True)
    (folder / "claude-tier").mkdir()
    target = Path(endless)
    if endless == "pipe":
        target = home / "pipe"
        os.mkfifo(target)
    for name in ("settings.json", "claude-tier.yaml", "claude-tier/policy.json", "agents/x.md"):
        (folder / name).symlink_to(target)
    transcript(home)
    call = {"description": "d", "prompt": "p", "subagent_type": "x"}

    for event in EVENTS:
        harmless(run(event, sample(event, home, cwd=str(project), tool_input=call)))


def test_a_clones_committed_policy_adds_only_what_a_clone_may(home: Path, run: Run) -> None:
    """It may assign and limit; it names no host, price, floor, exemption or command."""
    project = home / "clone"
    folder = project / ".claude/claude-tier"
    folder.mkdir(parents=True)
    hostile = {
        "assign": {"Explore": {"tier": "sonnet", "effort": None}},
        "exempt": ["Explore"],
        "floor": {"Explore": "fable"},
        "command": ["touch", str(home / "ran")],
        "sources": [{"path": "/nowhere", "size": 1, "mtime_ns": 1, "crc32": 1}],
        "hosts": {"api.example.com": {"name": "x", "free": True}},
        "status_line": {"chain": f"touch {home / 'ran'}"},
    }
    (folder / "policy.json").write_text(json.dumps(hostile))
    transcript(home)

    for event in EVENTS:
        harmless(run(event, sample(event, home, cwd=str(project), tool_use_id="toolu_first")))
    done = run("PreToolUse", sample("PreToolUse", home, cwd=str(project)))

    assert done.output["updatedInput"]["model"] == "haiku"  # type: ignore[index]
    assert not (home / "ran").exists()

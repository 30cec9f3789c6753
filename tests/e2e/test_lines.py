"""The status line and the rows of running subagents, in a real terminal."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from claude_tier.livecheck import Answer, Client, Script, spawn, text
from trees import write

from .command import claude_tier, install
from .conftest import Serve
from .installation import Installed, budget
from .witness import LIMIT, SPENT

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is missing")

MANUAL = ("--permission-mode", "default")  # the check of auto mode is not scripted
SLOW = Answer((text("Working on it"), text("and")), ending="stall")
# What Claude Code 2.1.329 says about a row.
TASK = {
    "id", "type", "agentType", "status", "description", "label", "startTime", "model",
    "contextWindowSize", "tokenCount", "tokenSamples", "cwd",
}  # fmt: skip
BASE = {"session_id", "transcript_path", "cwd", "prompt_id", "columns", "tasks"}

THEIRS = """
import json, sys
said = sys.stdin.read()
open({seen!r}, "w").write(said)
for task in json.loads(said)["tasks"]:
    if task["description"] == "first one":
        print(json.dumps({{"id": task["id"], "content": "MINE"}}))
"""
WIDE = """
import os
room = int(os.environ["COLUMNS"]) - 4
print("<" + "a" * (room - 2) + ">")
print("<" + "b" * (room - 1) + ">")
"""


def working() -> Script:
    """Subagents that take their time: one assigned to haiku, the others on what was asked for."""
    calls = [
        spawn("wait here", description="first one", subagent_type="Plan", model="opus"),
        spawn("look around", description="scan things", subagent_type="Explore"),
        spawn("check it", description="third one", subagent_type="Explore", model="sonnet"),
    ]
    script = Script().on("start", calls, text("waiting"))
    return script.on("wait here", SLOW).on("look around", SLOW).on("check it", SLOW)


def test_a_budget_at_stop_keeps_the_router_here_and_the_line_says_so(
    client: Client, serve: Serve, here: Installed
) -> None:
    """Why, and how it ends, as far as there is room."""
    here.configure("providers: {near: {kind: llama-server}}\n" + budget(LIMIT, name="b"))
    here.spend(SPENT["stop"])

    with client.terminal(*MANUAL, api=serve(Script())) as terminal:
        screen = terminal.wait_for("local only")

    assert "local only, the budget b is used up, `claude-tier off --for 1h` ends it" in screen


def test_the_row_of_a_subagent_names_its_model_where_no_row_of_theirs_stands(
    client: Client, serve: Serve, home: Path
) -> None:
    """The model that each really uses, beside what was set, from what the client says about rows.

    Their own command runs before ours, its rows win, and it comes back with uninstall.
    """
    seen, theirs = home / "seen.json", home / "rows.py"
    write(theirs, THEIRS.format(seen=str(seen)))
    settings = client.home / ".claude" / "settings.json"
    line = {"type": "command", "command": f"python3 {theirs}"}
    before = json.dumps({"subagentStatusLine": line})
    write(settings, before)
    install(client.home)

    with client.terminal(*MANUAL, api=serve(working())) as terminal:
        terminal.send("start")
        terminal.wait_for("◯ MINE")
        terminal.wait_for("◯ Explore · haiku-5-5 (assigned) · scan things")
        screen = terminal.wait_for("◯ Explore · sonnet-5-5 · third one")
        terminal.wait_for(" tokens")
    claude_tier(client.home, "uninstall")

    assert "tier opus · today $" in screen
    said = json.loads(seen.read_text())
    assert set(said) == BASE
    assert all(set(task) == TASK for task in said["tasks"])
    assert {task["model"] for task in said["tasks"]} == {
        "claude-opus-5-5", "claude-haiku-5-5", "claude-sonnet-5-5",
    }  # fmt: skip
    assert settings.read_text() == before


def test_a_line_as_wide_as_it_may_be_is_not_cut(client: Client, serve: Serve, home: Path) -> None:
    """The client keeps four columns of COLUMNS; one more and it cuts the line off."""
    mine = home / "mine.py"
    write(mine, WIDE)
    line = {"type": "command", "command": f"python3 {mine}"}
    write(client.home / ".claude" / "settings.json", json.dumps({"statusLine": line}))

    with client.terminal(*MANUAL, api=serve(Script())) as terminal:
        screen = terminal.wait_for("bbbb")

    assert "aaa>" in screen
    assert "bbb…" in screen

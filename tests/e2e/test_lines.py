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
print(json.dumps({{"id": json.loads(said)["tasks"][0]["id"], "content": "MINE"}}))
"""
WIDE = """
import os
room = int(os.environ["COLUMNS"]) - 4
print("<" + "a" * (room - 2) + ">")
print("<" + "b" * (room - 1) + ">")
"""


def working() -> Script:
    """Two subagents that take their time: one assigned to haiku, one on what was asked for."""
    calls = [
        spawn("look around", description="scan things", subagent_type="Explore"),
        spawn("check it", description="second one", subagent_type="Explore", model="sonnet"),
    ]
    script = Script().on("start", calls, text("waiting"))
    return script.on("look around", SLOW).on("check it", SLOW)


def test_the_row_of_a_subagent_names_its_model(
    client: Client, serve: Serve, here: Installed
) -> None:
    """Both at work, the model that each really uses beside what was set."""
    assert here.state.is_dir()
    with client.terminal(*MANUAL, api=serve(working())) as terminal:
        terminal.send("start")
        terminal.wait_for("◯ Explore · haiku-5-5 (assigned) · scan things")
        screen = terminal.wait_for("◯ Explore · sonnet-5-5 · second one")
        terminal.wait_for(" tokens")

    assert "tier opus · today $" in screen


def test_a_budget_at_stop_keeps_the_router_here_and_the_line_says_so(
    client: Client, serve: Serve, here: Installed
) -> None:
    """Why, and how it ends, as far as there is room."""
    here.configure("providers: {near: {kind: llama-server}}\n" + budget(LIMIT, name="b"))
    here.spend(SPENT["stop"])

    with client.terminal(*MANUAL, api=serve(Script())) as terminal:
        screen = terminal.wait_for("local only")

    assert "local only, the budget b is used up, `claude-tier off --for 1h` ends it" in screen


def test_what_the_client_says_about_rows(client: Client, serve: Serve, home: Path) -> None:
    """Their own command runs before ours, its rows win, and it comes back with uninstall."""
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
        terminal.wait_for("◯ Explore · ")
    claude_tier(client.home, "uninstall")

    said = json.loads(seen.read_text())
    assert set(said) == BASE
    assert all(set(task) == TASK for task in said["tasks"])
    assert {task["model"] for task in said["tasks"]} == {"claude-haiku-5-5", "claude-sonnet-5-5"}
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

"""Our agents and skills in the real client: listed in its first request, run on their tier."""

from __future__ import annotations

import json
import os
import shlex
import sys
from pathlib import Path

from claude_tier.livecheck import Client, Script, ScriptedAPI, spawn, text, tool_use
from shipped import AGENTS, IDS, ROOT, SKILLS, TABLE

from .command import IMPORTS, install
from .conftest import Serve


def first_request(api: ScriptedAPI) -> str:
    return api.requests[0].request.conversation


def expected_listing(prefix: str) -> set[str]:
    """The lines of the client's own lists: every agent with its tools, every skill."""
    agents = {
        f"- {prefix}{name}: {agent.head['description']} (Tools: {agent.head['tools']})"
        for name, agent in AGENTS.items()
    }
    skills = {f"- {prefix}{name}: {skill.head['description']}" for name, skill in SKILLS.items()}
    return agents | skills


def expected_table(prefix: str) -> set[str]:
    """The lines of the delegation table."""
    return {f"- {row['work']}: `{prefix}{row['agent']}` ({row['tier']})" for row in TABLE}


def fan_out(prefix: str) -> Script:
    """The main session spawns each of our agents."""
    calls = [spawn(f"task of {name}", subagent_type=prefix + name) for name in AGENTS]
    return Script().on("start", calls, text("ok"))


def tiers_run(api: ScriptedAPI) -> dict[str, str]:
    """prompt -> model, as the subagents asked the API."""
    asked = [one.request for one in api.requests if one.request.asker == "subagent"]
    return {request.prompt: request.model for request in asked}


def expected_tiers() -> dict[str, str]:
    return {f"task of {name}": IDS[agent.head["model"]] for name, agent in AGENTS.items()}


def test_installed_agents_are_listed_and_run_on_their_tier(client: Client, serve: Serve) -> None:
    """Descriptions, skills and the delegation table stand in the first request.

    The request of one that reads holds no shell and no editor.
    """
    install(client.home)
    api = serve(fan_out(""))

    client.run("-p", "start", api=api)

    lines = set(first_request(api).splitlines())
    assert expected_listing("") | expected_table("") <= lines
    assert tiers_run(api) == expected_tiers()
    tools = {one.request.prompt: set(one.request.tools) for one in api.requests}
    for name in ("explorer", "summarizer", "architect"):
        assert tools[f"task of {name}"] == {"Read", "Grep", "Glob"}


def test_the_plugins_agents_are_listed_and_run_on_their_tier(client: Client, serve: Serve) -> None:
    """The same under the plugin's name, without the command installed."""
    api = serve(fan_out("model-tier:"))

    client.run("-p", "start", "--plugin-dir", str(ROOT), api=api)

    lines = set(first_request(api).splitlines())
    assert expected_listing("model-tier:") | expected_table("model-tier:") <= lines
    assert tiers_run(api) == expected_tiers()


def test_an_agent_that_is_not_there_is_not_recommended(client: Client, serve: Serve) -> None:
    """The table names what can be called: a removed file is left out."""
    install(client.home)
    Path(client.home, ".claude/agents/explorer.md").unlink()
    api = serve(Script())

    client.run("-p", "start", api=api)

    assert "`explorer`" not in first_request(api)
    assert "`summarizer` (haiku)" in first_request(api)


def test_the_budget_skill_may_ask_for_the_status_and_nothing_else(
    client: Client, serve: Serve, tmp_path: Path
) -> None:
    """Once the user lets it run: its own command runs unasked, another of ours does not."""
    install(client.home)
    on_path(tmp_path / "claude-tier")
    ask = Script().on(
        "what is left",
        tool_use("Skill", skill="budget"),
        tool_use("Bash", command="claude-tier status"),
        tool_use("Bash", command="claude-tier on"),
        text("told"),
    )
    api = serve(ask)

    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    manual = ("--permission-mode", "manual", "--allowedTools", "Skill(budget)")
    run = client.run("-p", "what is left", *manual, api=api, env=env)

    told = json.dumps(api.requests[-1].request.body["messages"])
    assert "preset balanced" in told
    denied = run.result["permission_denials"]
    assert isinstance(denied, list)
    assert [one["tool_input"]["command"] for one in denied] == ["claude-tier on"]


def on_path(program: Path) -> None:
    """The installed command, as the client's shell finds it."""
    words = ["env", f"PYTHONPATH={IMPORTS}", sys.executable, "-m", "claude_tier"]
    program.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
    program.chmod(0o755)

"""What a run shows: the API's own record of who asked which model, and the rows of the ledger."""

from __future__ import annotations

import json
import sqlite3
from typing import NamedTuple

from claude_tier.livecheck import (
    Answer,
    Client,
    Run,
    Script,
    ScriptedAPI,
    Usage,
    spawn,
    text,
    tool_use,
)
from claude_tier.livecheck.script import Step
from claude_tier_hooks import ledger

from .conftest import Serve
from .installation import Installed

FABLE, OPUS, SONNET, HAIKU = (
    "claude-fable-5-2",
    "claude-opus-5-5",
    "claude-sonnet-5-5",
    "claude-haiku-5-5",
)
FOREGROUND = {"CLAUDE_CODE_DISABLE_BACKGROUND_TASKS": "1"}
LIMIT = 100.0  # dollars; the few cents of a test's own requests do not move its level
SPENT = {"ok": 10.0, "warn": 85.0, "cap": 95.0, "stop": 120.0}

DOLLAR = 50_000  # output tokens of Opus


class Seen(NamedTuple):
    """One run of the client against one script."""

    api: ScriptedAPI
    run: Run

    @property
    def subagents(self) -> dict[str, str]:
        """prompt -> model of every subagent that asked the API."""
        found = [one.request for one in self.api.requests if one.request.asker == "subagent"]
        return {request.prompt: request.model for request in found}

    @property
    def told_to_main(self) -> str:
        """Everything the main session's last request holds: results and reasons of its calls."""
        bodies = [one.request.body for one in self.api.requests if one.request.asker == "main"]
        return str(bodies[-1]["messages"])


def spawning(
    client: Client,
    serve: Serve,
    *arguments: str,
    env: dict[str, str] | None = None,
    **task: str,
) -> Seen:
    """The main session spawns one subagent, whose prompt is "the task", with that input."""
    return calling(client, serve, spawn("the task", **task), *arguments, env=env)


def calling(
    client: Client,
    serve: Serve,
    call: Step,
    *arguments: str,
    env: dict[str, str] | None = None,
) -> Seen:
    """The main session makes one tool call, or several in one response."""
    api = serve(Script().on("start", call, text("ok")))
    return Seen(api, client.run("-p", "start", *arguments, api=api, env=env))


def costing(dollars: int) -> Answer:
    """A response on Opus that costs that much; what it calls is Bash, which the run has to allow.

    Its row may come late on a busy machine: `here.wait_longer()` has the next decision wait for it.
    """
    command = tool_use("Bash", command="true")
    return Answer((command,), usage=Usage(output_tokens=dollars * DOLLAR))


def opened(here: Installed) -> sqlite3.Connection:
    """The ledger, with columns by name."""
    db = ledger.connect(str(here.state / "ledger.db"), patience=10)
    db.row_factory = sqlite3.Row
    return db


def decisions(here: Installed) -> list[dict[str, object]]:
    """Every decision, oldest first, with the agent's type by name."""
    rows = opened(here).execute(
        "SELECT decision.*, name.text AS agent_type FROM decision"
        " JOIN name ON name.id = decision.agent ORDER BY at"
    )
    return [dict(row) for row in rows]


def by_agent(here: Installed, column: str) -> dict[object, object]:
    """That column of each type's last decision."""
    return {row["agent_type"]: row[column] for row in decisions(here)}


def streamed(
    client: Client, serve: Serve, script: Script, *arguments: str, env: dict[str, str] | None = None
) -> Seen:
    """One run in print mode that shows every event of the client."""
    api = serve(script)
    stream = ("--output-format", "stream-json", "--verbose", "--include-hook-events")
    return Seen(api, client.run("-p", "start", *arguments, *stream, api=api, env=env))


def answers(seen: Seen) -> list[tuple[str, dict[str, object]]]:
    """(event, answer) of every hook that said something, in order; needs `streamed`."""
    events = [one for one in seen.run.events if one.get("subtype") == "hook_response"]
    said = [one for one in events if str(one["stdout"]).strip()]
    return [(str(one["hook_event"]), json.loads(str(one["stdout"]))) for one in said]


def messages(seen: Seen) -> list[str]:
    """What the user was told, in order."""
    return [str(said["systemMessage"]) for _, said in answers(seen) if "systemMessage" in said]

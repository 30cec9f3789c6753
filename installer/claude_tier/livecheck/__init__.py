"""A scripted Messages API and a drive of the real Claude Code client against it.

    script = Script().on("start", spawn("look around", subagent_type="Explore"), text("done"))
    with ScriptedAPI(script) as api:
        run = Client(home).run("-p", "start", api=api)

Nothing here reaches a network: the API listens on loopback, and the client is told of no other.
"""

from claude_tier.livecheck.answers import (
    Answer,
    Block,
    Failure,
    Usage,
    fail,
    spawn,
    text,
    thinking,
    tool_use,
)
from claude_tier.livecheck.client import Client, Run, RunningClient, find_client
from claude_tier.livecheck.isolation import Namespace
from claude_tier.livecheck.request import Request
from claude_tier.livecheck.script import Script
from claude_tier.livecheck.scripted_api import Exchange, ScriptedAPI
from claude_tier.livecheck.terminal import Terminal

__all__ = [
    "Answer",
    "Block",
    "Client",
    "Exchange",
    "Failure",
    "Namespace",
    "Request",
    "Run",
    "RunningClient",
    "Script",
    "ScriptedAPI",
    "Terminal",
    "Usage",
    "fail",
    "find_client",
    "spawn",
    "text",
    "thinking",
    "tool_use",
]

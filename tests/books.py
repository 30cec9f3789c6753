"""A user's transcripts and decisions: as much of them as a test needs."""

from __future__ import annotations

import itertools
import json
import time
from pathlib import Path

from claude_tier_hooks import cooldowns, decisions, ledger, routed

NOON = 1_795_262_400.0  # Saturday 2026-11-21 12:00 UTC
HOUR = 3600.0
OPUS, SONNET, HAIKU = "claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5"

_numbers = itertools.count()


def answer(
    home: Path,
    model: str = HAIKU,
    *,
    at: float = NOON,
    session: str = "11111111-aaaa",
    cwd: str = "/repo/app",
    agent: str | None = None,
    final: bool = True,
    **usage: int,
) -> None:
    """A response in the session's transcript, or in that of its subagent of type `agent`."""
    spent = {"input_tokens": 1000, "output_tokens": 2000, **usage}
    message = {
        "id": f"msg_{next(_numbers):022d}",
        "model": model,
        "stop_reason": "end_turn" if final else None,
        "usage": spent,
    }
    row = {
        "type": "assistant",
        "message": message,
        "sessionId": session,
        "cwd": cwd,
        "timestamp": stamp(at),
    }
    file = transcript(home, session, cwd)
    if agent:
        file = file.with_suffix("") / "subagents" / f"agent-{agent}.jsonl"
        file.parent.mkdir(parents=True, exist_ok=True)
        meta = {"agentType": agent, "toolUseId": f"toolu_{agent}"}
        file.with_suffix(".meta.json").write_text(json.dumps(meta))
    append(file, row)


def charge(
    home: Path, model: str, usd: float, *, session: str = "11111111-aaaa", **tokens: int
) -> None:
    """The client's own figures for a session, in its transcript: a cost-state."""
    figures = {**dict.fromkeys(("inputTokens", "outputTokens"), 0), **tokens, "costUSD": usd}
    row = {
        "type": "cost-state",
        "sessionId": session,
        "totalCostUSD": usd,
        "modelUsage": {model: figures},
    }
    append(transcript(home, session, "/repo/app"), row)


def tokens(new: int, out: int, read: int = 0, written: int = 0) -> dict[str, int]:
    """The usage of an answer, for `answer`."""
    return {
        "input_tokens": new,
        "output_tokens": out,
        "cache_read_input_tokens": read,
        "cache_creation_input_tokens": written,
    }


def transcript(home: Path, session: str, cwd: str) -> Path:
    folder = home / ".claude" / "projects" / cwd.replace("/", "-")
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{session}.jsonl"


def append(file: Path, row: dict[str, object]) -> None:
    with file.open("a") as stream:
        stream.write(json.dumps(row, separators=(",", ":")) + "\n")


def stamp(at: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(at))


def decide(tool_use_id: str, **columns: object) -> None:
    """A decision in the ledger: Explore put on haiku, unless told otherwise."""
    row = {
        "session": "11111111-aaaa",
        "tool_use_id": tool_use_id,
        "at": NOON,
        "tool": "Agent",
        "agent": "Explore",
        "description": "look around",
        "asked": None,
        "would": OPUS,
        "origin": "parent",
        "action": "assigned",
        "set_tier": "haiku",
        "reason": "assigned to haiku",
        "budget": None,
        "level": "ok",
        "used": None,
        "parent": None,
        **columns,
    }
    db = ledger.connect(patience=10)
    with ledger.Writing(db):
        decisions.record(db, row)
    db.close()


def cool(provider: str, model: str = "*", **fault: object) -> None:
    """A failure of a provider in the ledger at noon, of its whole account unless told otherwise."""
    told = {"cause": "pace", "why": "slow down", "until": NOON + 2 * HOUR, **fault}
    db = ledger.connect(patience=10)
    with ledger.Writing(db):
        cooldowns.fail(db, (provider, "-", model), told, NOON, 7200)
    db.close()


def request(asked: str, target: str | None = None, **columns: object) -> None:
    """A request to the router in the ledger: answered by `target` in a second, else by nobody."""
    used = dict.fromkeys(ledger.KINDS, 0) | {"input_tokens": 1000, "output_tokens": 200}
    provider = (target or "").partition("/")[0]
    row = {
        "id": f"{next(_numbers):032x}",
        "at": NOON,
        "session": "router:/repo/app",
        "cwd": "/repo/app",
        "origin": "ask",
        "route": None,
        "asked": asked,
        "target": target,
        "model": "served-1" if target else None,
        "seconds": 1.0,
        "attempts": [],
        "outcome": "answered" if target else "failed",
        "used": {"provider": provider, "model": "served-1", "final": True, "usd": 0.01, **used}
        if target
        else None,
        **columns,
    }
    db = ledger.connect(patience=10)
    with ledger.Writing(db):
        routed.record(db, row)
    db.close()


def attempt(target: str, seconds: float = 0.5, **more: object) -> dict[str, object]:
    """A target that did not answer, for `attempts` of a request."""
    row = {"target": target, "cause": "server", "why": "it failed", "seconds": seconds}
    return {**row, "skipped": False, **more}


def policy(home: Path, **rules: object) -> None:
    """A compiled policy with these rules, as the compiler leaves it."""
    folder = home / ".claude" / "claude-tier"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "policy.json").write_text(json.dumps({"version": 1, "preset": "balanced", **rules}))


def budget(name: str = "daily", **fields: object) -> dict[str, object]:
    """A budget of ten dollars a day, unless told otherwise."""
    return {
        "name": name,
        "scope": {"kind": "user", "name": None},
        "period": "day",
        "unit": "usd",
        "limit": 10.0,
        "warn": 0.8,
        "recover": 0.85,
        "cap": 0.9,
        "stop": 1.0,
        "ceiling": "sonnet",
        "on_stop": "deny",
        **fields,
    }

"""The rows of running subagents: the model each really runs on, and whether that was set.

Claude Code (2.1.329) asks when the number of subagents changes and every five seconds after, and
puts what we say about an id in the place of its whole row; a row we say nothing about stays.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
import time

from . import columns, ledger, policy, state
from .status_line import end, parsed, rules_for, theirs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .shapes import Json

LONG = 24  # characters of a model's id; of one longer than that the tier is shown
_SET = "SELECT action, set_tier, budget FROM decision WHERE session = ? AND "


def run() -> None:
    """Read the rows on stdin, print a line of JSON for each we know more about, end."""
    end(answer(sys.stdin.buffer.read()))


def answer(data: bytes) -> str:
    """Their lines and ours for the rows they say nothing about; raises nothing."""
    event = parsed(data)
    rules = rules_for(event)
    said = theirs(rules, "subagent_line", data)
    lines = [line for line in said.splitlines() if line.strip()]
    try:
        taken = {_id(line) for line in lines}
        lines += [json.dumps(row) for row in rows(event, rules) if row["id"] not in taken]
    except Exception as fault:
        state.log_fault("subagent line", fault)
    return "".join(line + "\n" for line in lines)


def _id(line: str) -> object:
    """Which row the user's own command has spoken for."""
    try:
        row = json.loads(line)
    except ValueError:
        return None
    found = row.get("id") if isinstance(row, dict) else None
    return found if isinstance(found, str) else None


def rows(event: Json, rules: Json) -> list[Json]:
    """{id, content} of every running subagent whose model is known."""
    tasks = event.get("tasks")
    found = [task for task in tasks if _is_known(task)] if isinstance(tasks, list) else []
    if not found:
        return []
    width = event.get("columns")
    room = width if isinstance(width, int) and width > 0 else None
    decided = _decisions(event, found)
    lines = [(task["id"], _content(task, decided.get(task["id"]), rules, room)) for task in found]
    return [{"id": name, "content": line} for name, line in lines if line]


def _is_known(task: object) -> bool:
    """Whether it runs, and on what."""
    if not isinstance(task, dict) or task.get("status") != "running":
        return False
    return all(isinstance(task.get(key), str) and task[key] for key in ("id", "model"))


def _content(task: Json, decided: Json | None, rules: Json, room: int | None) -> str:
    """Who, on what, doing what, and how much of it; "" where not even the model fits."""
    parts = [(0, _model(task["model"], decided, rules.get("tiers") or list(policy.TIERS)))]
    name = task.get("name") or task.get("agentType")
    if isinstance(name, str):
        parts.insert(0, (1, columns.plain(name)))
    doing = task.get("label") or task.get("description")
    if isinstance(doing, str):
        parts.append((4, columns.plain(doing)))
    tokens, age = _number(task.get("tokenCount")), _age(task.get("startTime"))
    if tokens:
        parts.append((2, _count(tokens) + " tokens"))
    if age is not None:
        parts.append((3, age))
    return columns.fit(parts, room)


def _model(model: str, decided: Json | None, tiers: list[str]) -> str:
    """haiku-5-5 (assigned), or: sonnet-5-5, over the haiku that was set."""
    tier, wanted = policy.tier_of(model, tiers), decided["set"] if decided else None
    name = columns.plain(model[7:] if model.startswith("claude-") else model)
    if len(name) > LONG and tier:
        name = tier
    if not decided or not wanted:
        return name
    if policy.cheaper(wanted, tier, tiers):
        return "%s, over the %s that was set" % (name, wanted)
    if policy.cheaper(tier, wanted, tiers):
        return "%s, below the %s that was set" % (name, wanted)
    by = " by %s" % columns.plain(decided["budget"]) if decided["budget"] else ""
    return "%s (%s%s)" % (name, decided["action"], by)


def _decisions(event: Json, tasks: list[Json]) -> dict[str, Json]:
    """What was decided about each of these subagents; {} while the ledger cannot be read."""
    if not os.path.exists(ledger.file()):
        return {}
    try:
        db = ledger.opened()
        session = ledger.known_id(db, str(event.get("session_id")))
        found = {task["id"]: _decision(db, session, event, task["id"]) for task in tasks}
    except (sqlite3.Error, ledger.DamagedError, OSError) as fault:
        state.log_fault("subagent line", fault)
        return {}
    return {name: decided for name, decided in found.items() if decided}


def _decision(db: sqlite3.Connection, session: int, event: Json, agent_id: str) -> Json | None:
    """By its id, which the call's result brings; before that by the call it came from."""
    row = db.execute(_SET + "agent_id = ?", (session, agent_id)).fetchone()
    if row is None:
        call = _call(event.get("transcript_path"), agent_id)
        row = call and db.execute(_SET + "tool_use_id = ?", (session, call)).fetchone()
    return {"action": row[0], "set": row[1], "budget": row[2]} if row else None


def _call(transcript: object, agent_id: str) -> str | None:
    """The tool_use_id a subagent came from, which the client notes beside its transcript."""
    if not isinstance(transcript, str) or os.sep in agent_id:
        return None
    folder = transcript.rpartition(".")[0]
    meta = os.path.join(folder, "subagents", "agent-%s.meta.json" % agent_id)
    call = (state.read_json(meta) or {}).get("toolUseId")
    return call if isinstance(call, str) else None


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) and 0 <= value < 1e15 else 0.0


def _count(tokens: float) -> str:
    """900, 1.5k, 23k, 1.2M."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if tokens >= size:
            return ("%.1f%s" if tokens < 10 * size else "%.0f%s") % (tokens / size, letter)
    return "%d" % tokens


def _age(started: object) -> str | None:
    """7s, 3m, 2h since that time in milliseconds."""
    since = _number(started) / 1000
    seconds = int(time.time() - since)
    if not since or seconds < 0:
        return None
    if seconds < 60:
        return "%ds" % seconds
    return "%dm" % (seconds // 60) if seconds < 7200 else "%dh" % (seconds // 3600)

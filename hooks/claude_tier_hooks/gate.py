"""PreToolUse on Agent, Workflow and SendMessage: gather, decide, record, answer.

Check and reservation are one transaction, so that twenty spawns at once do not all pass. Without
a writable ledger the decision still stands; its row waits in the spool.
"""

from __future__ import annotations

import os
import sqlite3
import time

from . import (
    budget,
    client,
    decision,
    decisions,
    ingest,
    ledger,
    places,
    policy,
    project,
    replayable,
    reservations,
    state,
)
from .usage import Recorder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .shapes import Json

READING = 0.15  # seconds for what is new in this session
WAIT = 0.15  # seconds for the row that names the main model, which the client writes late
STEP = 0.025


def answer(event: Json) -> Json | None:
    """The answer to a gated tool call; None leaves it as it is."""
    call = _call(event)
    if call is None:
        return None
    rules = policy.in_force(project.root(call["cwd"]), call["now"])
    try:
        db = ledger.opened()
    except (sqlite3.Error, OSError) as fault:
        state.log_fault("ledger", fault)
        return _without_ledger(call, rules, None)
    try:
        batches = _read(db, call, rules)
        with ledger.Writing(db):
            spooled = decisions.drain(db)
            made = _decided(db, call, rules, batches)
    except sqlite3.DatabaseError as fault:  # locked, full or read-only
        if ledger.is_damage(fault):
            raise
        state.log_fault("ledger", fault)
        return _without_ledger(call, rules, db)
    decisions.forget(spooled)
    return made


def _call(event: Json) -> Json | None:
    """What the event says, in our words; None for a tool that starts no subagent."""
    tool = {"Task": "Agent"}.get(event.get("tool_name") or "", event.get("tool_name"))
    given = event.get("tool_input")
    if tool not in ("Agent", "Workflow", "SendMessage") or not isinstance(given, dict):
        return None
    agent = given.get("subagent_type")
    asked = given.get("model")
    cwd = event.get("cwd") or os.getcwd()
    effort = event.get("effort")
    named = state.storable(agent) if isinstance(agent, str) and agent else client.GENERAL
    return {
        "now": time.time(), "tool": tool, "input": given,
        "agent": client.canonical(named, cwd),
        "asked": state.storable(asked) if isinstance(asked, str) else None,
        "cwd": cwd,
        "effort": effort.get("level") if isinstance(effort, dict) else None,
        "session": event.get("session_id") or "unknown",
        "transcript": event.get("transcript_path"),
        "inside": event.get("agent_id"),
        "id": event.get("tool_use_id") or "unknown-%d" % time.time_ns(),
    }  # fmt: skip


def _read(db: sqlite3.Connection, call: Json, rules: Json) -> list[Json]:
    """What is new of this session, this very call's response included.

    The client writes it some 50 ms late. It names the model of the conversation that asks, and
    its own cost may be what takes a budget over its limit.
    """
    spending = any(one["unit"] != "plan_percent" for one in rules["budgets"])
    until = time.monotonic() + WAIT
    while True:
        call["main"] = main = ingest.find_main(call["session"], call["transcript"])
        written = main and places.mentions(main, call["inside"], call["id"])
        batches = ingest.session_batches(db, main, time.monotonic() + READING)
        known = _caller_model(db, call, batches)
        if (known and (written or not spending)) or time.monotonic() >= until:
            return batches
        time.sleep(STEP)


def _caller_model(db: sqlite3.Connection, call: Json, batches: list[Json]) -> str | None:
    """The model of the conversation that asks: the main one's, or that of the subagent."""
    session = ledger.known_id(db, call["session"])
    if call["inside"]:
        query = "SELECT model FROM run WHERE session = ? AND agent_id = ?"
        found = db.execute(query, (session, call["inside"])).fetchone()
        tail = "agent-%s.jsonl" % call["inside"]
    else:
        found = db.execute("SELECT model FROM session WHERE id = ?", (session,)).fetchone()
        tail = call["session"] + ".jsonl"
    if found and found[0]:
        return str(found[0])
    own = [one for one in batches if one["path"].endswith(tail)]
    told = [model for one in own for model, _ in one["models"]]
    answered = [row["model"] for one in own for row in one["rows"] if row["requests"]]
    return next(iter(told or answered), None)


def _decided(db: sqlite3.Connection, call: Json, rules: Json, batches: list[Json]) -> Json | None:
    """Inside the transaction: ingest, decide, record; None when another install was first."""
    ingest.apply(db, batches, rules)
    session = Recorder(db, rules).session(call["session"], call["cwd"], call.get("main"))
    here = {"session": session["id"], "project": session["project"]}
    spawn = _spawn(db, call, rules, _caller_model(db, call, []), here)
    if spawn is None:
        return None
    standings = budget.standing(db, rules, here, call["now"], remember=True)
    made = _judged(rules, standings, spawn)
    row = dict(_row(call, rules, spawn, made), **replayable.columns(rules, standings, spawn))
    if not decisions.record(db, row):
        return None
    if _reserves(made, call):
        held = reservations.estimate(db, rules, dict(row, woken=spawn["woken"]), here)
        reservations.hold(db, row, held, here["project"])
    if spawn["woken"] and made["action"] != decision.DENIED:
        decisions.wake(db, here["session"], spawn["woken"])
    return _answer(call, made, _notice(db, call, spawn, made, here["session"], rules))


def _judged(rules: Json, standings: list[Json], spawn: Json) -> Json:
    made = decision.decide(rules, standings, spawn)
    if "off" in rules:
        made["reason"] = "claude-tier is off"
    return made


def _reserves(made: Json, call: Json) -> bool:
    """A workflow's agents come and go without a word; what they spend is counted as they do."""
    return bool(made["action"] != decision.DENIED and call["tool"] != "Workflow")


def _spawn(
    db: sqlite3.Connection | None, call: Json, rules: Json, parent: str | None, here: Json
) -> Json | None:
    """What `decide()` has to know; None for a message to a subagent that still runs."""
    agent, would, woken = call["agent"], None, None
    if call["tool"] == "Workflow":
        agent, would = "workflow-subagent", {"model": parent, "origin": "parent"}
    if call["tool"] == "SendMessage" and db:
        stopped = _stopped_run(db, call, here)
        if stopped is None:
            return None
        agent, would = stopped[0], {"model": stopped[1], "origin": "parent"}
        woken = stopped[2]
    if would is None:
        would = client.would_run(call["asked"], agent, call["cwd"], parent, dict(os.environ))
    gate = rules["fan_out"]
    return {
        "tool": call["tool"], "agent": agent, "would": would, "parent": parent,
        "inside": bool(call["inside"]), "forced": client.forced(dict(os.environ)),
        "attended": os.environ.get("CLAUDE_CODE_SESSION_ATTENDED") != "0",
        "recent": _recent(db, here, call["now"] - gate["seconds"]) if gate and db else 0,
        "woken": woken,
        "effort": call["effort"],
        "unavailable": _unavailable(rules, call["cwd"]),
    }  # fmt: skip


def _unavailable(rules: Json, cwd: str) -> list[str]:
    """Tiers whose alias this client would send to another family."""
    here = client.unavailable(rules["tiers"], cwd)
    return here + client.moved(rules["tiers"], dict(os.environ))


def _stopped_run(
    db: sqlite3.Connection, call: Json, here: Json
) -> tuple[str, str | None, str] | None:
    """(agent, model, id) of the finished subagent a message wakes; None for any other address."""
    to = state.storable(str(call["input"].get("recipient") or call["input"].get("to")))
    found = db.execute(
        "SELECT name.text, run.model FROM run JOIN name ON name.id = run.agent"
        " WHERE run.agent_id = ? AND run.session = ? AND run.ended IS NOT NULL",
        (to, here["session"]),
    ).fetchone()
    return (found[0], found[1], to) if found else None


def _recent(db: sqlite3.Connection, here: Json, since: float) -> int:
    return int(
        db.execute(
            "SELECT count(*) FROM decision WHERE session = ? AND at > ? AND action <> ?",
            (here["session"], since, decision.DENIED),
        ).fetchone()[0]
    )


def _row(call: Json, rules: Json, spawn: Json, made: Json) -> Json:
    text = call["input"].get("description")
    keep = rules["log"].get("descriptions", True) and isinstance(text, str)
    description = state.storable(text[:200]) if keep else None
    return {
        "session": call["session"], "tool_use_id": call["id"], "at": call["now"],
        "tool": call["tool"], "agent": spawn["agent"], "description": description,
        "asked": call["asked"],
        "would": spawn["would"]["model"], "origin": spawn["would"]["origin"],
        "action": made["action"], "set_tier": made["set"], "reason": made["reason"] or made["note"],
        "budget": made["budget"], "level": made["level"], "used": made["used"],
        "parent": call["inside"],
    }  # fmt: skip


def _without_ledger(call: Json, rules: Json, db: sqlite3.Connection | None) -> Json | None:
    """Decide by what can still be read, and let the row and its reservation wait in the spool."""
    here = {"session": -1, "project": -1}
    standings: list[Json] = []
    spawn = held = None
    if db is not None:
        try:
            here["session"] = ledger.known_id(db, call["session"])
            here["project"] = ledger.known_id(db, project.root(call["cwd"]))
            waiting = reservations.waiting()
            standings = budget.standing(db, rules, here, call["now"], waiting=waiting)
            spawn = _spawn(db, call, rules, _caller_model(db, call, []), here)
        except sqlite3.Error as fault:
            state.log_fault("ledger", fault)
    if spawn is None:
        if call["tool"] != "Agent":
            return None
        spawn = _spawn(None, call, rules, None, here)
    spawn = spawn or {}
    made = _judged(rules, standings, spawn)
    row = dict(_row(call, rules, spawn, made), **replayable.columns(rules, standings, spawn))
    try:
        if db is not None and standings and _reserves(made, call):
            held = reservations.estimate(db, rules, row, here)
        ledger.spool({"decision": row, "held": held})
    except (OSError, sqlite3.Error) as fault:
        state.log_fault("spool", fault)
    return _answer(call, made, None)


def _notice(
    db: sqlite3.Connection, call: Json, spawn: Json, made: Json, session: int, rules: Json
) -> str | None:
    """What the user sees: every lowering, the first assignment of a type, each fault once."""
    agent, action = spawn["agent"], made["action"]
    if action == decision.LOWERED:
        instead = spawn["would"]["model"] or "a model we cannot know"
        words = (agent, made["set"], instead, made["reason"])
        return "%s runs on %s instead of %s: %s." % words
    if action == decision.ASSIGNED:
        fresh = ledger.once(db, session, "assigned " + agent, made["set"])
        text = "%s runs on %s instead of %s (assigned; this session's first)." % (
            agent, made["set"], spawn["would"]["model"],
        )  # fmt: skip
        return text if fresh else None
    if action == decision.DENIED:
        fresh = ledger.once(db, session, "denied", made["budget"] or "fan-out")
        return "no new %s: %s. %s" % (agent, made["reason"], decision.WAY_OUT) if fresh else None
    if action == decision.LEFT and made["set"]:
        text = "%s was left as it is: %s." % (agent, made["reason"])
        return text if ledger.once(db, session, "left " + agent, made["reason"]) else None
    if made["note"]:
        period = str(int(call["now"] // rules["fan_out"]["seconds"]))
        return made["note"] + "." if ledger.once(db, session, "fan-out", period) else None
    return None


def _answer(call: Json, made: Json, notice: str | None) -> Json | None:
    """The hook's output. A rewrite never carries a permission decision: it must not approve."""
    output: Json = {}
    action = made["action"]
    if action in (decision.DENIED, decision.ASKED):
        asks = action == decision.ASKED
        advice = " Do the work inline without a new subagent, or ask the user."
        if asks:
            advice = " If you allow it, it runs on %s." % made["set"] if made["set"] else ""
        output["permissionDecision"] = "ask" if asks else "deny"
        output["permissionDecisionReason"] = "claude-tier: %s.%s" % (made["reason"], advice)
    if made["set"] and action in (decision.ASSIGNED, decision.LOWERED, decision.ASKED):
        output["updatedInput"] = dict(call["input"], model=made["set"])
        if made["effort"] and "effort" not in call["input"]:
            output["updatedInput"]["effort"] = made["effort"]
    answer_: Json = {}
    if output:
        answer_["hookSpecificOutput"] = dict(output, hookEventName="PreToolUse")
    if notice:
        answer_["systemMessage"] = "claude-tier: " + notice
    return answer_ or None

"""One function for each hook event: event in, answer out. None says nothing at all."""

from __future__ import annotations

import json
import os
import sqlite3
import time

from . import (
    beats,
    briefing,
    budget,
    decisions,
    ingest,
    ledger,
    places,
    policy,
    project,
    refresh,
    state,
)
from .usage import Recorder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .shapes import Json

START = 0.3  # seconds SessionStart reads transcripts
TURN = 0.15  # seconds any other event reads those of its session


def session_start(event: Json) -> Json | None:
    """Compile, catch up, note model and endpoint; tell the table and the levels."""
    rules = _rules(event, compile_=True)
    db = ledger.opened()
    ingest.everything(db, rules, deadline=time.monotonic() + START)
    with ledger.Writing(db):
        here = _here(db, event, rules)
        _note_host(db, here["session"])
        if isinstance(event.get("model"), str):
            _note_model(db, here["session"], event["model"], time.time())
        elif event.get("source") == "resume":
            # It may go on with another model. A project's hook runs beside the first turn already.
            _note_model(db, here["session"], None, time.time() - 1)
        standings = _standings(db, rules, here)
        said = _said(db, event, rules, standings)
        _, eased = _change(db, here["session"], "context", standings)
        table = _table(db, here, rules, event)
        mode = _emergency(db, here, rules)
    _mark_alive()
    said = "\n".join(filter(None, [said, mode, beats.line()]))
    context = [table, briefing.for_claude(standings, eased)]
    return _answer("SessionStart", said, "\n\n".join(filter(None, context)))


def user_prompt_submit(event: Json) -> Json | None:
    """What changed since the last prompt: levels, a fault in the configuration."""
    rules = _rules(event, compile_=True)
    db = ledger.opened()
    batches = _batches(db, event)
    with ledger.Writing(db):
        ingest.apply(db, batches, rules)
        here = _here(db, event, rules)
        standings = _standings(db, rules, here)
        said = _said(db, event, rules, standings)
        changed, eased = _change(db, here["session"], "context", standings)
        table = _table(db, here, rules, event)
    context = [table, briefing.for_claude(standings, eased) if changed else ""]
    return _answer("UserPromptSubmit", said, "\n\n".join(filter(None, context)))


def post_tool_use(event: Json) -> Json | None:
    """The proof: what the client says it runs, against what was decided."""
    result = event.get("tool_response")
    if not isinstance(result, dict):
        return None
    ran, agent_id = _text(result.get("resolvedModel")), _text(result.get("agentId"))
    db = ledger.opened()
    session = ledger.known_id(db, str(event.get("session_id")))
    tool_use_id = str(event.get("tool_use_id"))
    tiers = policy.load(project.root(_cwd(event)))["tiers"]
    with ledger.Writing(db):
        found = (
            decisions.prove(db, session, tool_use_id, ran, tiers) if isinstance(ran, str) else None
        )
        if isinstance(agent_id, str):
            decisions.link(db, session, tool_use_id, agent_id)
        if result.get("status") == "completed" and session > 0:
            agent = str(result.get("agentType") or "unknown")
            decisions.release(db, session, (str(agent_id), agent, tool_use_id), time.time())
    if not found or found["proof"] != decisions.OVER:
        return None
    text = "%s runs on %s, over the %s it was to run on (%s)." % (
        found["agent"], ran, found["set"], found["reason"],
    )  # fmt: skip
    return _answer("PostToolUse", text, "")


def pre_model_switch(event: Json) -> Json | None:
    """Switching the conversation up above the ceiling of a capped budget: ask or deny."""
    rules = _rules(event)
    way = rules["model_switch"]
    if way not in ("ask", "deny"):
        return None
    tiers = rules["tiers"]
    to = policy.tier_of(event.get("to_model"), tiers)
    if not policy.cheaper(policy.tier_of(event.get("from_model"), tiers), to, tiers):
        return None
    db = ledger.opened()
    with ledger.Writing(db):
        standings = _standings(db, rules, _here(db, event, rules))
    for one in standings:
        if one["budget"]["scope"]["kind"] == "agent":
            continue
        if one["level"] in ("cap", "stop") and policy.cheaper(one["budget"]["ceiling"], to, tiers):
            said = briefing.lines([one])[0]
            reason = "claude-tier: %s; %s is above that." % (said, event.get("to_model"))
            return {
                "hookSpecificOutput": {
                    "hookEventName": "PreModelSwitch",
                    "permissionDecision": way,
                    "permissionDecisionReason": reason,
                }
            }
    return None


def post_model_switch(event: Json) -> Json | None:
    """The conversation's model from here on; no transcript row says it before its next answer."""
    model = event.get("to_model")
    if isinstance(model, str) and not event.get("agent_id"):
        rules = _rules(event)
        db = ledger.opened()
        with ledger.Writing(db):
            _note_model(db, _here(db, event, rules)["session"], model, time.time())
    return None


def subagent_stop(event: Json) -> Json | None:
    """Count what it used and free what was reserved; may come more than once for one subagent."""
    agent_id = event.get("agent_id")
    path = str(event.get("agent_transcript_path") or "")
    meta = state.read_json(places.stem(path) + ".meta.json") or {}
    agent = event.get("agent_type") or meta.get("agentType")  # a compaction's has none
    known = isinstance(agent_id, str) and isinstance(agent, str)
    _catch_up(event, (str(agent_id), str(agent), meta.get("toolUseId")) if known else None)
    return None


def stop(event: Json) -> Json | None:
    """Count the turn; keep the day's copy of the ledger, as nobody waits for this hook."""
    from . import backup  # no other event pays for it

    _catch_up(event, None, turn=time.time())
    backup.daily(time.time())
    return None


def stop_failure(event: Json) -> Json | None:
    """Count the turn; what kept it from going on, the router need not try either."""
    from . import failures  # no other event pays for it

    _catch_up(event, None)
    if failures.cause(event):
        rules, db = _rules(event), ledger.opened()
        with ledger.Writing(db):
            failures.keep(db, event, rules, dict(os.environ), time.time())
        db.close()
    return None


def session_end(event: Json) -> Json | None:
    """The last figures of the session are in its transcript by now."""
    _catch_up(event, None, ended=True)
    return None


def _catch_up(
    event: Json,
    finished: tuple[str, str, str | None] | None,
    *,
    ended: bool = False,
    turn: float | None = None,
) -> None:
    rules = _rules(event)
    db = ledger.opened()
    batches = _batches(db, event)
    with ledger.Writing(db):
        ingest.apply(db, batches, rules)
        spooled = decisions.drain(db)
        session = _here(db, event, rules)["session"]
        decisions.prove_by_runs(db, session, rules["tiers"])
        if finished:
            decisions.release(db, session, finished, time.time())
        if turn:
            decisions.forsake(db, session, turn)
        if ended:
            db.execute(
                "DELETE FROM reservation WHERE session = ? OR expires < ?", (session, time.time())
            )
            db.execute("UPDATE run SET ended = coalesce(ended, last) WHERE session = ?", (session,))
    decisions.forget(spooled)
    db.close()  # these hooks keep nobody waiting, so they pay for the checkpoint


def _text(value: object) -> str | None:
    return state.storable(value) if isinstance(value, str) else None


def _cwd(event: Json) -> str:
    return str(event.get("cwd") or os.getcwd())


def _rules(event: Json, *, compile_: bool = False) -> Json:
    """The policy that holds where the session works, brought up to date first if told."""
    root = project.root(_cwd(event))
    if compile_:
        refresh.run(root)
    return policy.in_force(root, time.time())


def _batches(db: sqlite3.Connection, event: Json) -> list[Json]:
    main = ingest.find_main(str(event.get("session_id")), event.get("transcript_path"))
    return ingest.session_batches(db, main, time.monotonic() + TURN)


def _here(db: sqlite3.Connection, event: Json, rules: Json) -> Json:
    """The session and its project as ledger numbers; the row is made on first sight."""
    main = ingest.find_main(str(event.get("session_id")), event.get("transcript_path"))
    found = Recorder(db, rules).session(str(event.get("session_id")), _cwd(event), main)
    return {"session": found["id"], "project": found["project"]}


def _standings(db: sqlite3.Connection, rules: Json, here: Json) -> list[Json]:
    return budget.standing(db, rules, here, time.time(), remember=True)


def _note_host(db: sqlite3.Connection, session: int) -> None:
    """Where this session's requests go from now on; NULL is Anthropic itself."""
    url = os.environ.get("ANTHROPIC_BASE_URL", "")
    host = url.partition("://")[2].partition("/")[0].rpartition("@")[2]
    number = ledger.name_id(db, host.lower()) if host else None
    db.execute("UPDATE session SET host = ? WHERE id = ?", (number, session))


def _note_model(db: sqlite3.Connection, session: int, model: str | None, at: float) -> None:
    db.execute("UPDATE session SET model = ?, model_at = ? WHERE id = ?", (model, at, session))


def _table(db: sqlite3.Connection, here: Json, rules: Json, event: Json) -> str:
    """The delegation table, once a session and again when a compaction has dropped it."""
    fresh = ledger.once(db, here["session"], "table", "told")
    if fresh or event.get("source") == "compact":
        return briefing.delegation(rules, _cwd(event))
    return ""


def _said(db: sqlite3.Connection, event: Json, rules: Json, standings: list[Json]) -> str:
    """One line for the user where something changed since this session was last told."""
    session = _here(db, event, rules)["session"]
    parts = [refresh.message(db, session, project.root(_cwd(event)))]
    switch = briefing.off(rules)
    if (switch or ledger.told(db, session, "off")) and ledger.once(db, session, "off", switch):
        parts.append(switch or "on again")
    changed, eased = _change(db, session, "levels", standings)
    if changed:
        parts.append(briefing.for_user(standings, eased))
    unseen = briefing.blind(standings)
    if unseen and ledger.once(db, session, "blind", "told"):
        parts.append(unseen)
    return "\n".join(filter(None, parts))


def _emergency(db: sqlite3.Connection, here: Json, rules: Json) -> str:
    """That the router asks this machine alone, where this session was not told of it last."""
    from . import router_health  # no other event pays for it

    now = time.time()
    on = router_health.query(db, rules, here["project"], now)["emergency"]
    changed = ledger.once(db, here["session"], "emergency", on["reason"] if on else "")
    return router_health.sentence(on, now) if on and changed else ""


def _change(
    db: sqlite3.Connection, session: int, what: str, standings: list[Json]
) -> tuple[bool, list[str]]:
    """Whether levels differ from what this session was told, and the budgets that are ok again."""
    levels = {one["budget"]["name"]: one["level"] for one in standings if one["level"] != "ok"}
    before = json.loads(ledger.told(db, session, what) or "{}")
    changed = ledger.once(db, session, what, json.dumps(levels, sort_keys=True))
    names = [one["budget"]["name"] for one in standings]
    return changed, [name for name in names if name in before and name not in levels]


def _mark_alive() -> None:
    """When a hook of ours last ran, for `doctor`."""
    try:
        state.write_private(state.path("live"), str(int(time.time())))
    except OSError as fault:
        state.log_fault("live", fault)


def _answer(name: str, said: str, context: str) -> Json | None:
    answer: Json = {}
    if said:
        answer["systemMessage"] = "claude-tier: " + said
    if context:
        answer["hookSpecificOutput"] = {"hookEventName": name, "additionalContext": context}
    return answer or None

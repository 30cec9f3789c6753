"""Subagents: where their files lie, and where their usage is said again."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

from .. import names, rows
from ..answer import Answer, Tokens
from ..dialect import MIDDLE, Row
from ..forms import growing
from ..stage import Stage
from ..transcript import Transcript

HAIKU = "claude-haiku-5-5"
OPUS = "claude-opus-5-5"


def _work(stage: Stage, agent: Transcript, model: str = HAIKU, turns: int = 2) -> Answer:
    agent.ask()
    for _ in range(turns):
        last = agent.answer(Answer(model, stage.tokens(hour=False)), blocks=2)
        agent.tool_result("ok")
    return last


def _result(agent: Transcript, last: Answer) -> Row:
    """Return the Agent tool's result, which repeats the subagent's last usage."""
    usage = {
        "input_tokens": last.tokens.input_tokens,
        "cache_creation_input_tokens": last.tokens.cache_write,
        "cache_read_input_tokens": last.tokens.cache_read_tokens,
        "output_tokens": last.tokens.output_tokens,
    }
    return {
        "status": "completed",
        "agentId": agent.place.agent_id,
        "agentType": agent.place.agent_type,
        "content": [{"type": "text", "text": "done"}],
        "resolvedModel": last.model,
        "totalDurationMs": 5000,
        "totalTokens": last.tokens.prompt + last.tokens.output_tokens,
        "totalToolUseCount": 3,
        "usage": usage,
    }


def subagents(stage: Stage) -> None:
    """Each subagent has a file and a meta.json; the tool's result repeats its last usage."""
    session = stage.session()
    for agent_type in ("Explore", "general-purpose", "reviewer"):
        session.answer(Answer(OPUS, stage.tokens()), blocks=3)
        agent = session.agent(agent_type, meta={"requestShape": "foreground"})
        last = _work(stage, agent)
        session.main.tool_result("done", toolUseResult=_result(agent, last))
    session.answer(Answer(OPUS, stage.tokens()))
    session.save()


def nested_subagents(stage: Stage) -> None:
    """Subagents start subagents: all of them lie in the session's folder, or one further down."""
    session = stage.session()
    session.answer(Answer(OPUS, stage.tokens()))
    parent = session.agent("reviewer")
    _work(stage, parent)
    meta: Row = {"spawnDepth": 2, "parentAgentId": parent.place.agent_id}
    _work(stage, session.agent("general-purpose", meta=meta))
    below = f"subagents/agent-{parent.place.agent_id}/subagents"
    _work(stage, session.agent("Explore", folder=below, meta=meta))
    session.save()


def workflow_subagents(stage: Stage) -> None:
    """A workflow's subagents lie in a folder of their own, beside a journal."""
    session = stage.session()
    session.answer(Answer(OPUS, stage.tokens()))
    meta: Row = {"workflowPhase": "One", "inWorkflowRun": True}
    for folder in ("subagents/workflows/wf_666b1d98-a20", "subagents/workflow-7"):
        for _ in range(2):
            _work(stage, session.agent("workflow-subagent", folder=folder, meta=meta))
        journal = {"type": "result", "result": names.lie(), "sessionId": session.id}
        lines = json.dumps({"type": "launched"}) + "\n" + json.dumps(journal) + "\n"
        session.add_file(f"{session.folder}/{folder}/journal.jsonl", lines.encode())
    session.save()


def fork_subagents(stage: Stage) -> None:
    """A fork subagent's file begins with a copy of its parent's row, which asked for it."""
    session = stage.session()
    ask = names.tool_use(stage.rng, "Agent", {"subagent_type": "fork", "prompt": "go on"})
    session.answer(Answer(OPUS, stage.tokens()), blocks=[names.text(stage.rng), ask])
    asking = session.main.history[-1]
    agent = session.agent("fork", meta={"isFork": True, "model": "inherit"})
    facts: Row = {"agentId": agent.place.agent_id, "parentSessionId": session.id}
    agent.append({"type": "fork-context-ref"} | facts | {"contextLength": 12})
    copied = {"parentUuid": None, "isSidechain": True, "agentId": agent.place.agent_id}
    agent.say(asking | copied)
    _work(stage, agent, OPUS)
    session.save()


def subagent_spoken_to_again(stage: Stage) -> None:
    """A message to a stopped subagent goes on in its own file, the next day."""
    session = stage.session()
    session.answer(Answer(OPUS, stage.tokens()))
    agent = session.agent("reviewer")
    _work(stage, agent)
    agent.now = session.main.now = session.main.now + timedelta(days=1)
    session.answer(Answer(OPUS, stage.tokens()))
    _work(stage, agent)
    session.save()


def subagents_beside_the_session(stage: Stage) -> None:
    """Older clients put a subagent's file beside the session's, and nothing names its type."""
    session = stage.session(dialect=MIDDLE)
    session.answer(Answer("claude-opus-4-8", stage.tokens()), growing, blocks=2)
    folder = session.folder.rpartition("/")[0]
    place = replace(session.main.place, agent_id=f"{stage.rng.getrandbits(32):08x}")
    path = f"{folder}/agent-{place.agent_id}.jsonl"
    _work(stage, session.transcript(path, place), "claude-haiku-4-5-20251001")


def mirrored_progress(stage: Stage) -> None:
    """Older clients mirror a subagent's rows, with the figures of that moment, in its parent."""
    session = stage.session(dialect=MIDDLE)
    session.answer(Answer("claude-opus-4-8", stage.tokens()))
    agent = session.agent("Explore")
    agent.ask()
    answer = Answer("claude-sonnet-4-6", stage.tokens(hour=False))
    agent.answer(answer, growing, blocks=3)
    for row in agent.history:
        main = session.main
        main.say(rows.progress(main.place, main.link(), row, str(agent.place.agent_id)))


def usage_in_tool_results(stage: Stage) -> None:
    """What a tool says, or is asked, can look exactly like a usage row."""
    session = stage.session()
    main = session.main
    session.answer(Answer(OPUS, stage.tokens()))
    main.tool_result(names.lie(), toolUseResult={"stdout": names.lie(), "stderr": ""})
    main.tool_result([{"type": "text", "text": names.lie() * 3}])
    main.tool_result("ok", toolUseResult=names.lying_object())
    main.tool_result("ok", toolUseResult=[names.lying_object(), names.lying_object()])
    asked = names.lying_object() | {"usage": {"output_tokens": 800_000}}
    block = names.tool_use(stage.rng, "mcp__log__write", asked)
    session.answer(Answer(OPUS, stage.tokens(), stop_reason="tool_use"), blocks=[block])
    beside = f"{session.folder}/tool-results/{names.tool_id(stage.rng)}"
    session.add_file(f"{beside}.txt", names.lie().encode())
    session.add_file(f"{beside}.jsonl", json.dumps(names.lying_object()).encode() + b"\n")


def unknown_row_types(stage: Stage) -> None:
    """Rows of a type nobody knows are nobody's usage."""
    session = stage.session()
    main = session.main
    session.answer(Answer(OPUS, stage.tokens()))
    for kind in ("quantum-state", "assistant-draft", "api-request-blob"):
        main.append(names.lying_object() | {"type": kind, "sessionId": session.id})
    usage = {"input_tokens": 999_999, "output_tokens": 999_999}
    main.append({"type": "turn-stats", "sessionId": session.id, "usage": usage})
    main.append({"sessionId": session.id, "usage": usage, "model": OPUS})
    main.append({"type": "ai-title", "aiTitle": "Fix the parser", "sessionId": session.id})
    main.append(names.lying_object() | {"type": None, "futureField": [1, {"a": None}]})
    session.answer(Answer(OPUS, stage.tokens()))


def long_rows(stage: Stage) -> None:
    """Some rows are as long as a file is elsewhere."""
    session = stage.session()
    session.answer(Answer(OPUS, stage.tokens()))
    session.main.tool_result(names.prose(stage.rng, 250_000))
    session.answer(Answer(OPUS, Tokens(2, 800, 90_000, 0, 70_000)))


SCENES = (
    subagents,
    nested_subagents,
    workflow_subagents,
    fork_subagents,
    subagent_spoken_to_again,
    subagents_beside_the_session,
    mirrored_progress,
    usage_in_tool_results,
    unknown_row_types,
    long_rows,
)

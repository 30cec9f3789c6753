"""Histories made by the real hooks: a clock, transcripts, and the gate asked at each moment."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest
from books import HAIKU, OPUS, SONNET, append, stamp, transcript
from claude_tier_hooks import ingest, ledger, policy, protocol
from claude_tier_hooks.shapes import Json

SESSION = "11111111-aaaa"
PROJECT = "/repo/app"
MODELS = {"opus": OPUS, "sonnet": SONNET, "haiku": HAIKU}


class Past:
    """One user's past. Times are epoch seconds; what is asked at a time happens at that time."""

    def __init__(self, home: Path, patch: pytest.MonkeyPatch) -> None:
        self.home = home
        self.now = 0.0
        self._numbers = itertools.count(1)
        patch.setattr("time.time", lambda: self.now)
        patch.setattr("claude_tier_hooks.gate.WAIT", 0.0)

    def used(
        self,
        at: float,
        model: str = OPUS,
        *,
        run: tuple[str, str, str] | None = None,
        session: str = SESSION,
        cwd: str = PROJECT,
        **tokens: int,
    ) -> None:
        """A response of the conversation, or of the run (id, agent type, tool_use_id)."""
        usage = {"input_tokens": 0, "output_tokens": 0, **tokens}
        message = {
            "id": f"msg_{next(self._numbers):022d}",
            "model": model,
            "stop_reason": "end_turn",
            "usage": usage,
        }
        row = {"type": "assistant", "message": message, "sessionId": session, "cwd": cwd}
        file = transcript(self.home, session, cwd)
        if run:
            file = file.with_suffix("") / "subagents" / f"agent-{run[0]}.jsonl"
            file.parent.mkdir(parents=True, exist_ok=True)
            meta = {"agentType": run[1], "toolUseId": run[2]}
            file.with_suffix(".meta.json").write_text(json.dumps(meta))
        append(file, {**row, "timestamp": stamp(at)})

    def ask(
        self,
        at: float,
        agent: str = "Explore",
        *,
        tool: str = "Agent",
        inside: str | None = None,
        session: str = SESSION,
        cwd: str = PROJECT,
        **given: object,
    ) -> str:
        """Ask the gate for a subagent; the tool_use_id."""
        number = f"toolu_{next(self._numbers)}"
        asked = {"subagent_type": agent, "prompt": "p", **given} if tool == "Agent" else given
        self._event(
            "PreToolUse", at, session, cwd,
            tool_name=tool, tool_use_id=number, tool_input=asked,
            **({"agent_id": inside} if inside else {}),
        )  # fmt: skip
        return number

    def run(
        self,
        at: float,
        agent: str = "Explore",
        model: str = OPUS,
        *,
        lasts: float = 60.0,
        inside: str | None = None,
        given: dict[str, object] | None = None,
        **tokens: int,
    ) -> str:
        """Ask, and let it run on that model for one response unless it is denied; the run's id."""
        call = self.ask(at, agent, inside=inside, **(given or {}))
        if self.last()["action"] != "denied":
            self.used(at + lasts / 2, model, run=(f"a{call}", agent, call), **tokens)
            self.stop(at + lasts, f"a{call}", agent)
        return f"a{call}"

    def obey(self, at: float, agent: str = "Plan", *, lasts: float = 60.0, **tokens: int) -> str:
        """Ask, and let it run on what the decision says; the action."""
        call = self.ask(at, agent)
        made = self.last()
        if made["action"] != "denied":
            model = MODELS[made["set"] or "opus"]
            self.used(at + lasts / 2, model, run=(f"a{call}", agent, call), **tokens)
            self.stop(at + lasts, f"a{call}", agent)
        return str(made["action"])

    def stop(self, at: float, agent_id: str, agent: str, session: str = SESSION) -> None:
        folder = transcript(self.home, session, PROJECT).with_suffix("") / "subagents"
        path = str(folder / f"agent-{agent_id}.jsonl")
        self._event(
            "SubagentStop", at, session, PROJECT,
            agent_id=agent_id, agent_type=agent, agent_transcript_path=path,
        )  # fmt: skip

    def _event(self, name: str, at: float, session: str, cwd: str, **more: object) -> Json:
        self.now = at
        event = {"session_id": session, "cwd": cwd, "hook_event_name": name, **more}
        event["transcript_path"] = str(transcript(self.home, session, cwd))
        said = protocol.respond(name, json.dumps(event).encode())
        log = self.home / ".claude/claude-tier/hooks.log"
        assert not log.exists(), log.read_text()
        return dict(json.loads(said or "{}"))

    def last(self) -> Json:
        """The newest decision."""
        db = ledger.connect()
        found = db.execute(
            "SELECT action, set_tier, reason, budget, level, used FROM decision"
            " ORDER BY at DESC LIMIT 1"
        ).fetchone()
        db.close()
        names = ("action", "set", "reason", "budget", "level", "used")
        return dict(zip(names, found, strict=True))

    def read(self) -> None:
        """Everything that transcripts hold, into the ledger."""
        db = ledger.connect()
        ingest.everything(db, policy.load())
        db.close()

"""One session: its main transcript, its subagents, and what the client itself added up."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from functools import reduce
from operator import add
from random import Random

from . import names, price_oracle
from .answer import Answer, Tokens
from .dialect import Dialect, Place, Row
from .forms import Form, whole
from .transcript import Edit, File, Transcript
from .truth import Charge, Hidden, Truth

GUESSED_MODEL = "claude-opus-5-5"


@dataclass
class ClientCost:
    """The client's running figures per model, as it saves them in `cost-state`."""

    tokens: dict[str, Tokens] = field(default_factory=dict)
    usd: dict[str, float] = field(default_factory=dict)
    unknown: bool = False

    def add(self, model: str, tokens: Tokens, usd: Decimal) -> None:
        self.tokens[model] = self.tokens.get(model, Tokens()) + tokens
        self.usd[model] = self.usd.get(model, 0.0) + float(usd)

    def row(self, session: str) -> Row:
        return {
            "type": "cost-state",
            "sessionId": session,
            "totalCostUSD": reduce(
                add, self.usd.values(), 0.0
            ),  # sum() rounds otherwise since 3.12
            "totalAPIDuration": 1460,
            "totalAPIDurationWithoutRetries": 1380,
            "totalToolDuration": 54,
            "totalLinesAdded": 0,
            "totalLinesRemoved": 0,
            "totalDuration": 8740,
            "startTime": 1795224611718,
            "modelUsage": {model: self._model(model) for model in self.tokens},
            "hasUnknownModelCost": self.unknown,
        }

    def _model(self, model: str) -> Row:
        tokens = self.tokens[model]
        return {
            "inputTokens": tokens.input_tokens,
            "outputTokens": tokens.output_tokens,
            "thinkingTokens": 0,
            "cacheReadInputTokens": tokens.cache_read_tokens,
            "cacheCreationInputTokens": tokens.cache_write,
            "cacheCreationEphemeral5mInputTokens": tokens.cache_write_5m_tokens,
            "cacheCreationEphemeral1hInputTokens": tokens.cache_write_1h_tokens,
            "webSearchRequests": tokens.web_searches,
            "costUSD": self.usd[model],
        }


@dataclass
class Session:
    """A session of the corpus; `main` is its transcript.

    `client` is what the running process has added up, `saved` what its last `cost-state` row
    said: a fork starts from there.
    """

    truth: Truth
    rng: Random
    files: list[File]
    project: str
    id: str
    main: Transcript
    client: ClientCost = field(default_factory=ClientCost)
    saved: ClientCost = field(default_factory=ClientCost)

    @property
    def folder(self) -> str:
        """The folder beside the transcript that holds subagents and tool results."""
        return self.main.file.path.removesuffix(".jsonl")

    def ask(self, size: int = 60) -> None:
        self.main.ask(size)

    def answer(self, answer: Answer, form: Form = whole, *, blocks: int | list[Row] = 1) -> Answer:
        return self.main.answer(answer, form, blocks=blocks)

    def bill(self, answer: Answer, at: datetime, place: Place) -> None:
        """Enter one answer, and the advisor's part of it, in the truth and the client's sums."""
        usd = price_oracle.usd(
            answer.model,
            answer.tokens,
            at=at,
            speed=answer.speed,
            geo=answer.geo,
            passes=answer.passes,
        )
        self._charge(answer.model, answer.tokens, usd, at=at, place=place)
        for advice in answer.advice:
            model = advice.model or answer.model
            usd = price_oracle.usd(model, advice.tokens, at=at)
            self._charge(model, advice.tokens, usd, at=at, place=place, is_request=False)

    def _charge(
        self,
        model: str,
        tokens: Tokens,
        usd: Decimal | None,
        *,
        at: datetime,
        place: Place,
        is_request: bool = True,
    ) -> None:
        agent = "main" if place.agent_id is None else place.agent_type or "unknown"
        charge = Charge(self.id, self.project, agent, model, at, tokens, usd, is_request)
        self.truth.charges.append(charge)
        self.client.add(model, tokens, self._clients_guess(usd, tokens, at))

    def _clients_guess(self, usd: Decimal | None, tokens: Tokens, at: datetime) -> Decimal:
        if usd is not None:
            return usd
        self.client.unknown = True
        return price_oracle.usd(GUESSED_MODEL, tokens, at=at) or Decimal()

    def hide(self, model: str, tokens: Tokens) -> None:
        """Bill a request that leaves no row: compaction, a title, a stream that was killed."""
        usd = price_oracle.usd(model, tokens, at=self.main.now)
        if usd is None:
            message = f"no price for {model}: what is hidden of it could not be told"
            raise ValueError(message)
        self.truth.hidden.append(Hidden(self.id, model, tokens, usd))
        self.client.add(model, tokens, usd)

    def save(self, transcript: Transcript | None = None) -> None:
        """Write the client's sums so far, as it does when it exits."""
        (transcript or self.main).append(self.client.row(self.id))
        self.saved = deepcopy(self.client)

    def clear(self) -> None:
        """Start the client's sums from nothing."""
        self.client = ClientCost()

    def die(self) -> None:
        """Forget what was never saved, as the next process to resume this session does."""
        self.client = deepcopy(self.saved)

    def agent(
        self,
        agent_type: str | None,
        *,
        folder: str = "subagents",
        dialect: Dialect | None = None,
        meta: Row | None = None,
        agent_id: str | None = None,
    ) -> Transcript:
        """Start a subagent's transcript in a folder of this session, with its meta.json."""
        agent_id = agent_id or names.agent_id(self.rng)
        place = replace(
            self.main.place,
            agent_id=agent_id,
            agent_type=agent_type,
            dialect=dialect or self.main.place.dialect,
        )
        path = f"{self.folder}/{folder}/agent-{agent_id}"
        if agent_type is not None:
            about = self._meta(agent_type) | (meta or {})
            self.add_file(f"{path}.meta.json", json.dumps(about, separators=(",", ":")).encode())
        return self.transcript(f"{path}.jsonl", place)

    def _meta(self, agent_type: str) -> Row:
        return {
            "agentType": agent_type,
            "isBuiltIn": agent_type in ("Explore", "general-purpose", "Plan"),
            "description": "find the parser",
            "toolUseId": names.tool_id(self.rng),
            "spawnDepth": 1,
            "requestShape": "background",
            "model": "haiku",
            "finished": True,
        }

    def transcript(self, path: str, place: Place, *, edit: Edit | None = None) -> Transcript:
        """Start another file that holds rows of this session."""
        file = self.add_file(path)
        main = self.main
        return Transcript(file, place, main.now, self.rng, self.bill, main.spelling, edit)

    def add_file(self, path: str, content: bytes = b"") -> File:
        """Add a file of any kind."""
        file = File(path, [content] if content else [])
        self.files.append(file)
        return file

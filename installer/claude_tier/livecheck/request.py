"""One request as the client sent it, and what it is about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple, cast

Asker = Literal["main", "subagent", "side"]

REMINDER = "<system-reminder>"
NOTIFICATION = "[SYSTEM NOTIFICATION"
FORK = "<fork-boilerplate>"


class Turn(NamedTuple):
    """The newest prompt, and how many answers it already got."""

    prompt: str
    step: int


@dataclass(frozen=True)
class Request:
    """`headers` have lower-case names; `body` is the parsed JSON."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Mapping[str, object]

    @property
    def model(self) -> str:
        return str(self.body.get("model", ""))

    @property
    def stream(self) -> bool:
        return bool(self.body.get("stream"))

    @property
    def tools(self) -> tuple[str, ...]:
        return tuple(str(tool.get("name")) for tool in _objects(self.body.get("tools")))

    @property
    def session_id(self) -> str | None:
        return self.headers.get("x-claude-code-session-id")

    @property
    def agent_id(self) -> str | None:
        """The subagent that asks; None for the main session."""
        return self.headers.get("x-claude-code-agent-id")

    @property
    def parent_agent_id(self) -> str | None:
        return self.headers.get("x-claude-code-parent-agent-id")

    @property
    def effort(self) -> str | None:
        effort = self._output_config.get("effort")
        return None if effort is None else str(effort)

    @property
    def asker(self) -> Asker:
        """Who asks. `side` is the client itself, for a title and the like."""
        if self.agent_id is not None:
            return "subagent"
        return "side" if "format" in self._output_config and not self.tools else "main"

    @property
    def prompt(self) -> str:
        """The newest words of the user (for a subagent: of its caller); a notice has none."""
        return self._turn.prompt

    @property
    def step(self) -> int:
        """How many answers the prompt already got: 0 for the first request of a turn."""
        return self._turn.step

    @cached_property
    def system(self) -> str:
        return "\n".join(_texts(self.body.get("system")))

    @cached_property
    def conversation(self) -> str:
        """Every text of every message, the client's own reminders included."""
        return "\n".join(words for message in self._messages for words in _texts(message))

    @property
    def _output_config(self) -> Mapping[str, object]:
        config = self.body.get("output_config")
        return config if isinstance(config, dict) else {}

    @property
    def _messages(self) -> list[object]:
        return [message.get("content") for message in _objects(self.body.get("messages"))]

    @cached_property
    def _turn(self) -> Turn:
        step = 0
        for message in reversed(list(_objects(self.body.get("messages")))):
            if message.get("role") == "assistant":
                step += 1
            prompt = _prompt(message) if message.get("role") == "user" else None
            if prompt is not None:
                return Turn(prompt, step)
        return Turn("", step)


def _prompt(message: Mapping[str, object]) -> str | None:
    """What a user message asks; None for one that only carries tool results or reminders."""
    content = message.get("content")
    texts = _texts(content)
    if any(block.get("type") == "tool_result" for block in _objects(content)):
        # A fork gets its task beside the result of the very call that made it.
        texts = [words for words in texts if words.startswith(FORK)]
    words = [words for words in texts if not words.startswith(REMINDER)]
    if words:
        return "\n".join(words)
    return "" if any(NOTIFICATION in reminder for reminder in texts) else None


def _texts(content: object) -> list[str]:
    if isinstance(content, str):
        return [content]
    return [str(block.get("text")) for block in _objects(content) if block.get("type") == "text"]


def _objects(value: object) -> Iterable[dict[str, object]]:
    if not isinstance(value, list):
        return []
    return [cast("dict[str, object]", item) for item in value if isinstance(item, dict)]

"""One way to go wrong, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from claude_tier.routing.fault import Cause
from wire_formats import Reply

Course = Literal[
    "whole",  # what is to be sent is sent
    "refused",  # nobody listens
    "reset",  # the connection is reset before the head
    "silent",  # accepted, never answered
    "silent_after_head",
    "half_body",  # closed in the middle, short of what was announced
    "stalled",  # silent from the middle on
    "drip",  # one byte at a time, for ever
    "endless",  # the middle over and over, as fast as it is read
    "unfinished",  # a stream that closes in order, in the middle of the text
    "no_last_event",  # a stream that closes in order, short of its last event
    "reset_midway",  # a stream whose connection is reset in the middle of the text
    "error_midway",  # a stream that says in the middle that it failed
]
API = Literal["anthropic", "openai", "openrouter", "ollama", "llama_server", "litellm", "any"]


@dataclass(frozen=True)
class Fault:
    """What is sent, and what is the matter; `cause` is None where nothing is.

    A `body` is sent as JSON, a string or bytes as they are; None stands for `reply` in the format
    that was asked for. In body and headers `{model}` is the model asked for, `{key}` the key that
    came along, `{path}` and `{port}` where to. `streams` and `plain` say which requests it is for.
    """

    cause: Cause | None
    status: int = 200
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)
    api: API = "any"
    course: Course = "whole"
    reply: Reply = field(default_factory=Reply)
    streams: bool = True
    plain: bool = True

"""Events nobody would send: every hook answers all of them, and approves nothing."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from claude_tier_hooks import protocol, state
from examples import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .process import EVENTS, LINES, run, sample, transcript

FIELDS = (
    "agent_id", "agent_transcript_path", "agent_type", "cwd", "error", "from_model",
    "hook_event_name", "model", "prompt", "reason", "session_id", "source", "to_model",
    "tool_input", "tool_name", "tool_response", "tool_use_id", "transcript_path",
)  # fmt: skip
KEYS = (
    "agentId", "description", "effort", "id", "model", "prompt", "recipient", "resolvedModel",
    "status", "subagent_type", "to",
)  # fmt: skip
WORDS = (
    "", "..", "/", "~", "/dev/null", "Agent", "Task", "Workflow", "SendMessage", "Explore", "fork",
    "general-purpose", "a:b:c", "haiku", "claude-opus-5-5[1m]", "inherit", "completed", "compact",
    "resume", "a1", "x" * 300, "\x00", "\ud800", "\N{BYTE ORDER MARK}", "'; DROP TABLE usage; --",
)  # fmt: skip


def _text(dice: Random) -> str:
    if dice.random() < 0.6:
        return dice.choice(WORDS)
    width = dice.choice([0x80, 0x3000, 0x110000])  # half surrogate pairs among the last two
    return "".join(chr(dice.randrange(width)) for _ in range(dice.randrange(20)))


SCALARS: tuple[Callable[[Random], object], ...] = (
    lambda dice: dice.choice([None, True, False]),
    lambda dice: dice.choice([0, -1, 2**53 + 1, dice.getrandbits(dice.randrange(1, 2000))]),
    lambda dice: dice.choice([0.5, -0.0, 1e308, math.inf, math.nan, dice.uniform(-1e12, 1e12)]),
    _text,
    _text,
)


def _value(dice: Random, depth: int = 0) -> object:
    kind = dice.randrange(len(SCALARS) + 2)
    if depth > 3 or kind < len(SCALARS):
        return dice.choice(SCALARS)(dice)
    inner = [_value(dice, depth + 1) for _ in range(dice.randrange(5))]
    if kind == len(SCALARS):
        return inner
    return {dice.choice(KEYS) if dice.random() < 0.7 else _text(dice): each for each in inner}


# From a seed: to draw each leaf of them took ten times as long as the hooks.
seeds = st.integers(0, 2**64)
texts = seeds.map(lambda seed: _text(Random(seed)))
values = seeds.map(lambda seed: _value(Random(seed)))
events = st.dictionaries(st.sampled_from(FIELDS) | texts, values, max_size=12)

fuzzed = settings(
    max_examples=examples(60),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def answer(event: str, data: bytes) -> dict[str, Any]:
    """The hook's answer; fails on anything a client would not read or we must never say."""
    state.notices.clear()
    text = protocol.respond(event, data)
    if not text:
        return {}
    found = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} in an answer"))
    output = found.get("hookSpecificOutput", {})
    assert set(found) <= {"hookSpecificOutput", "systemMessage"}
    assert output.get("permissionDecision") in (None, "deny", "ask")
    assert output.get("hookEventName", event) == event
    assert found  # `{}` would be a line in the transcript
    return dict(found)


@pytest.fixture(autouse=True)
def work(home: Path) -> Path:
    """A session with a transcript, and a budget to be judged by."""
    transcript(home)
    return home


@pytest.mark.filterwarnings("ignore:unclosed database:ResourceWarning")
@pytest.mark.parametrize("name", [event for event in EVENTS if event not in LINES])
class TestAnyEvent:
    """Each in the process of the test, which leaves the ledgers it opened to the collector."""

    @given(event=events)
    @fuzzed
    def test_of_any_shape_is_answered(self, name: str, event: dict[str, object]) -> None:
        """Fields known and unknown, of any type."""
        answer(name, json.dumps(event).encode())

    @given(changes=events)
    @fuzzed
    def test_that_began_as_an_ordinary_one_is_answered(
        self, name: str, work: Path, changes: dict[str, object]
    ) -> None:
        """The deeper code paths, with some fields replaced."""
        answer(name, json.dumps({**sample(name, work), **changes}).encode())

    @given(data=st.binary(max_size=200))
    @fuzzed
    def test_of_any_bytes_is_answered(self, name: str, data: bytes) -> None:
        """Not even JSON."""
        answer(name, data)


@pytest.mark.filterwarnings("ignore:unclosed database:ResourceWarning")
@given(given_=st.dictionaries(st.sampled_from(KEYS) | texts, values, max_size=6))
@fuzzed
def test_a_rewrite_echoes_every_key(given_: dict[str, object]) -> None:
    """Only the model is replaced, and an effort only added: the client replaces the whole input."""
    home = Path(state.config_dir()).parent
    call = {**given_, "subagent_type": "Explore"}
    call.pop("model", None)
    event = sample("PreToolUse", home, tool_input=call, tool_use_id=None)

    output = answer("PreToolUse", json.dumps(event).encode()).get("hookSpecificOutput", {})

    echoed = output.get("updatedInput")
    if echoed is not None:
        assert echoed.pop("model") in ("haiku", "sonnet", "opus", "fable")
        assert json.dumps(echoed) == json.dumps(call)


@pytest.mark.parametrize("name", EVENTS)
def test_the_process_answers_like_the_function(name: str, work: Path) -> None:
    """A sample of the above as the client runs it."""
    for number in range(3):
        odd = {key: WORDS[(number * 7 + at) % len(WORDS)] for at, key in enumerate(FIELDS)}
        done = run(name, odd)
        assert (done.returncode, done.stderr) == (0, b"")

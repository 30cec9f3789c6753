"""What is told of an answer's tokens before its end, or in the place of one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from claude_tier.routing.prompt import Usage
from fault_server import FAULTS, Fault, FaultServer, Reply
from faults.litellm import SERVED
from wire_formats import sse

from .asking import EVERY_WAY, KEY, MODEL, VARIABLE, WAYS, Outcome, Way, ask, client

CHAT = Way("openai-compatible", "/v1")
RESPONSES = Way("openai", "/v1", api="responses")
MESSAGES = Way("anthropic-compatible")
COUNTED = {"prompt_tokens": 1000, "completion_tokens": 20}


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, KEY)


def _asked(way: Way, fault: Fault, *, stream: bool = True) -> Outcome:
    """What came of a request that this befell."""
    with FaultServer(fault) as server:
        found = ask(client(server.url, way), stream=stream)
    assert found.end is None
    assert found.fault is not None
    return found


def _usage(found: Outcome) -> Usage:
    assert found.used is not None
    return found.used.usage


def _said(*documents: dict[str, object]) -> Fault:
    """A stream of these, which closes in order."""
    body = b"".join(map(sse.data_only, documents))
    return Fault("server", body=body, headers={"content-type": sse.TYPE}, plain=False)


def test_a_stream_of_messages_opens_with_its_input() -> None:
    """And with what a cache had of it; the output of its beginning is the least there was."""
    reply = Reply(input_tokens=9, cache_read_tokens=80, cache_write_tokens=700, output_tokens=6)
    found = _asked(MESSAGES, Fault("server", course="unfinished", reply=reply, plain=False))

    assert _usage(found) == Usage(input=9, output=1, cache_read=80, cache_write_5m=700)


@pytest.mark.parametrize("way", EVERY_WAY, ids=str)
def test_what_a_stream_had_told_before_its_last_event_holds(way: Way) -> None:
    """All of it where figures come before the end; nothing where they are the end."""
    reply = Reply(input_tokens=9, output_tokens=6)
    found = _asked(way, Fault("server", course="no_last_event", reply=reply, plain=False))

    if way.kind == "ollama" or way.api == "responses":
        assert found.used is None
    else:
        assert _usage(found) == Usage(input=9, output=6)


@pytest.mark.parametrize("stream", [False, True])
def test_work_that_ended_is_paid_for(stream: bool) -> None:
    """An answer that its server gave up within has figures nevertheless."""
    choice = {"delta": {"content": "half"}, "finish_reason": "error"}
    chunk = {"model": MODEL, "choices": [choice], "usage": COUNTED}
    fault = _said(chunk) if stream else FAULTS["openrouter_given_up"]
    found = _asked(CHAT, fault, stream=stream)

    assert _usage(found) == Usage(input=1000, output=20 if stream else 100)
    assert found.used is not None
    assert found.used.model == MODEL


def test_an_error_may_have_figures_beside_it() -> None:
    """Of a response that failed, and of a chunk that says so."""
    counted = {"input_tokens": 1000, "output_tokens": 20}
    failed = {"status": "failed", "error": {"message": "Overloaded"}, "usage": counted}
    document = {"type": "response.failed", "response": {**failed, "model": "served-1"}}
    assert _usage(_asked(RESPONSES, _said(document))) == Usage(input=1000, output=20)

    chunk = {"error": {"message": "Overloaded", "code": 502}, "usage": {**COUNTED, "cost": 0.25}}
    assert _usage(_asked(CHAT, _said(chunk))) == Usage(input=1000, output=20, usd=0.25)


def test_an_error_without_figures_tells_of_none() -> None:
    """Zeros are no figures either."""
    empty = {"prompt_tokens": 0, "completion_tokens": 0}
    chunk = {"error": {"message": "Overloaded"}, "usage": empty}
    assert _asked(CHAT, _said(chunk)).used is None
    assert _asked(CHAT, Fault("server", 500, {"error": {"message": "no"}})).used is None


def test_a_broken_stream_has_the_name_that_the_head_gives() -> None:
    """The body of a LiteLLM stream keeps the one that was asked for."""
    fault = replace(FAULTS["litellm_streamed_fallback"], course="no_last_event")
    found = _asked(WAYS["litellm"][0], fault)

    assert found.used is not None
    assert (found.used.model, found.used.usage.usd) == (SERVED, 0.0001)


def test_a_name_that_is_told_early_holds_no_key() -> None:
    """It goes into the ledger like that of an answer."""
    fault = Fault("server", course="unfinished", reply=Reply(model=f"m-{KEY}"), plain=False)
    found = _asked(MESSAGES, fault)

    assert found.used is not None
    assert found.used.model == "m-[key]"

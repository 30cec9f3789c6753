"""A real llama.cpp, asked through every kind of provider that fits it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import replace

import anyio
import llama_server
import pytest
from claude_tier.routing.fault import Fault
from claude_tier.routing.prompt import Delta, Prompt
from claude_tier.routing.providers.http import Limits
from recorder import Recorder

from .asking import KEY, VARIABLE, Way, ask, client, look, window

WAYS = (
    Way("llama-server"),
    Way("llama-server", api="chat"),
    Way("openai-compatible"),
    Way("anthropic-compatible"),
)
SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "integer"}},
    "required": ["a"],
    "additionalProperties": False,
}


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, KEY)


@pytest.fixture(scope="module")
def llama() -> Iterator[llama_server.Start]:
    """Servers that no test stops, each started once."""
    with llama_server.sharing() as start:
        yield start


@pytest.fixture
def mortal(llama: llama_server.Start) -> Iterator[llama_server.Llama]:
    """One of a test's own, that babbles."""
    with llama_server.serving(None, ctx=131072) as server:
        yield server


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("way", WAYS, ids=str)
def test_it_answers(llama: llama_server.Start, way: Way, stream: bool) -> None:
    """With its own figures, and the name of the model that it really has."""
    server = llama("The local answer.")
    found = ask(client(server.url, way), Prompt.of("hi", system="Be brief."), stream=stream)

    assert found.end is not None, found.fault
    assert found.text == "The local answer."
    assert (found.end.model, found.end.reason) == (llama_server.MODEL, "end")
    usage = found.end.usage
    assert usage.measured
    assert usage.input + usage.cache_read > 0
    assert usage.output > 0


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_may_be_long(llama: llama_server.Start, stream: bool) -> None:
    """As long as a context holds."""
    reply = "word " * 12_000
    server = llama(reply, ctx=65536)
    prompt = replace(Prompt.of("hi"), max_tokens=60_000)
    found = ask(client(server.url, WAYS[0]), prompt, stream=stream)

    assert found.text == reply


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_an_answer_without_an_end_is_cut_at_its_length(llama: llama_server.Start, way: Way) -> None:
    """A model that babbles costs no more than was asked for."""
    server = llama(None)
    found = ask(client(server.url, way), replace(Prompt.of("hi"), max_tokens=20), stream=True)

    assert found.end is not None
    assert (found.end.reason, found.end.usage.output) == ("length", 20)


@pytest.mark.parametrize("way", WAYS[:3], ids=str)
@pytest.mark.parametrize("stream", [False, True])
def test_a_schema_holds(llama: llama_server.Start, way: Way, stream: bool) -> None:
    """The server lets a model that would say anything say nothing else."""
    server = llama(None)
    prompt = replace(Prompt.of("hi"), schema=SCHEMA, max_tokens=500)
    found = ask(client(server.url, way), prompt, stream=stream)

    if found.end is not None and found.end.reason == "end":
        assert isinstance(json.loads(found.text)["a"], int)
    assert found.text.lstrip().startswith("{")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("way", WAYS, ids=str)
def test_a_prompt_that_is_too_long_is_told_as_such(
    llama: llama_server.Start, way: Way, stream: bool
) -> None:
    """By its body: the status is that of any bad request."""
    server = llama(ctx=512)
    found = ask(client(server.url, way), Prompt.of("x" * 2000), stream=stream)

    assert found.fault is not None
    assert (found.fault.cause, found.fault.broke_off) == ("size", False)


@pytest.mark.parametrize("way", WAYS[:3], ids=str)
def test_its_window_is_its_own_word(llama: llama_server.Start, way: Way) -> None:
    """Whatever name it is asked by, where the kind knows that it has one model."""
    server = llama(ctx=2048)
    assert look(client(server.url, way)).models == {llama_server.MODEL: 2048}
    assert window(client(server.url, way), llama_server.MODEL) == 2048
    if way.kind == "llama-server":
        assert window(client(server.url, way), "any-name") == 2048


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_one_that_dies_in_the_middle_broke_off(mortal: llama_server.Llama, way: Way) -> None:
    """What it had said is no answer."""

    async def kill_midway() -> None:
        async with (
            client(mortal.url, way) as there,
            aclosing(there.answer("tiny", endless, stream=True)) as events,
        ):
            async for event in events:
                if isinstance(event, Delta):
                    mortal.stop()

    endless = replace(Prompt.of("hi"), max_tokens=100_000)
    with pytest.raises(Fault) as caught:
        anyio.run(kill_midway)

    assert (caught.value.cause, caught.value.broke_off) == ("server", True)
    found = ask(client(mortal.url, way)).fault
    assert found is not None
    assert found.cause == "connect"


def test_one_that_babbles_is_left_at_the_deadline(mortal: llama_server.Llama) -> None:
    """Text that keeps coming is no reason to wait for its end."""
    endless = replace(Prompt.of("hi"), max_tokens=1_000_000)
    found = ask(client(mortal.url, WAYS[0], Limits(0.5, 60)), endless, stream=True)

    assert found.fault is not None
    assert (found.fault.cause, found.fault.broke_off) == ("timeout", True)


@pytest.mark.parametrize("stream", [False, True])
def test_who_goes_away_stops_the_work(mortal: llama_server.Llama, stream: bool) -> None:
    """The connection is closed, so that nobody computes, or bills, for nothing."""
    endless = replace(Prompt.of("hi"), max_tokens=16_000)

    async def go_away() -> None:
        async with client(recorder.url, WAYS[0]) as there:
            with anyio.move_on_after(0.3):
                async with aclosing(there.answer("tiny", endless, stream=stream)) as events:
                    async for _ in events:
                        pass
            await anyio.to_thread.run_sync(lambda: recorder.broken.wait(30))

    with Recorder(mortal.url) as recorder:
        anyio.run(go_away)

        assert recorder.broken.is_set()
